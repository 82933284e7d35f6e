"""Context rot: what is asked of a model with a full context goes wrong more often than with an empty one.

**Theory.** Models read long inputs worse than short ones, long before a window is full (Liu et al. 2024, "Lost in the
middle", TACL 12, 157-173). A call of a model counts as wrong if the step that follows it fails or repeats what was
done before. Calls with more than half of the window full are compared with those below a quarter: the odds ratio,
within one input class, model and day each (:mod:`.odds_ratios`), so that neither a bad day, nor another model, nor a
hard task makes it.

Long runs are often the hard ones, so the ratio is above 1 for many agents that nothing is wrong with. What counts is
that it grows: **reported** when it is 1.5 times the baseline's or more, the baseline's taken as 1 where it is below,
and its lower bound is beyond 1.1 times the baseline's. The last 3, 7, 14 and 28 days are looked at. One false alarm in
3,000 daily looks at most (:mod:`.looking`).

**Limits.** An agent that always suffers from it is not told: nothing changed. Without 14 days of baseline nothing is
said.
"""

import math
from typing import Final

from agentvigil.analysis.failure_modes import day_tables
from agentvigil.analysis.failure_modes.change_days import ChangeDays, most_likely_day
from agentvigil.analysis.failure_modes.critical_values import LEAST_DEGREES, student_t
from agentvigil.analysis.failure_modes.day_tables import DayTable
from agentvigil.analysis.failure_modes.looking import LOOKS, Look
from agentvigil.analysis.failure_modes.observing import bad_hours, began, observe, per_day, series
from agentvigil.analysis.failure_modes.odds_ratios import OddsRatio, mantel_haenszel, pooled_dispersion, signed_root
from agentvigil.analysis.failure_modes.wording import ratio
from agentvigil.analysis.features.cells import Cells
from agentvigil.analysis.findings.model import Observation

NAME: Final = "context_rot"
LEAST_RATIO: Final = 1.5
_MARGIN: Final = math.log(1.1)
_LEAST_BAD_CALLS: Final = 10


def find(baseline: Cells, window: Cells, look: Look) -> list[Observation]:
    """Return the observation that full contexts go wrong more often than they used to, if they do."""
    old_high, old_low = (day_tables.tallies(baseline, "context", key, look.baseline) for key in ("high", "low"))
    high, low = (day_tables.tallies(window, "context", key, look.window) for key in ("high", "low"))
    usual = mantel_haenszel(old_high, old_low) if old_high.total and old_high.is_baseline() else None
    if usual is None:
        return []
    spans = look.spans_days()
    best: tuple[float, float, float, OddsRatio, int] | None = None
    for days in spans:
        now = mantel_haenszel(high.last(days), low.last(days))
        degrees = usual.days + (now.days if now else 0) - 2
        if now is None or degrees < LEAST_DEGREES or high.last(days).s.sum() < _LEAST_BAD_CALLS:
            continue
        critical = student_t(1 / (LOOKS * len(spans)), degrees)
        dispersion = pooled_dispersion(usual, now)
        difference = now.log - max(usual.log, 0.0)
        error = math.hypot(now.error(dispersion), usual.error(dispersion))
        errors = signed_root(difference - _MARGIN, error)
        if difference >= math.log(LEAST_RATIO) and errors >= critical and (best is None or errors > best[0]):
            best = errors, critical, dispersion, now, days
    return [_observation(window, look, usual, (old_high, high, low), best)] if best else []


def _observation(
    window: Cells,
    look: Look,
    usual: OddsRatio,
    tables: tuple[DayTable, DayTable, DayTable],
    best: tuple[float, float, float, OddsRatio, int],
) -> Observation:
    errors, critical, dispersion, now, days = best
    old_high, high, low = tables
    period = look.window.last(days)
    least, most = now.interval(critical, dispersion)
    bad, calls = float(high.last(days).s.sum()), float(high.last(days).n.sum())
    # So many would go wrong if full contexts had the usual odds beside those of empty ones.
    odds = bad / max(calls - bad, 0.5) * max(usual.value, 1.0) / now.value
    more = bad - calls * odds / (1 + odds)
    low_last = low.last(days)
    return observe(
        look,
        NAME,
        "context",
        f"Context rot: calls with more than half of the context window full go wrong {ratio(now.value)} times as "
        f"often ({ratio(least)} to {ratio(most)}, by their odds) as those below a quarter; usually "
        f"{ratio(usual.value)} times.",
        unit="1",
        before=usual.value,
        after=now.value,
        low=least,
        high=most,
        statistic=errors,
        threshold=critical,
        stream="high",
        began=began(_since(high, low, max(usual.value, 1.0)), look.window),
        things_per_day=per_day(more, days),
        details={
            "where": {"context": "high", "wrong": True},
            "example_hours": bad_hours(window, "context", "high", period),
            "calls": {"high": calls, "high_wrong": bad, "low": low_last.total, "low_wrong": float(low_last.s.sum())},
            "more_per_day": {"calls_wrong": per_day(more, days)},
            "series": series([(look.baseline, old_high), (look.window, high)]),
        },
    )


def _since(high: DayTable, low: DayTable, usual: float) -> ChangeDays:
    now = mantel_haenszel(high, low)
    assert now is not None, "the end of the window has something to compare"
    r, s = now.by_day
    weight = r + usual * s
    spread = now.variance * max(1.0, now.dispersion) * float(r.sum() + 0.125) * float(s.sum() + 0.125) * usual
    return most_likely_day(r - usual * s, weight * spread / max(float(weight.sum()), 1e-12), weight)
