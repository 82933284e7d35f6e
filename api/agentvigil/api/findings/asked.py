"""Which findings and incidents are asked for, and what may be said of them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from agentvigil.analysis.findings.model import Kind, Resolution, Severity, State
from agentvigil.api.asked import Asked
from agentvigil.api.runs.filters import Texts
from agentvigil.api.times import GivenTime
from agentvigil.storage.access.expiry import parse_expiry


def _end_of_mute(text: object) -> datetime:
    try:
        return parse_expiry(text)
    except ValueError as exc:
        raise ValueError(
            f"{str(text)[:40]!r} is no time to come: write 12h, 30d, 4w, 1y or a day as 2027-01-31"
        ) from exc


MuteEnd = Annotated[
    datetime,
    BeforeValidator(_end_of_mute),
    WithJsonSchema(
        {
            "type": "string",
            "examples": ["30d", "2027-01-31T08:00:00Z"],
            "description": "how long from now, `12h`, `30d`, `4w`, `1y`, or ISO 8601, a time to come",
        }
    ),
]
FindingIdPrefix = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{4,32}$")]


class FindingOrder(StrEnum):
    """What findings are ordered by."""

    URGENT = "urgent"
    """As somebody on call wants them: unresolved before resolved, then by severity, the newest of each first. Minor
    anomalies of single runs come last of either: there are many, and each is over."""
    NEWEST = "newest"
    OLDEST = "oldest"


class AgentFindings(Asked):
    """A page of the findings of one agent, of one kind."""

    state: list[State] = Field([], max_length=3, description="open, acknowledged or resolved")
    severity: list[Severity] = Field([], max_length=3, description="minor, major or critical")
    environment: Texts = Field([], description="deployment.environment.name of the runs")
    detector: Texts = Field([], description="what found it")
    feature: Texts = Field([], description="what moved: duration, cost, tool, ...")
    subject: Texts = Field([], description="what it is about: an agent, a model, a tool, a version or a run")
    model: Texts = Field([], description="a model that it is about, or that carries it")
    incident: Texts = Field([], description="id of the incident")
    since: GivenTime | None = Field(None, description="first found at or after this time")
    until: GivenTime | None = Field(None, description="first found before this time")
    sort: FindingOrder = Field(
        FindingOrder.URGENT,
        description="newest, oldest, or urgent: unresolved before resolved, critical before major before minor, minor "
        "anomalies last, the newest of each first",
    )
    limit: int = Field(50, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2048, description="`next_cursor` of the page before")


class FindingList(AgentFindings):
    """A page of findings; a filter given several times matches any of its values, different ones must all match."""

    kind: list[Kind] = Field([], max_length=4, description="drift, regression, anomaly or failure_mode")
    agent: Texts = Field([], description="the agent that it concerns")
    id_prefix: FindingIdPrefix | None = Field(None, description="how the finding's id begins")


class IncidentState(StrEnum):
    """Whether something of an incident is still to be looked at."""

    UNRESOLVED = "unresolved"
    RESOLVED = "resolved"


class IncidentList(Asked):
    """A page of incidents, the newest first."""

    state: IncidentState | None = Field(None, description="unresolved while one of its findings is")
    severity: list[Severity] = Field([], max_length=3, description="that of its worst finding")
    agent: Texts = Field([], description="an agent that it concerns")
    environment: Texts = Field([], description="deployment.environment.name of the runs of any of its findings")
    since: GivenTime | None = Field(None, description="first found at or after this time")
    until: GivenTime | None = Field(None, description="first found before this time")
    limit: int = Field(50, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=2048, description="`next_cursor` of the page before")


class Resolving(BaseModel):
    """What a finding was."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"resolution": "fixed"}]})

    resolution: Resolution = Field(
        description="fixed, new_normal (it is compared with what is now), false_alarm (the same is not heard of for 30 "
        "days, and the detector's precision falls) or back_to_normal (which says nothing of the detector)"
    )


class Muting(BaseModel):
    """How long nobody is to hear of something."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"until": "30d"}]})

    until: MuteEnd | None = Field(description="null for ever")
