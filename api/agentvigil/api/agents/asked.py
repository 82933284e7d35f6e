"""Which agents and versions are asked for."""

from typing import Annotated

from pydantic import Field, StringConstraints

from agentvigil.api.asked import Asked
from agentvigil.api.orders import Order
from agentvigil.api.runs.filters import AgentRunFilters, RunFilters, Texts
from agentvigil.api.times import GivenTime

Version = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class AgentOrder(Order):
    """What agents are ordered by; with a dash the greatest comes first."""

    MOST_RUNS = "-runs"
    FEWEST_RUNS = "runs"
    MOST_FAILING = "-failure_rate"
    LEAST_FAILING = "failure_rate"
    SLOWEST = "-duration_p95_ms"
    FASTEST = "duration_p95_ms"
    DEAREST = "-cost_usd"
    CHEAPEST = "cost_usd"
    MOST_TOKENS = "-tokens"
    FEWEST_TOKENS = "tokens"
    LATEST = "-last_seen"
    EARLIEST = "last_seen"
    NAME = "name"
    NAME_BACKWARDS = "-name"


class AgentList(RunFilters):
    """A page of agents; the filters choose the runs that are summed up, of 30 days if nothing is said."""

    sort: AgentOrder = AgentOrder.MOST_RUNS
    limit: int = Field(50, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2048, description="`next_cursor` of the page before")


class VersionList(AgentRunFilters):
    """The versions of an agent; the filters choose the runs that are summed up, of 30 days if nothing is said."""

    limit: int = Field(100, ge=1, le=1000, description="the newest so many are told")


class DiffAsked(Asked):
    """Two versions of an agent."""

    before: Version = Field(examples=["1.3"], description="a version, or a prompt fingerprint where none is said")
    after: Version = Field(examples=["1.4"], description="a version, or a prompt fingerprint where none is said")
    since: GivenTime | None = Field(None, description="of runs that started at or after this time; 30 days if not said")
    until: GivenTime | None = Field(None, description="of runs that started before this time")
    environment: Texts = Field([], description="deployment.environment.name")
    service: Texts = Field([], description="service.name")
