"""Observations as detectors make them, for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from agentvigil.analysis.findings.model import Kind, Observation, Severity, SubjectType

START: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""Hour 0 of these tests."""


def at(hour: float) -> datetime:
    """The time that many hours after the start."""
    return START + timedelta(hours=hour)


def observation(began: float | None = 10, seen: float = 12, **said: Any) -> Observation:
    """What a detector saw of an agent at an hour, and that it began at another."""
    usual: dict[str, Any] = {
        "project": "default",
        "kind": Kind.DRIFT,
        "detector": "drift",
        "subject_type": SubjectType.AGENT,
        "subject": "support-agent",
        "agent": "support-agent",
        "environment": "production",
        "feature": "tool",
        "stream": "refund",
        "direction": "up",
        "severity": Severity.MAJOR,
        "explanation": "Runs of support-agent use refund in 31 % instead of 20 %.",
        "seen_at": at(seen),
        "window_start": at(seen - 2 if began is None else began),
        "window_end": at(seen),
        "changed_at": None if began is None else at(began),
    }
    return Observation(**usual | said)
