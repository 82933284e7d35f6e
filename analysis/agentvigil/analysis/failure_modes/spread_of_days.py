"""How much more the runs of days differ than runs that are independent of each other do.

The sum over the n runs of a day has the variance n v (1 + excess), where v is that of one run. Two things make an
excess: runs that repeat the run before them, which adds the same part whatever n is, and days that are a little better
or worse altogether, which adds (n - 1) times the intra-day correlation.

**Both are known roughly before any day is seen**: about one run in seven repeats another, and days differ by a tenth of
their odds, or by a twentieth of what single values differ. How many times as much it is with this agent is found by the
method of moments (Donner 1986, International Statistical Review 54, 67-82) from how far its days stray from what is
expected of them, and is averaged with 1 by how much either tells. A hundred days of five runs say next to nothing of
how much days differ, but then it does not matter either; a month of 2,000 runs a day says all. So the uncertainty of
small agents is that of counting, to which critical values of the normal distribution belong, and that of large agents
is that of a few days, to which Student's belong: :attr:`Dispersion.degrees` goes from one to the other (Satterthwaite).

Days that follow each other may be alike as well: what was found is enlarged by (1 + r) / (1 - r), with r the
correlation of days with the days before them.

**Not that of the detector** (:mod:`agentvigil.analysis.detection.clusters_and_wander`), which goes on for ever: it
needs the variance of hours and of windows of any length, at volumes to come, of some sixty streams of an agent at once,
and a fleet to tell clusters from wander. Here one number of one agent is tested once a day against a critical value, by
whole days that are all there: so it must be known how uncertain the spread itself is, and no other agent is asked.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.failure_modes.critical_values import LEAST_DEGREES

Vector = NDArray[np.float64]

REPEATED: Final = 0.15
ODDS_OF_DAYS: Final = 0.1
"""Standard deviation of the log-odds of days."""
MEANS_OF_DAYS: Final = 0.05
"""Standard deviation of the means of days, as part of that of single values."""
_FAR: Final = 2.0
"""So much above 1 is what is found where it counts twice as much as it would."""
_LARGEST_AUTOCORRELATION: Final = 0.6
_MOST_DEGREES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Days:
    """How far the sums of days stray from what is expected of them; days with nothing are left out."""

    n: Vector
    stray: Vector
    variance: Vector
    """Of the sums, if runs were independent of each other."""


@dataclass(frozen=True, slots=True)
class Dispersion:
    """Of the days of one agent."""

    repeated: float
    correlation: float
    degrees: int
    """Of freedom, for Student's critical values."""

    def of(self, n: Vector) -> Vector:
        """Return how many times the variance of independent runs days of so many runs have."""
        spread: Vector = 1 + self.repeated + np.maximum(n - 1, 0.0) * self.correlation
        return spread


def dispersion(periods: Sequence[Days], usual_correlation: float) -> Dispersion | None:
    """Return how much days differ, by the days of all periods; None for fewer than five.

    Each period has a mean of its own. How alike days are to the days before them is found in the first of them, since a
    change looks like likeness.
    """
    count = sum(len(period.n) for period in periods)
    free = count - len(periods)
    if free < LEAST_DEGREES:
        return None
    n, stray, variance = (np.concatenate(columns) for columns in zip(*map(_columns, periods), strict=True))
    usual = REPEATED + np.maximum(n - 1, 0.0) * usual_correlation
    expected = float((variance * usual).sum())
    found = max(0.0, float((stray**2 * (count / free) - variance).sum()) / expected)
    # How much the days tell of the factor, where 1 is what is known before; fewer are free than there are.
    told = expected**2 / (2 * float((variance**2 * (1 + usual) ** 2).sum())) * free / count
    # What was known before counts less the further away it is from what is found: agents can be unlike others.
    known = 1 / (1 + (max(found - 1, 0.0) / _FAR) ** 2)
    factor = (known + told * found * _enlarged(periods[0])) / (known + told)
    share = factor * usual / (1 + factor * usual)
    weight = float((variance * share).sum() / variance.sum())
    degrees = min(float(_MOST_DEGREES), max(float(free), 2 * (known + told) / weight**2))
    return Dispersion(REPEATED * factor, min(1.0, usual_correlation * factor), _rounded(degrees))


def _columns(days: Days) -> tuple[Vector, Vector, Vector]:
    return days.n, days.stray, days.variance


def _enlarged(days: Days) -> float:
    if len(days.n) < LEAST_DEGREES:
        return 1.0
    z = days.stray / np.sqrt(days.variance)
    squares = float((z**2).sum())
    if squares == 0:
        return 1.0
    r = min(_LARGEST_AUTOCORRELATION, max(0.0, float((z[1:] * z[:-1]).sum()) / squares))
    return (1 + r) / (1 - r)


def _rounded(degrees: float) -> int:
    """Return so many degrees to two digits, downwards, so that critical values are computed once for many."""
    unit = 10 ** max(0, math.floor(math.log10(degrees)) - 1)
    return max(LEAST_DEGREES, int(degrees // unit * unit))
