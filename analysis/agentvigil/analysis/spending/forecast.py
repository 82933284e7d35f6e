"""What a month, or a day, will have cost when it is over, and how sure that is.

1. Costs of whole days (24 hours each, back from the last hour that is over) have a season of the week, a level that
   wanders, and chance: in logarithms, y = weekday + level + noise, where the level is a random walk (the local level
   model: Harvey, Forecasting, structural time series models and the Kalman filter, 1989, ch. 2).
2. Weekdays, from 14 days on, are means of what lies off the week around each day, drawn to 0 as far as chance alone
   would make them differ. The two variances are moments of the differences from day to day.
3. A thousand paths of the days that are left are drawn, with what is not known of level, weekday and variances; what
   was spent already is added. The interval is where 80 % of the paths end. Draws are the same each time.

It goes on as it went: no growth that goes on is assumed, and nobody's plans are known. Below a day of history there is
no forecast. Nothing is read here; hours are counted from 1970 in UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

HOURS_PER_DAY: Final = 24
MOST_DAYS: Final = 56
"""What lies further back says little of what comes."""

LEVEL: Final = 0.8
_PATHS: Final = 1000
_SEED: Final = 20261129
_WEEK: Final = 7
_FEWEST_FOR_WEEKDAYS: Final = 14
_USUAL_NOISE: Final = 0.25**2
_USUAL_WALK: Final = 0.06**2
"""Variances of logarithms."""

_WEIGHT_DAYS: Final = 6.0
"""What is usual counts as much as so many days."""

_UNKNOWN_WEEKDAYS: Final = 0.5**2
"""Variance of a day's logarithm where its weekday is not known."""

_FLOOR: Final = 0.01
"""Of the median day: as little a day costs at least in logarithms, since 0 has none."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """In US dollars, what was spent before included."""

    spent: float
    """From the beginning of the time to now."""
    expected: float
    """Where the path in the middle ends: the mean would follow the few that run away."""
    low: float
    high: float
    level: float
    """So probable it is that the end lies between ``low`` and ``high``."""
    days: int
    """Whole days that it is made of."""
    paths: Floats
    """Where each path ends, in order."""

    def probability_above(self, usd: float) -> float:
        """Return how probable it is that more than ``usd`` will have been spent."""
        return 1.0 - float(np.searchsorted(self.paths, usd, side="right")) / len(self.paths)


def forecast(costs: ArrayLike, first_hour: int, start_hour: int, end_hour: int) -> Forecast | None:
    """Return what the time from ``start_hour`` to ``end_hour`` will cost, None if there is too little to tell.

    ``costs`` are in US dollars, one for each hour from ``first_hour`` to now; 0 where nothing was spent.
    """
    hourly = np.maximum(np.asarray(costs, np.float64), 0.0)
    now = first_hour + len(hourly)
    spent = float(hourly[max(0, start_hour - first_hour) :].sum())
    if end_hour <= now:
        return Forecast(spent, spent, spent, spent, LEVEL, 0, np.array([spent]))
    began = int(np.argmax(hourly > 0)) if hourly.any() else len(hourly)
    days = min(MOST_DAYS, (len(hourly) - began) // HOURS_PER_DAY)
    if days < 1:
        return None
    by_hour = hourly[len(hourly) - days * HOURS_PER_DAY :].reshape(days, HOURS_PER_DAY)
    profile = _profile(by_hour)
    daily = by_hour.sum(axis=1)
    # Day k back from now is one weekday in seven, whatever its name.
    model = _Model.of(daily)
    hours_left = end_hour - now
    whole, rest = divmod(hours_left, HOURS_PER_DAY)
    drawn = model.draw(whole + (rest > 0))
    # Of the last day only its first hours belong to the time.
    shares = np.ones(drawn.shape[1])
    if rest:
        shares[-1] = float(profile[:rest].sum())
    paths = np.sort(spent + drawn @ shares)
    low, middle, high = (float(end) for end in np.quantile(paths, ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)))
    return Forecast(spent, middle, low, high, LEVEL, days, paths)


def _profile(by_hour: Floats) -> Floats:
    """Return which share of a day's cost each of its hours has, drawn to equal shares where days are few."""
    shares = by_hour.sum(axis=0) + 1e-12
    own = shares / shares.sum()
    weight = len(by_hour) / (len(by_hour) + 1)
    profile: Floats = weight * own + (1 - weight) / HOURS_PER_DAY
    return profile


@dataclass(frozen=True, slots=True)
class _Model:
    level: float
    level_variance: float
    noise: float
    walk: float
    weekdays: Floats
    """Of the next seven days."""
    weekday_variance: float
    days: int
    floor: float

    @classmethod
    def of(cls, daily: Floats) -> "_Model":
        positive = daily[daily > 0]
        floor = _FLOOR * float(np.median(positive)) if len(positive) else 1e-9
        logs = np.log(np.maximum(daily, floor))
        days = len(logs)
        if days < _FEWEST_FOR_WEEKDAYS:
            # A week's season would be taken for a walk: so the mean of a week, or less, goes on as is usual.
            lately = daily[-_WEEK:]
            level = float(np.log(max(float(lately.mean()), floor))) - _USUAL_NOISE / 2
            return cls(
                level, _UNKNOWN_WEEKDAYS / len(lately), _USUAL_NOISE, _USUAL_WALK, np.zeros(_WEEK), 0.0, days, floor
            )
        # Place 0 of ``of_day`` is the weekday of the first day that comes.
        of_day = (np.arange(days) - days) % _WEEK
        weekdays, weekday_variance = _weekdays(logs, of_day)
        flat = logs - weekdays[of_day]
        noise, walk = _variances(flat)
        level, level_variance = _filtered(flat, noise, walk)
        return cls(level, level_variance, noise, walk, weekdays, weekday_variance, days, floor)

    def draw(self, count: int) -> Floats:
        """Return paths (rows) of the costs of the next ``count`` days (columns)."""
        chance = np.random.default_rng(_SEED)
        # Variances are known as well as so many days tell: one factor for each path.
        degrees = self.days + _WEIGHT_DAYS
        factor = np.sqrt(degrees / chance.chisquare(degrees, (_PATHS, 1)))
        steps = chance.normal(0.0, 1.0, (_PATHS, count)) * self.walk**0.5
        steps[:, 0] += chance.normal(0.0, 1.0, _PATHS) * self.level_variance**0.5
        noise = chance.normal(0.0, 1.0, (_PATHS, count)) * self.noise**0.5
        weekdays = self.weekdays + chance.normal(0.0, 1.0, (_PATHS, _WEEK)) * self.weekday_variance**0.5
        of_day = weekdays[:, np.arange(count) % _WEEK]
        logs = self.level + of_day + factor * (np.cumsum(steps, axis=1) + noise)
        costs: Floats = np.exp(np.minimum(logs, 700.0))
        # A day at the floor cost nothing.
        return np.where(costs <= self.floor * 1.5, 0.0, costs)


def _weekdays(logs: Floats, of_day: NDArray[np.int64]) -> tuple[Floats, float]:
    """Return how far each weekday lies off the week, and the variance of what is not known of that."""
    days = len(logs)
    around = np.convolve(logs, np.full(_WEEK, 1 / _WEEK), mode="valid")
    off = logs[_WEEK // 2 : days - _WEEK // 2] - around
    place = of_day[_WEEK // 2 : days - _WEEK // 2]
    counts = np.bincount(place, minlength=_WEEK).astype(np.float64)
    means = np.bincount(place, off, _WEEK) / np.maximum(counts, 1)
    means -= means.mean()
    within = float(((off - means[place]) ** 2).sum() / max(1, len(off) - _WEEK))
    of_mean = within / float(np.maximum(counts, 1).mean())
    between = max(0.0, float(means.var(ddof=1)) - of_mean)
    trust = between / (between + of_mean) if between + of_mean > 0 else 0.0
    return trust * means, trust * of_mean


def _variances(flat: Floats) -> tuple[float, float]:
    """Return the variances of noise and of the walk, by moments of the differences, drawn to what is usual."""
    moved = np.diff(flat)
    if len(moved) < 2:
        return _USUAL_NOISE, _USUAL_WALK
    variance = float((moved**2).mean())
    together = float((moved[1:] * moved[:-1]).mean())
    noise = min(max(0.0, -together), variance / 2)
    walk = max(0.0, variance - 2 * noise)
    weight = len(moved) / (len(moved) + _WEIGHT_DAYS)
    return weight * noise + (1 - weight) * _USUAL_NOISE, weight * walk + (1 - weight) * _USUAL_WALK


def _filtered(flat: Sequence[float] | Floats, noise: float, walk: float) -> tuple[float, float]:
    """Return the level after the last day and its variance, by the Kalman filter."""
    level, variance = float(flat[0]), noise
    for value in flat[1:]:
        variance += walk
        gain = variance / (variance + noise) if variance + noise > 0 else 1.0
        level += gain * (float(value) - level)
        variance *= 1 - gain
    return level, variance
