"""Which runs are asked for."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from agentvigil.api.asked import Asked
from agentvigil.api.orders import Order
from agentvigil.api.times import GivenTime

Text = Annotated[str, StringConstraints(max_length=1000)]
Texts = Annotated[list[Text], Field(max_length=100)]
IdPrefix = Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{4,49}$")]


class RunStatus(StrEnum):
    """How a run ended; docs/runs.md has the definitions."""

    SUCCESS = "success"
    FAILURE = "failure"
    PARTIAL = "partial"
    OPEN = "open"


class RunOrder(Order):
    """What runs are ordered by; with a dash the greatest comes first."""

    NEWEST = "-started_at"
    OLDEST = "started_at"
    LONGEST = "-duration_ms"
    SHORTEST = "duration_ms"
    DEAREST = "-cost_usd"
    CHEAPEST = "cost_usd"
    MOST_TOKENS = "-tokens"
    FEWEST_TOKENS = "tokens"
    MOST_STEPS = "-steps"
    FEWEST_STEPS = "steps"


class AgentRunFilters(Asked):
    """Filters of the runs of one agent; what is said of `RunFilters` holds for them."""

    since: GivenTime | None = Field(None, description="started at or after this time")
    until: GivenTime | None = Field(None, description="started before this time")
    version: Texts = Field([], description="version of the agent")
    status: list[RunStatus] = Field([], max_length=4)
    environment: Texts = Field([], description="deployment.environment.name")
    service: Texts = Field([], description="service.name")
    model: Texts = Field([], description="a model that was called")
    tool: Texts = Field([], description="a tool that was called")
    failure_type: Texts = Field([], description="of the root cause: tool, model, retrieval or orchestration")
    failure_code: Texts = Field([], description="of the root cause: timeout, rate_limited and so on, see docs/runs.md")
    user: Texts = Field([], description="user.id")
    session: Texts = Field([], description="conversation id")
    tag: Texts = Field([], description="a tag that was given to the run, or that its program set, as key=value")
    trace: Texts = Field([], description="trace id")
    id_prefix: IdPrefix | None = Field(None, description="how the run's id begins")
    min_cost_usd: Decimal | None = Field(None, ge=0, lt=10**9, description="cost this much or more, in US dollars")
    max_cost_usd: Decimal | None = Field(None, ge=0, lt=10**9, description="cost this much or less")
    min_duration_ms: float | None = Field(None, ge=0, le=10**12, description="took this long or longer, in ms")
    max_duration_ms: float | None = Field(None, ge=0, le=10**12, description="took this long or less")


class RunFilters(AgentRunFilters):
    """Filters of runs; one that is given several times matches any of its values, different ones must all match."""

    agent: Texts = Field([], description="name of the agent, else of the workflow, else of the top span")


class RunList(RunFilters):
    """A page of runs."""

    sort: RunOrder = RunOrder.NEWEST
    limit: int = Field(50, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2048, description="`next_cursor` of the page before")
