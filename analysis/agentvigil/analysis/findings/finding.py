"""A finding as it is kept: what was last seen of it, and what became of it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agentvigil.analysis.findings.model import Observation, Resolution, Severity, State, SubjectType


class Judgement(StrEnum):
    """What somebody who looked at it says it was."""

    REAL = "real"
    FALSE_ALARM = "false_alarm"


JUDGEMENT_OF = {
    Resolution.FIXED: Judgement.REAL,
    Resolution.NEW_NORMAL: Judgement.REAL,
    Resolution.FALSE_ALARM: Judgement.FALSE_ALARM,
}
"""What a resolution says of the detector. That something went back to normal says nothing: chance does that too."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One occurrence of something that was found. Times are in UTC."""

    id: str
    stable_key: str
    seen: Observation
    """As it was last seen; its severity is the worst that it ever had."""
    found_at: datetime
    version: int = 1
    state: State = State.OPEN
    incident_id: str = ""
    models: frozenset[str] = frozenset()
    """The models that it is about, or that carry it."""
    earliest_change: datetime | None = None
    """The earliest time at which it was ever said to have begun."""
    resolution: Resolution | None = None
    resolved_at: datetime | None = None
    acknowledged_at: datetime | None = None
    inside_since: datetime | None = None
    """Since when it has been inside the margin again, or had been when it was resolved; None while it is outside, or
    nobody said."""
    judgement: Judgement | None = None
    reopened_times: int = 0
    keep_days: int = 90
    """Its retention class, which stays: a finding is in one partition."""

    @property
    def is_resolved(self) -> bool:
        """Whether nothing more is expected of anybody."""
        return self.state is State.RESOLVED

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return self.seen.severity

    def covers(self, observation: Observation) -> bool:
        """Whether ``observation``, of the same stable key, is of this occurrence: what it saw began in the time from
        the earliest beginning that was said of this one to when this one was last seen.

        Where nothing began, as with a single run, the key says it all.
        """
        began, first = observation.changed_at, self.earliest_change
        if began is None or first is None:
            return began is first
        # What began with the first hour after its data is not in them.
        return first <= began and (
            began < self.seen.seen_at or began <= max(self.seen.changed_at or first, self.seen.changed_to or first)
        )


@dataclass(frozen=True, slots=True)
class Mute:
    """Nobody wants to hear of what has this key, up to and without ``until``, None for ever."""

    project: str
    stable_key: str
    until: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether it has not ended."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Event:
    """One step in the life of a finding: that which made its ``version``."""

    project: str
    finding_id: str
    version: int
    what: "What"
    at: datetime
    key_id: str
    """Id of the key of who did it, empty for AgentVigil itself."""
    value: str
    found_at: datetime
    keep_days: int


class What(StrEnum):
    """What happened to a finding."""

    FOUND = "found"
    SEVERITY = "severity"
    INCIDENT = "incident"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    MUTED = "muted"
    UNMUTED = "unmuted"


def stable_key_of(observation: Observation) -> str:
    """Return what is the same whenever the same thing is found again: 32 hex digits."""
    return _digest(
        (
            observation.project,
            observation.kind,
            observation.detector,
            observation.environment,
            observation.subject_type,
            observation.subject,
            observation.agent,
            observation.feature,
        )
    )


def finding_id_of(observation: Observation) -> str:
    """Return the id of the finding that ``observation`` begins: 32 hex digits, the same whoever asks."""
    began = observation.changed_at
    return _digest((stable_key_of(observation), "" if began is None else str(_nanoseconds(began))))


def earliest(*times: datetime | None) -> datetime | None:
    """Return the earliest of the times that are known."""
    return min((time for time in times if time is not None), default=None)


def is_run(observation: Observation) -> bool:
    """Whether it is about one run, which is over and will not be seen better or worse again."""
    return observation.subject_type is SubjectType.RUN


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:32]


def _nanoseconds(time: datetime) -> int:
    return int(time.replace(microsecond=0).timestamp()) * 10**9 + time.microsecond * 1000
