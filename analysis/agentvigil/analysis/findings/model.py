"""A finding: something moved, or goes wrong in a known way, and this is what shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Of what sort a finding is."""

    DRIFT = "drift"
    REGRESSION = "regression"
    ANOMALY = "anomaly"
    FAILURE_MODE = "failure_mode"


class SubjectType(StrEnum):
    """What a finding is about."""

    AGENT = "agent"
    MODEL = "model"
    TOOL = "tool"
    VERSION = "version"
    RUN = "run"


class Severity(StrEnum):
    """How much it matters: from the size of the effect and what it costs a day, never from how sure it is."""

    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class State(StrEnum):
    """Where a finding stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Resolution(StrEnum):
    """Why a finding is resolved."""

    BACK_TO_NORMAL = "back_to_normal"
    """By itself: for 48 hours it has been inside the margin."""
    FIXED = "fixed"
    FALSE_ALARM = "false_alarm"
    NEW_NORMAL = "new_normal"
    """What is now is what will be compared with."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a detector saw, before anybody knows whether it was seen before.

    The same ``kind``, ``detector``, ``environment``, ``subject_type``, ``subject``, ``agent`` and ``feature``, moved at
    about the same time, is the same finding. Times are in UTC. ``explanation`` is made of structure and numbers alone.
    """

    project: str
    kind: Kind
    detector: str
    subject_type: SubjectType
    subject: str
    feature: str
    seen_at: datetime
    """End of the data that show it."""
    window_start: datetime
    window_end: datetime
    severity: Severity
    explanation: str
    environment: str = ""
    agent: str = ""
    """The agent that it concerns; empty where it is more than one."""
    stream: str = ""
    """Which part of the feature moved: a key, or ``above`` a value."""
    direction: str = ""
    """up, down or new."""
    changed_at: datetime | None = None
    """When it most likely began; None where nothing began, as with a single run."""
    changed_from: datetime | None = None
    changed_to: datetime | None = None
    baseline_start: datetime | None = None
    baseline_end: datetime | None = None
    baseline_value: float | None = None
    window_value: float | None = None
    window_low: float | None = None
    """Lower end of where the value of the window lies, and ``window_high`` the upper."""
    window_high: float | None = None
    unit: str = ""
    statistic: float | None = None
    threshold: float | None = None
    """What ``statistic`` had to reach."""
    evidence_level: float | None = None
    """Hours between false alarms that the detector is set to, or what else its page says."""
    effect_size: float | None = None
    """(window - baseline) / baseline."""
    runs: int = 0
    """Runs since it began."""
    usd_per_day: float | None = None
    """What it costs more."""
    failed_runs_per_day: float | None = None
    """Runs that fail more."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """As JSON, for whoever looks at one finding: ``parts`` (decomposition), ``changes`` (what else changed then),
    ``series`` (for a plot) and ``next_actions`` (a sentence each) as :mod:`.told_details` reads them, the rest as the
    detector has it."""
    example_runs: Sequence[str] = ()
    typical_runs: Sequence[str] = ()
