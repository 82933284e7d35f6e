"""Context rot: what is asked of a model with a full context goes wrong more often than with an empty one.

**Theory.** Models read long inputs worse than short ones, long before a window is full (Liu et al. 2024, "Lost in the
middle", TACL 12, 157-173). A call of a model counts as wrong if the step that follows it fails or repeats what was
done before. Calls with more than half of the window full are compared with those below a quarter: the odds ratio,
within one input class, model and day each (:mod:`.odds_ratios`), so that neither a bad day, nor another model, nor a
hard task makes it.

Long runs are often the hard ones, so the ratio is above 1 for many agents that nothing is wrong with. What counts is
that it grows. **Reported** when both of this is so of the last 3, 7, 14, 21 or 28 days, against what was before:

1. Calls with a full context go wrong more often, for sure: the lower bound of the rise of their log-odds, standardised
   to classes and models with days as clusters, is beyond 0.02 (:mod:`.standardized_changes`), with a chance of 1 in 500
   for an error in a look.
2. It is the full context that does it, and not a bad week: the odds ratio is 1.5 times what it was or more, what it was
   taken as 1 where it is below, and its lower bound is beyond 1.1 times either, with a chance of 1 in 300.

Where nothing happens, both are so at once less often than either: in a simulation of agents of 25 to 150 runs a day,
once in 300 months, which is less than the one false alarm in 1,500 daily looks that a mode may have
(:mod:`.looking`). A ratio of ratios that has to be that sure by itself needs agents half as large again.

**Limits.** An agent that always suffers from it is not told: nothing changed. Without 14 days of baseline nothing is
said.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.failure_modes import day_tables
from agentvigil.analysis.failure_modes.change_days import ChangeDays, most_likely_day
from agentvigil.analysis.failure_modes.critical_values import student_t
from agentvigil.analysis.failure_modes.day_tables import DayTable
from agentvigil.analysis.failure_modes.looking import Look
from agentvigil.analysis.failure_modes.observing import bad_hours, began, observe, per_day, series
from agentvigil.analysis.failure_modes.odds_ratios import OddsRatio, mantel_haenszel, signed_root
from agentvigil.analysis.failure_modes.rises import Rise, days_before, share_rises
from agentvigil.analysis.failure_modes.wording import ratio
from agentvigil.analysis.features.cells import Cells
from agentvigil.analysis.findings.model import Observation

Vector = NDArray[np.float64]

NAME: Final = "context_rot"
LEAST_RATIO: Final = 1.5
_MARGIN: Final = math.log(1.1)
_CHANCE_OF_NOTHING: Final = 1 / 500
_CHANCE_OF_A_BAD_WEEK: Final = 1 / 300


@dataclass(frozen=True, slots=True)
class Rot:
    """A rise of what goes wrong with full contexts, and how it stands to empty ones."""

    rise: Rise
    usual: OddsRatio
    now: OddsRatio
    critical: float
    dispersion: float


def find(baseline: Cells, window: Cells, look: Look) -> list[Observation]:
    """Return the observation that full contexts go wrong more often than they used to, if they do."""
    old_high, old_low = (day_tables.tallies(baseline, "context", key, look.baseline) for key in ("high", "low"))
    high, low = (day_tables.tallies(window, "context", key, look.window) for key in ("high", "low"))
    if not old_high.total:
        return []
    rises = share_rises(
        old_high, high, look, spans_days=look.spans_days(), chance=_CHANCE_OF_NOTHING, least_odds_ratio=LEAST_RATIO
    )
    for rise in rises:
        days = rise.period.days
        usual = mantel_haenszel(days_before(old_high, high, days, look), days_before(old_low, low, days, look))
        now = mantel_haenszel(high.last(days), low.last(days))
        calls = high.last(days).n.sum(axis=1)
        rot = _if_it_is_the_context(rise, calls[calls > 0], usual, now)
        if rot:
            return [_observation(window, look, (old_high, high, low), rot)]
    return []


def _if_it_is_the_context(rise: Rise, calls: Vector, usual: OddsRatio | None, now: OddsRatio | None) -> Rot | None:
    """Return the rot if full contexts stand worse to empty ones than they did, and than 1."""
    if usual is None or now is None:
        return None
    spread = rise.change.dispersion
    # What days do to both sides cancels, so this is at least what the ratio is uncertain by.
    dispersion = float(np.average(spread.of(calls), weights=calls))
    error, error_before = now.error(dispersion), usual.error(dispersion)
    errors = min(signed_root(now.log - usual.log - _MARGIN, error, error_before), signed_root(now.log - _MARGIN, error))
    critical = student_t(_CHANCE_OF_A_BAD_WEEK, spread.degrees)
    is_large = now.log - max(usual.log, 0.0) >= math.log(LEAST_RATIO)
    return Rot(rise, usual, now, critical, dispersion) if is_large and errors >= critical else None


def _observation(window: Cells, look: Look, tables: tuple[DayTable, DayTable, DayTable], rot: Rot) -> Observation:
    old_high, high, low = tables
    usual, now, period = rot.usual, rot.now, rot.rise.period
    days = period.days
    least, most = now.interval(rot.critical, rot.dispersion)
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
        statistic=rot.rise.errors,
        threshold=rot.rise.change.critical,
        stream="high",
        began=began(_since(high, low, max(usual.value, 1.0)), look.window),
        compared_with=rot.rise.before,
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
