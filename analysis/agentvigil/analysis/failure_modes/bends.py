"""A course that is level up to a day and rises straight from then on: by how much, and how surely.

Weighted least squares over all days, those before the window included: what they tell of the level is most of what is
known of a slope that began two weeks ago, which a line through the window alone has to find by itself. Days have the
variance of their runs, and what :mod:`.spread_of_days` finds beyond that around the fitted course.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.failure_modes.critical_values import student_t
from agentvigil.analysis.failure_modes.day_tables import DayTable, comparable
from agentvigil.analysis.failure_modes.spread_of_days import MEANS_OF_DAYS, Days, dispersion

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bend:
    """By how much the mean is higher at the end than it was before the bend."""

    rise: float
    error: float
    critical: float

    @property
    def low(self) -> float:
        return self.rise - self.critical * self.error

    @property
    def high(self) -> float:
        return self.rise + self.critical * self.error


def bend(baseline: DayTable, window: DayTable, days: int, tail: float) -> Bend | None:
    """Return the rise over the last ``days`` days of a window, standardised to the classes of the baseline.

    ``tail`` is the chance that ``low`` is above the true rise. None where days are too few.
    """
    known, compared = comparable(baseline, window)
    n = known.n.sum(axis=0)
    if not n.sum() or not compared.total:
        return None
    mean = known.s.sum(axis=0) / n
    variance = float((known.q.sum(axis=0) - n * mean**2).sum() / n.sum())
    length = len(compared.n)
    periods = [_of_days(known, mean), _of_days(compared, mean)]
    runs, dearer = (np.concatenate(columns) for columns in zip(*((p[1], p[2]) for p in periods), strict=True))
    course = np.concatenate([np.zeros(len(periods[0][0])), np.maximum(0.0, periods[1][0] - (length - 1 - days))])
    if variance <= 0 or not course.any():
        return None
    level, slope, _ = _fit(course, dearer, runs)
    stray = (dearer - level - slope * course) * runs
    split = len(periods[0][0])
    spread = dispersion(
        [Days(runs[part], stray[part], runs[part] * variance) for part in (slice(None, split), slice(split, None))],
        MEANS_OF_DAYS**2,
    )
    if spread is None:
        return None
    _, slope, error = _fit(course, dearer, runs / (variance * spread.of(runs)))
    return Bend(slope * days, error * days, student_t(tail, spread.degrees))


def _of_days(table: DayTable, mean: Vector) -> tuple[Vector, Vector, Vector]:
    """Return the days with any runs, their runs, and how far their means are above what their classes let expect."""
    runs = table.n.sum(axis=1)
    day = np.flatnonzero(runs > 0)
    stray = (table.s - table.n * mean).sum(axis=1)
    return day.astype(np.float64), runs[day], stray[day] / runs[day]


def _fit(course: Vector, value: Vector, weight: Vector) -> tuple[float, float, float]:
    """Return level, slope and the standard error of the slope, where weights are the inverse of variances."""
    middle, centre = np.average(course, weights=weight), np.average(value, weights=weight)
    spread = float((weight * (course - middle) ** 2).sum())
    slope = float((weight * (course - middle) * (value - centre)).sum()) / spread
    return float(centre - slope * middle), slope, 1 / math.sqrt(spread)
