"""Sequential tax: tools that a model asked for at once run one after another, and everybody waits.

**Theory.** Calls that come from one turn of a model do not need each other's results; run at the same time, they take
as long as the longest. What is lost is the sum of their durations less the longest, here as a share of the whole run.
It is known for runs that had such a turn.

**Reported** (standing) when the mean share of the last 3, 7, 14, 21 or 28 days is 20 % or more, by its lower bound, and
so is the median of the days: one day with a hanging service is no habit. Or (drift) when the mean is 5 points and 1.5
times above the baseline, standardised to input classes, and the lower bound of the rise is beyond one point. Days are
clusters (:mod:`.standardized_changes`). One false alarm in 1,500 daily looks at most (:mod:`.looking`), half of it for
each form.

**Limits.** The standing form needs no baseline and is said as long as it is so; acknowledge it if it is meant to be so.
Tools that must not run at once (they write to the same thing) look the same in a trace.
"""

from typing import Final

import numpy as np

from agentvigil.analysis.explaining.wording import duration
from agentvigil.analysis.failure_modes import day_tables
from agentvigil.analysis.failure_modes.day_tables import DayTable
from agentvigil.analysis.failure_modes.looking import LOOKS, Look, Period, chance_of
from agentvigil.analysis.failure_modes.observing import fullest_hours, observe, per_day, series
from agentvigil.analysis.failure_modes.rises import Rise, mean_rise
from agentvigil.analysis.failure_modes.standardized_changes import Level, level
from agentvigil.analysis.failure_modes.wording import percent, percent_range
from agentvigil.analysis.features.cells import Cells
from agentvigil.analysis.features.names import Unit
from agentvigil.analysis.findings.model import Observation, Severity

NAME: Final = "sequential_tax"
FEATURE: Final = "sequential_share"
LEAST_SHARE: Final = 0.2
MAJOR_SHARE: Final = 0.3
LEAST_RISE: Final = 0.05
LEAST_RATIO: Final = 1.5
_MARGIN: Final = 0.01
_FORMS: Final = 2
_LEAST_RUNS: Final = 30


def find(baseline: Cells, window: Cells, look: Look) -> list[Observation]:
    """Return the observation that runs lose a fifth of their time to tools in a row, or much more than before."""
    after = day_tables.values(window, FEATURE, look.window)
    before = day_tables.values(baseline, FEATURE, look.baseline)
    rise = _rise(before, after, look)
    if rise is not None:
        change = rise.change
        return [
            _observation(
                window,
                look,
                (before, after),
                rise.period,
                f"expected by the baseline: {percent(change.before)}",
                change.before,
                (change.after, change.after_low, change.after_high),
                (rise.errors, change.critical),
                rise,
                rise.runs_since,
            )
        ]
    standing = _standing(after, look)
    if standing is None:
        return []
    now, period = standing
    usual = float(before.s.sum()) / before.total if before.total >= _LEAST_RUNS and before.is_baseline() else None
    return [
        _observation(
            window,
            look,
            (before, after),
            period,
            f"before: {percent(usual)}" if usual is not None else "there is no baseline yet",
            usual,
            (now.value, now.low, now.high),
            ((now.value - LEAST_SHARE) / now.error, now.critical),
            None,
            now.n,
        )
    ]


def _rise(before: DayTable, after: DayTable, look: Look) -> Rise | None:
    if min(before.total, after.total) < _LEAST_RUNS:
        return None
    return mean_rise(
        before,
        after,
        look,
        chance=1 / (LOOKS * _FORMS),
        margin=_MARGIN,
        least_rise=LEAST_RISE,
        least_ratio=LEAST_RATIO,
    )


def _standing(after: DayTable, look: Look) -> tuple[Level, Period] | None:
    """Return the end of the window that surely loses a fifth of its time, the clearest of them."""
    spans = look.spans_days()
    found = []
    for days in spans:
        now = level(after, days, chance_of(days, spans, 1 / (LOOKS * _FORMS)))
        if now is not None and now.n >= _LEAST_RUNS and now.low >= LEAST_SHARE and _median(after, days) >= LEAST_SHARE:
            found.append((now, look.window.last(days)))
    return max(found, key=lambda one: one[0].low, default=None)


def _median(table: DayTable, days: int) -> float:
    last = table.last(days)
    n, s = last.n.sum(axis=1), last.s.sum(axis=1)
    return float(np.median(s[n > 0] / n[n > 0]))


def _observation(
    window: Cells,
    look: Look,
    tables: tuple[DayTable, DayTable],
    period: Period,
    usually: str,
    usual: float | None,
    now: tuple[float, float, float],
    evidence: tuple[float, float],
    rise: Rise | None,
    runs: float,
) -> Observation:
    share, low, high = now
    lasting = window.between(*period).of("duration")
    mean_s = float(lasting.s.sum() / lasting.n.sum()) if len(lasting) else None
    lost_s = share * mean_s if mean_s is not None else None
    interval = percent_range(max(low, 0.0), min(high, 1.0))
    of_run = f", about {duration(round(lost_s * 1e9))} of each run" if lost_s is not None else ""
    return observe(
        look,
        NAME,
        FEATURE,
        f"Sequential tax: {percent(share)} of the time of runs ({interval}) goes to tools "
        f"that a model asked for at once and that run one after another{of_run}; {usually}.",
        unit=Unit.SHARE,
        before=usual,
        after=share,
        low=low,
        high=high,
        statistic=evidence[0],
        threshold=evidence[1],
        severity=_standing_severity(share) if usual is None else None,
        began=rise.began if rise else None,
        compared_with=rise.before if rise else None,
        runs=runs,
        details={
            "where": {FEATURE: "highest"},
            "example_hours": _hours(window, period),
            "lost_s_per_run": lost_s,
            "more_per_day": {"seconds_lost": per_day(lost_s * float(lasting.n.sum()), period.days)} if lost_s else {},
            "series": series([(look.baseline, tables[0]), (look.window, tables[1])]),
        },
    )


def _standing_severity(share: float) -> Severity:
    """Return how much it matters where nobody knows what it was before."""
    return Severity.MAJOR if share >= MAJOR_SHARE else Severity.MINOR


def _hours(window: Cells, period: Period) -> list[int]:
    rows = window.between(*period).of(FEATURE)
    return fullest_hours(rows, rows.s)
