"""Which sessions are asked for."""

from decimal import Decimal

from pydantic import Field

from agentvigil.api.asked import Asked
from agentvigil.api.orders import Order
from agentvigil.api.runs.filters import RunStatus, Texts
from agentvigil.api.times import GivenTime


class SessionOrder(Order):
    """What sessions are ordered by; the greatest comes first."""

    NEWEST = "-last_at"
    DEAREST = "-cost_usd"
    MOST_RUNS = "-runs"


class SessionsOfAgent(Asked):
    """A page of sessions; what is told of each is of its runs of the time that is asked for."""

    since: GivenTime | None = Field(
        None, description="with runs that started at or after this time; 30 days ago if not said"
    )
    until: GivenTime | None = Field(None, description="with runs that started before this time")
    user: Texts = Field([], description="user.id of any of its runs")
    environment: Texts = Field([], description="deployment.environment.name of any of its runs")
    status: list[RunStatus] = Field([], max_length=4, description="status of any of its runs")
    min_cost_usd: Decimal | None = Field(
        None, ge=0, lt=10**9, description="its runs cost this much or more together, in US dollars"
    )
    sort: SessionOrder = SessionOrder.NEWEST
    limit: int = Field(50, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2048, description="`next_cursor` of the page before")


class SessionList(SessionsOfAgent):
    """The same, of any agents."""

    agent: Texts = Field([], description="agent of any of its runs")


class SessionRuns(Asked):
    """A page of the runs of one session."""

    limit: int = Field(50, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2048, description="`next_cursor` of the page before")
