"""Which traces are asked for."""

from enum import StrEnum

from pydantic import Field

from agentvigil.api.asked import Asked
from agentvigil.api.runs.filters import Texts
from agentvigil.api.times import GivenTime


class TraceStatus(StrEnum):
    """What the root span of a trace says."""

    OK = "ok"
    ERROR = "error"


class TraceList(Asked):
    """A page of traces, the newest first."""

    since: GivenTime | None = Field(None, description="began at or after this time")
    until: GivenTime | None = Field(None, description="began before this time")
    service: Texts = Field([], description="service.name of the root span; several match any")
    name: Texts = Field([], description="name of the root span; several match any")
    status: TraceStatus | None = Field(None, description="`error` where the root span says so, else `ok`")
    min_duration_ms: float | None = Field(None, ge=0, le=10**12, description="of the root span")
    max_duration_ms: float | None = Field(None, ge=0, le=10**12, description="of the root span")
    has_runs: bool | None = Field(None, description="whether a run began in the trace, within a day of its start")
    limit: int = Field(50, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2048, description="`next_cursor` of the page before")
