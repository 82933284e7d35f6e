"""The slope of a series of days that one bad day can not bend: the median of the slopes of all pairs of days.

Its interval is Sen's (1968, Journal of the American Statistical Association 63, 1379-1389): the slopes at the places
that Kendall's S leaves open. S of n days has the variance n (n - 1) (2 n + 5) / 18 if they are independent; of days
that are like the days before them it has more, here (1 + r) / (1 - r) times as much, with r the correlation of
neighbours. r is to be found in days that are not in question, those of a baseline: a rise that is no straight line
looks like correlation.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

LEAST_DAYS: Final = 10
_LARGEST_AUTOCORRELATION: Final = 0.8


@dataclass(frozen=True, slots=True)
class Slope:
    """Per unit of time, with an interval that may reach to infinity where there are few points."""

    value: float
    low: float
    high: float


def theil_sen(time: Vector, value: Vector, tail: float, autocorrelation: float = 0.0) -> Slope | None:
    """Return the slope of ``value`` over ``time``; the chance that it lies below ``low`` is ``tail``.

    None for fewer than :data:`LEAST_DAYS` points.
    """
    count = len(time)
    if count < LEAST_DAYS:
        return None
    slopes = _slopes(time, value)
    middle = float(np.median(slopes))
    variance = count * (count - 1) * (2 * count + 5) / 18 * (1 + autocorrelation) / (1 - autocorrelation)
    open_places = NormalDist().inv_cdf(1 - tail) * math.sqrt(variance)
    # Sen counts places from 1.
    place = math.floor((len(slopes) - open_places) / 2) - 1
    if place < 0:
        return Slope(middle, -math.inf, math.inf)
    return Slope(middle, float(slopes[place]), float(slopes[len(slopes) - 1 - place]))


def autocorrelation_of(time: Vector, value: Vector) -> float:
    """Return how much days are like the days before them once their slope is taken out: 0 to 0.8.

    By ranks, so that one day does not make it.
    """
    if len(time) < LEAST_DAYS:
        return 0.0
    residuals = value - float(np.median(_slopes(time, value))) * time
    rank = np.argsort(np.argsort(residuals)).astype(np.float64)
    rank -= rank.mean()
    r = float((rank[1:] * rank[:-1]).sum() / (rank**2).sum())
    return min(_LARGEST_AUTOCORRELATION, max(0.0, r))


def _slopes(time: Vector, value: Vector) -> Vector:
    """Return the slopes of all pairs, in their order."""
    one, other = np.triu_indices(len(time), 1)
    slopes: Vector = np.sort((value[other] - value[one]) / (time[other] - time[one]))
    return slopes
