"""Cost creep: each run costs a little more than the one before, and no day stands out.

**Theory.** A detector whose baseline follows the present takes in what rises slowly. So three other things are looked
at, all of them standardised to the input classes of the baseline.

1. **Bend.** The mean of the logarithm of what a run costs, level up to a day and straight from then on, over the days
   of baseline and window together (:mod:`.bends`). The logarithm, since costs of runs differ by factors and not by
   cents: its mean is known twice as well as the logarithm of the mean. Bends 7, 14, 21 and 28 days ago are looked at.
2. **Trend.** The Theil-Sen slope of the logarithm of the mean over the window (:mod:`.theil_sen`), which no single day
   bends. It sees what makes few runs much dearer. Single runs count up to twice the 99th percentile of the baseline.
3. **Level**, where the baseline is pinned, so that it does not follow: the logarithm of the mean of the last seven days
   against the days of the baseline, with Student's interval; days that follow each other are as alike as they were
   in it.

**Reported** when the lower bound of one of these rises is 10 % or more. One false alarm in 1,500 daily looks at most,
half of it for the bend and a quarter for each of the others (:mod:`.looking`).

What carries the rise is told by exact shares (:mod:`.shift_shares`) over calls, retries, mix of models, input tokens,
rate of the cache, output tokens and price; from the baseline, or the first week, to the last week.

**Limits.** A step up is a rise as well: ``details["shape"]`` says which of the two fits better. The shares are of the
cost of a run as it is, so a shift of the input mix shows in calls and tokens. Agents whose runs have no cost are not
seen.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.explaining.wording import listed
from agentvigil.analysis.failure_modes import day_tables
from agentvigil.analysis.failure_modes.bends import bend
from agentvigil.analysis.failure_modes.critical_values import student_t
from agentvigil.analysis.failure_modes.day_tables import DayTable, comparable
from agentvigil.analysis.failure_modes.looking import LOOKS, Look, Period, chance_of
from agentvigil.analysis.failure_modes.observing import fullest_hours, observe
from agentvigil.analysis.failure_modes.shift_shares import Part, shift_shares, token_prices, usage_of
from agentvigil.analysis.failure_modes.theil_sen import LEAST_DAYS, autocorrelation_of, theil_sen
from agentvigil.analysis.failure_modes.wording import percent, usd
from agentvigil.analysis.features.cells import Cells, time_of
from agentvigil.analysis.features.names import ZERO_BIN, Unit
from agentvigil.analysis.findings.model import Observation

Vector = NDArray[np.float64]

NAME: Final = "cost_creep"
LEAST_RISE: Final = math.log(1.1)
_WEEK: Final = 7
_CHEAP: Final = 0.01
_BEND_CHANCE: Final = 1 / (2 * LOOKS)
_OTHER_CHANCE: Final = 1 / (4 * LOOKS)
_LEAST_SHARE_TOLD: Final = 0.1
_WITHIN: Final = 3.84

_WORDS: Final = {
    "calls": "more calls",
    "retries": "retries",
    "model_mix": "other models",
    "input_tokens": "input tokens",
    "cache_rate": "less from the cache",
    "output_tokens": "output tokens",
    "price": "prices",
}


@dataclass(frozen=True, slots=True)
class Creep:
    """A rise of the logarithm of what a run costs."""

    rise: float
    low: float
    high: float
    critical_low: float
    """What ``low`` had to reach."""
    over: str
    """As it stands in a sentence."""


@dataclass(frozen=True, slots=True)
class DailyCost:
    """Days of the window with runs, and how much dearer their runs were than expected, by the logarithm."""

    day: Vector
    dearer: Vector


def find(baseline: Cells, window: Cells, look: Look) -> list[Observation]:
    """Return the observation that runs become dearer, if they do."""
    usual = day_tables.quantile(baseline if len(baseline.of("cost")) else window, "cost", 0.99)
    if not usual:
        return []
    now = day_tables.values(window, "cost", look.window, 2 * usual)
    before = day_tables.values(baseline, "cost", look.baseline, 2 * usual)
    has_baseline = before.total > 0 and before.is_baseline()
    daily = daily_cost(before if has_baseline else now, now)
    if daily is None:
        return []
    usual_days = daily_cost(before, before) if has_baseline else None
    rises = [
        bent(baseline, window, look, usual) if has_baseline else None,
        level(usual_days, daily, look) if usual_days and look.is_pinned else None,
        trend(daily, usual_days, look),
    ]
    creep = next((rise for rise in rises if rise), None)
    return [_observation(baseline, window, look, daily, creep, has_baseline)] if creep else []


def daily_cost(expecting: DayTable, table: DayTable) -> DailyCost | None:
    """Return the cost of each day by what ``expecting`` lets expect of the day's input classes."""
    known, compared = comparable(expecting, table)
    mean = known.s.sum(axis=0) / known.n.sum(axis=0)
    expected, cost = compared.n @ mean, compared.s.sum(axis=1)
    days = np.flatnonzero((expected > 0) & (cost > 0))
    return DailyCost(days.astype(np.float64), np.log(cost[days] / expected[days])) if len(days) else None


def bent(baseline: Cells, window: Cells, look: Look, usual: float) -> Creep | None:
    """Return the rise since the bend that shows it best, if it is large enough for sure."""
    costs = baseline.of("cost")
    cheapest = day_tables.quantile(costs.where(costs.bin != ZERO_BIN), "cost", _CHEAP)
    if not cheapest:
        return None
    limits = cheapest / 2, 2 * usual
    before = day_tables.logarithms(baseline, "cost", look.baseline, *limits)
    now = day_tables.logarithms(window, "cost", look.window, *limits)
    spans = [days for days in look.spans_days() if days >= _WEEK]
    found = [(days, bend(before, now, days, chance_of(days, spans, _BEND_CHANCE))) for days in spans]
    sure = [(days, one) for days, one in found if one and one.low >= LEAST_RISE]
    if not sure:
        return None
    days, best = max(sure, key=lambda one: one[1].rise / one[1].error)
    return Creep(best.rise, best.low, best.high, LEAST_RISE, f"over {days} days")


def trend(daily: DailyCost, usual: DailyCost | None, look: Look) -> Creep | None:
    """Return the rise over the window by its slope, if it is large enough for sure."""
    slope = theil_sen(daily.day, daily.dearer, _OTHER_CHANCE, _likeness(daily, usual))
    days = look.window.days - 1
    if slope is None or slope.low * days < LEAST_RISE:
        return None
    return Creep(slope.value * days, slope.low * days, slope.high * days, LEAST_RISE, f"over {look.window.days} days")


def _likeness(daily: DailyCost, usual: DailyCost | None) -> float:
    """Return how much days are like the days before them, in the baseline and around the best bent line of the window.

    Two weeks alone tell it to a quarter, either way.
    """
    days = [len(daily.day)]
    found = [autocorrelation_of(daily.day, _around_the_bend(daily))]
    if usual is not None:
        days.append(len(usual.day))
        found.append(autocorrelation_of(usual.day, usual.dearer))
    return float(np.average(found, weights=days))


def _around_the_bend(daily: DailyCost) -> Vector:
    """Return what the best line that is level up to some day, and straight from then on, leaves of the days."""
    if len(daily.day) < LEAST_DAYS:
        return daily.dearer
    hinges = np.maximum(daily.day[None, :] - daily.day[:-2, None], 0.0)
    best = hinges[int(np.argmin(_unexplained(hinges, daily.dearer)))]
    best = best - best.mean()
    around: Vector = daily.dearer - best * max(float(best @ daily.dearer) / float(best @ best), 0.0)
    return around


def level(usual: DailyCost, daily: DailyCost, look: Look) -> Creep | None:
    """Return the rise from the days of the baseline to the last week, if it is large enough for sure."""
    if look.window.days < _WEEK:
        return None
    recent = daily.dearer[daily.day >= look.window.days - _WEEK]
    if len(recent) < _WEEK - 2:
        return None
    old = usual.dearer
    degrees = len(old) + len(recent) - 2
    variance = (float(((old - old.mean()) ** 2).sum()) + float(((recent - recent.mean()) ** 2).sum())) / degrees
    r = autocorrelation_of(usual.day, old)
    error = math.sqrt(variance * (1 / len(old) + 1 / len(recent)) * (1 + r) / (1 - r))
    rise = float(recent.mean() - old.mean())
    width = student_t(_OTHER_CHANCE, degrees) * error
    if rise - width < LEAST_RISE:
        return None
    return Creep(rise, rise - width, rise + width, LEAST_RISE, "since the baseline")


def _observation(
    baseline: Cells, window: Cells, look: Look, daily: DailyCost, creep: Creep, has_baseline: bool
) -> Observation:
    last = look.window.last(_WEEK)
    costs = window.between(*last).of("cost")
    runs = float(costs.n.sum())
    after = float(costs.s.sum()) / runs
    before = after / math.exp(creep.rise)
    days = max(1, min(_WEEK, look.window.days))
    more_a_day = (after - before) * runs / days
    is_by_baseline = has_baseline and creep.over == "since the baseline"
    first = baseline if is_by_baseline else window.between(look.window.first_hour, look.window.start_of(_WEEK))
    parts = shift_shares(usage_of(first), usage_of(window.between(*last)), token_prices(first))
    start, shape = _shape(daily)
    return observe(
        look,
        NAME,
        "cost",
        f"Cost creep: a run costs {usd(after)}, {percent(math.expm1(creep.rise))} more {creep.over} "
        f"({percent(math.expm1(creep.low))} to {percent(math.expm1(creep.high))}), "
        f"about {usd(more_a_day)} a day{_carried_by(parts)}.",
        unit=Unit.USD,
        before=before,
        after=after,
        low=before * math.exp(creep.low),
        high=before * math.exp(creep.high),
        statistic=math.expm1(creep.low),
        threshold=math.expm1(creep.critical_low),
        began=_began(start, look.window),
        runs=float(window.between(look.window.start_of(start[0]), look.window.end_hour).of("cost").n.sum()),
        usd_per_day=more_a_day,
        details={
            "where": {"cost": "highest"},
            "example_hours": _hours(costs),
            "shape": shape,
            "parts": [{"factor": part.factor, "usd_per_run": part.usd_per_run, "share": part.share} for part in parts],
            "series": [
                {
                    "at": time_of(look.window.start_of(int(day))).isoformat(),
                    "value": round(math.exp(value) * after / math.exp(float(daily.dearer[-_WEEK:].mean())), 8),
                }
                for day, value in zip(daily.day, daily.dearer, strict=True)
            ],
        },
    )


def _carried_by(parts: list[Part]) -> str:
    told = [part for part in parts if part.share >= _LEAST_SHARE_TOLD][:3]
    if not told:
        return ""
    return ", of which " + listed([f"{percent(part.share)} by {_WORDS[part.factor]}" for part in told])


def _shape(daily: DailyCost) -> tuple[tuple[int, int, int], str]:
    """Return the day since which it rises, with the first and last it may be, and whether it crept or stepped."""
    hinges = np.maximum(daily.day[None, :] - daily.day[:-2, None], 0.0)
    steps = (daily.day[None, :] >= daily.day[1:-1, None]).astype(np.float64)
    lost_by_hinge, lost_by_step = _unexplained(hinges, daily.dearer), _unexplained(steps, daily.dearer)
    is_creep = lost_by_hinge.min() <= lost_by_step.min()
    lost, starts = (lost_by_hinge, daily.day[:-2]) if is_creep else (lost_by_step, daily.day[1:-1])
    near = np.flatnonzero(lost <= lost.min() * (1 + _WITHIN / max(len(daily.day) - 3, 1)))
    best = int(starts[int(np.argmin(lost))])
    return (best, int(starts[near[0]]), int(starts[near[-1]])), "creep" if is_creep else "step"


def _unexplained(courses: Vector, value: Vector) -> Vector:
    """Return what is left of the squares of ``value`` after a fit to each of several courses: (courses, days)."""
    centred = courses - courses.mean(axis=1, keepdims=True)
    y = value - value.mean()
    along = centred @ y
    fitted: Vector = np.maximum(along, 0.0) ** 2 / np.maximum((centred**2).sum(axis=1), 1e-12)
    left: Vector = float(y @ y) - fitted
    return left


def _began(days: tuple[int, int, int], period: Period) -> tuple[datetime, datetime, datetime]:
    likely, first, last = (time_of(period.start_of(day)) for day in days)
    return likely, first, last


def _hours(costs: Cells) -> list[int]:
    return fullest_hours(costs, costs.s)
