"""What all observations of failure modes have in common."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.failure_modes.change_days import ChangeDays
from agentvigil.analysis.failure_modes.day_tables import DayTable
from agentvigil.analysis.failure_modes.looking import HOURS_PER_DAY, LOOKS, Look, Period
from agentvigil.analysis.failure_modes.next_steps import next_steps_of
from agentvigil.analysis.features.cells import Cells, time_of
from agentvigil.analysis.findings.model import Kind, Observation, Severity, SubjectType
from agentvigil.analysis.findings.severity import severity_of

EXAMPLE_HOURS: Final = 5


def observe(
    look: Look,
    mode: str,
    feature: str,
    explanation: str,
    *,
    unit: str,
    before: float | None,
    after: float,
    statistic: float | None = None,
    threshold: float | None = None,
    low: float | None = None,
    high: float | None = None,
    stream: str = "",
    direction: str = "up",
    began: tuple[datetime, datetime, datetime] | None = None,
    runs: float = 0.0,
    usd_per_day: float | None = None,
    failed_runs_per_day: float | None = None,
    things_per_day: float | None = None,
    severity: Severity | None = None,
    details: Mapping[str, Any],
    compared_with: Period | None = None,
    looks: int = LOOKS,
    subject: tuple[SubjectType, str] | None = None,
) -> Observation:
    """Return the observation that ``mode`` holds in a look.

    ``began`` is when it most likely began, and the interval of that. Without ``subject`` it is about the agent.
    ``compared_with`` is what the values of before are from, where that is not the look's baseline. One of ``looks`` is
    wrong at most. ``things_per_day`` is how many more things that are no runs go wrong, for the severity, which follows
    from all of that unless it is given.
    """
    subject_type, name = subject or (SubjectType.AGENT, look.subject.agent)
    effect = (after - before) / before if before else None
    baseline = compared_with or look.baseline
    has_baseline = baseline.days > 0
    return Observation(
        project=look.subject.project,
        kind=Kind.FAILURE_MODE,
        detector=mode,
        subject_type=subject_type,
        subject=name,
        feature=feature,
        seen_at=look.window.end_time,
        window_start=look.window.start_time,
        window_end=look.window.end_time,
        severity=severity
        or severity_of(effect, before, after, unit, usd_per_day, failed_runs_per_day or things_per_day),
        explanation=explanation,
        environment=look.subject.environment,
        agent=look.subject.agent,
        stream=stream,
        direction=direction,
        changed_at=began[0] if began else None,
        changed_from=began[1] if began else None,
        changed_to=began[2] if began else None,
        baseline_start=baseline.start_time if has_baseline else None,
        baseline_end=baseline.end_time if has_baseline else None,
        baseline_value=before,
        window_value=after,
        window_low=low,
        window_high=high,
        unit=unit,
        statistic=statistic,
        threshold=threshold,
        evidence_level=float(looks * HOURS_PER_DAY),
        effect_size=effect,
        runs=round(runs),
        usd_per_day=usd_per_day,
        failed_runs_per_day=failed_runs_per_day,
        details={
            **details,
            "level": f"one false alarm in {looks:,} daily looks at most",
            "next_actions": next_steps_of(mode, look.subject.agent, name if subject else ""),
        },
    )


def began(days: ChangeDays, period: Period) -> tuple[datetime, datetime, datetime]:
    """Return the start of the day since which something changed, and of the first and last that it may be."""
    first, last = period.start_of(days.first), period.start_of(days.last)
    return time_of(period.start_of(days.most_likely)), time_of(first), time_of(last)


def series(tables: Sequence[tuple[Period, DayTable]]) -> list[dict[str, float | str]]:
    """Return the mean of each day with any runs, for a plot."""
    points: list[dict[str, float | str]] = []
    for period, table in tables:
        for day, (n, s) in enumerate(zip(table.n.sum(axis=1), table.s.sum(axis=1), strict=True)):
            if n > 0:
                points.append(
                    {"at": time_of(period.start_of(day)).isoformat(), "value": round(float(s / n), 6), "n": float(n)}
                )
    return points


def fullest_hours(cells: Cells, count: NDArray[np.float64]) -> list[int]:
    """Return the hours, since 1970, that hold most of what ``count`` says of each row."""
    hours, at = np.unique(cells.hour, return_inverse=True)
    if not len(hours):
        return []
    of_hour = np.bincount(at, count, len(hours))
    best = np.argsort(-of_hour, kind="stable")[:EXAMPLE_HOURS]
    return [int(hours[place]) for place in best if of_hour[place] > 0]


def bad_hours(cells: Cells, feature: str, key: str, period: Period) -> list[int]:
    """Return the hours of ``period`` in which most things with ``key`` happened."""
    rows = cells.between(*period).of(feature)
    rows = rows.where(rows.key == (rows.words.index(key) if key in rows.words else -1))
    return fullest_hours(rows, rows.s if feature in ("context", "cascade") else rows.n)


def per_day(amount: float, days: int) -> float:
    """Return what comes to a day."""
    return amount / max(days, 1)
