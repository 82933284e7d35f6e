"""The odds ratio of two groups side by side in many strata, after Mantel and Haenszel, with days as clusters.

In each stratum, an input class with a model on one day, there is a table of four: of the first group ``a`` go wrong and
``b`` do not, of the second ``c`` and ``d``. Over strata of sizes N

    odds ratio = R / S,   R = Σ a d / N,   S = Σ b c / N

which compares like with like only: a bad day or a hard input class counts for both groups. It holds for many sparse
strata as for few full ones. Its logarithm has the variance of Robins, Breslow and Greenland (1986, Biometrics 42,
311-323); where the days' own parts, R_d / R - S_d / S, spread more than that, by φ, the variance is enlarged by φ. The
strata without one of the groups say nothing, and add nothing.

An eighth is added to R and to S, as if half a thing of each kind had been seen: an odds ratio of infinity becomes a
large one, and one of few things comes a little closer to 1.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.failure_modes.day_tables import DayTable, aligned

Vector = NDArray[np.float64]

_ADDED: Final = 0.125


@dataclass(frozen=True, slots=True)
class OddsRatio:
    """A common odds ratio, by its logarithm."""

    log: float
    variance: float
    """Of the logarithm, for things that are independent of each other."""
    dispersion: float
    """How many times as much its days spread; can be below 1."""
    days: int
    """With something to compare."""
    by_day: tuple[Vector, Vector]
    """R and S of each day."""

    @property
    def value(self) -> float:
        return math.exp(self.log)

    def error(self, dispersion: float) -> float:
        """Return the standard error of the logarithm."""
        return math.sqrt(self.variance * max(1.0, dispersion))

    def interval(self, critical: float, dispersion: float) -> tuple[float, float]:
        """Return the ends of the interval of ``critical`` standard errors."""
        width = critical * self.error(dispersion)
        return math.exp(self.log - width), math.exp(self.log + width)


def mantel_haenszel(first: DayTable, second: DayTable) -> OddsRatio | None:
    """Return the odds of the first group going wrong, divided by those of the second; None where nothing compares.

    Both tables are of the same days; ``s`` counts what went wrong out of ``n``.
    """
    first, second = aligned([first, second])
    n = first.n + second.n
    has_both = (first.n > 0) & (second.n > 0)
    if not has_both.any():
        return None
    a, b = first.s[has_both], (first.n - first.s)[has_both]
    c, d = second.s[has_both], (second.n - second.s)[has_both]
    total = n[has_both]
    r, s = a * d / total, b * c / total
    sum_r, sum_s = float(r.sum()) + _ADDED, float(s.sum()) + _ADDED
    p, q = (a + d) / total, (b + c) / total
    variance = (
        (float((p * r).sum()) + _ADDED / 2) / (2 * sum_r**2)
        + (float((p * s + q * r).sum()) + _ADDED) / (2 * sum_r * sum_s)
        + (float((q * s).sum()) + _ADDED / 2) / (2 * sum_s**2)
    )
    day = np.broadcast_to(np.arange(len(n))[:, None], n.shape)[has_both]
    r_of_day, s_of_day = (np.bincount(day, part, len(n)).astype(np.float64) for part in (r, s))
    parts = r_of_day / sum_r - s_of_day / sum_s
    days = int((r_of_day + s_of_day > 0).sum())
    spread = float((parts**2).sum()) * days / (days - 1) if days > 1 else 0.0
    return OddsRatio(math.log(sum_r / sum_s), variance, spread / variance, days, (r_of_day, s_of_day))


def signed_root(log_ratio: float, error: float, error_before: float = 0.0) -> float:
    """Return how many standard errors a ratio of what may be small counts is above 1.

    The logarithm of a count is skewed: ten where three were expected are 3.2 standard errors and not 3.8, and 46 where
    13 were counted are 4.4 and not 4.0. If all of an uncertainty is that of a count, ``1 / error²``, the root of the
    likelihood ratio is this. What is expected is known, or is itself of a count, with ``error_before``.
    """
    count, excess = 1 / error**2, log_ratio - 1 + math.exp(-log_ratio)
    if error_before == 0.0:
        return math.copysign(math.sqrt(2 * count * max(excess, 0.0)), log_ratio)
    before = 1 / error_before**2
    # How long the one was counted for, beside the other, if the ratio is what it is.
    duration = count / before * math.exp(-log_ratio)
    expected = (count + before) * duration / (1 + duration)
    divergence = count * math.log(count / expected) + before * math.log(before / (count + before - expected))
    return math.copysign(math.sqrt(2 * max(divergence, 0.0)), log_ratio)
