"""Whether two samples differ, or only seem to: intervals of the difference, of 95 % unless ``z`` is another one.

For everything that tells of differences, in the API as well; it needs no numpy.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

Z_95: Final = NormalDist().inv_cdf(0.975)
"""So many standard errors an interval of 95 % reaches to each side."""

FEWEST: Final = 30
"""Below that many runs a mean is too far from normal for an interval that relies on it."""

_ROUNDING: Final = 1e-9
"""Means of equal values differ by so much at most, in the order in which they were added up."""


@dataclass(frozen=True, slots=True)
class Share:
    """``count`` of ``total``; fractions where runs count for less because they are alike."""

    count: float
    total: float

    @property
    def rate(self) -> float:
        return self.count / self.total


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean and sample variance of ``count`` values; a fraction where values count for less because they are alike."""

    count: float
    mean: float
    variance: float


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a value lies, in 95 of 100 such intervals."""

    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def z_of_many(comparisons: int) -> float:
    """Return the ``z`` by which, of so many differences that are chance, with 95 % none leaves out 0 (Bonferroni)."""
    return NormalDist().inv_cdf(1 - 0.025 / comparisons)


def wilson(share: Share, z: float = Z_95) -> Interval:
    """Return the score interval of a proportion (Wilson, J. Am. Stat. Assoc. 22, 1927, 209-212)."""
    n, p = share.total, share.rate
    middle = p + z**2 / (2 * n)
    reach = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    scale = 1 + z**2 / n
    return Interval(max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale))


def difference_of_shares(before: Share, after: Share, z: float = Z_95) -> Interval | None:
    """Return the interval of ``after`` - ``before``, None if one of them is of nothing.

    Method 10 of Newcombe, Statistics in Medicine 17, 1998, 873-890: made of Wilson's intervals, it holds for small
    samples and for proportions near 0 and 1 as well.
    """
    if not before.total or not after.total:
        return None
    first, second = wilson(before, z), wilson(after, z)
    difference = after.rate - before.rate
    return Interval(
        difference - math.hypot(after.rate - second.low, first.high - before.rate),
        difference + math.hypot(second.high - after.rate, before.rate - first.low),
    )


def difference_of_means(before: Mean, after: Mean, z: float = Z_95) -> Interval | None:
    """Return the interval of ``after`` - ``before``, None if one of them is of fewer than 30 values.

    Variances may differ (Welch, Biometrika 29, 1938, 350-362); from 30 on the normal quantile stands for Student's.
    """
    if min(before.count, after.count) < FEWEST:
        return None
    are_equal = math.isclose(before.mean, after.mean, rel_tol=_ROUNDING)
    difference = 0.0 if are_equal else after.mean - before.mean
    reach = z * math.sqrt(before.variance / before.count + after.variance / after.count)
    return Interval(difference - reach, difference + reach)
