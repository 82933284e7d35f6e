"""Baselines as the API takes and tells them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agentvigil.analysis.baselines.book import Pinned
from agentvigil.api.asked import Asked
from agentvigil.api.times import GivenTime, ToldTime

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)

AgentName = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Environment = Annotated[str, StringConstraints(max_length=1000)]
Version = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class BaselinesAsked(Asked):
    """Baselines of all agents, or of one."""

    agent: AgentName | None = Field(None, examples=["support-agent"], description="only of this agent")


class OneAsked(Asked):
    """Whose baseline is meant."""

    agent: AgentName = Field(examples=["support-agent"])
    environment: Environment = Field(
        "", examples=["production"], description="deployment.environment.name of the runs, empty where they have none"
    )


class Pinning(BaseModel):
    """Which runs are pinned: those of some hours, of a version, or of a version in some hours."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"agent": "support-agent", "environment": "production", "version": "1.3"},
                {"agent": "support-agent", "since": "2026-11-01T00:00:00Z", "until": "2026-11-15T00:00:00Z"},
            ]
        },
    )

    agent: AgentName
    environment: Environment = ""
    version: Version | None = Field(
        None, description="only runs of this version, or prompt fingerprint where none is said; all if none is given"
    )
    since: GivenTime | None = Field(
        None, description="runs from this hour on; if not said those of 28 days, of a version all"
    )
    until: GivenTime | None = Field(
        None, description="runs of hours that are over by this time; if not said up to now, with the hour that goes on"
    )


class Baseline(BaseModel):
    """Runs that others are compared with."""

    name: str = Field(examples=["before-launch"])
    agent: str
    environment: str
    since: ToldTime | None = Field(description="first hour; null where it has all hours of a version")
    until: ToldTime = Field(description="end of the last hour")
    version: str | None = Field(description="only runs of this version; null for all")
    pinned_by: str | None = Field(description="id of the key that pinned it; null where nobody needs a key")
    pinned_at: ToldTime

    @classmethod
    def of(cls, pinned: Pinned) -> Self:
        return cls(
            name=pinned.name,
            agent=pinned.subject.agent,
            environment=pinned.subject.environment,
            since=time_of_hour(pinned.hours.first) if pinned.hours.first else None,
            until=time_of_hour(pinned.hours.end),
            version=pinned.version or None,
            pinned_by=pinned.pinned_by or None,
            pinned_at=pinned.pinned_at,
        )


class BaselinePage(BaseModel):
    """Baselines, the newest first, all there are."""

    items: list[Baseline]
    next_cursor: None = Field(default=None, description="a project has few enough for one page")


def hour_of(time: datetime) -> int:
    """Return the hour of ``time``, counted from 1970."""
    return (time - _EPOCH) // _HOUR


def time_of_hour(hour: int) -> datetime:
    """Return when ``hour`` begins."""
    return _EPOCH + hour * _HOUR
