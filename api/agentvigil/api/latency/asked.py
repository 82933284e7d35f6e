"""Which runs are asked for, and which they are compared with."""

from pydantic import Field

from agentvigil.api.runs.filters import AgentRunFilters
from agentvigil.api.times import GivenTime


class LatencyAsked(AgentRunFilters):
    """The runs of an agent in a time, of 7 days if nothing is said, and in another to compare with."""

    before_since: GivenTime | None = Field(
        None, description="compare with runs that started at or after this time; by default as long before `since`"
    )
    before_until: GivenTime | None = Field(
        None, description="compare with runs that started before this time; `since` if not said"
    )
    limit: int = Field(20, ge=1, le=200, description="so many steps are told, the slowest and those that grew most")
