"""Since when: the day from which on a window most likely differs from what is expected of it.

For each day d of the window, suppose that everything was as expected before, and has been different by a constant
since. The likelihood of that is highest at the day that is told, and the days whose likelihood lies within 3.84 of it
(twice its logarithm; χ² of one degree at 95 %) are the interval. Days spread as the comparison found.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.failure_modes.day_tables import DayTable, comparable
from agentvigil.analysis.failure_modes.spread_of_days import Dispersion

Vector = NDArray[np.float64]

_WITHIN = 3.84


class ChangeDays(NamedTuple):
    """Places of days in the window."""

    most_likely: int
    first: int
    last: int


def change_day(before: DayTable, window: DayTable, dispersion: Dispersion) -> ChangeDays:
    """Return since which day the window lies above what ``before`` lets expect of it."""
    before, compared = comparable(before, window)
    n, s, q = (matrix.sum(axis=0) for matrix in (before.n, before.s, before.q))
    mean = s / np.maximum(n, 1)
    variance = np.maximum(q / np.maximum(n, 1) - mean**2, 1e-12)
    of_day = compared.n.sum(axis=1)
    stray = (compared.s - compared.n * mean).sum(axis=1)
    spread = (compared.n @ variance) * dispersion.of(of_day)
    return most_likely_day(stray, spread, of_day)


def most_likely_day(stray: Vector, variance: Vector, weight: Vector) -> ChangeDays:
    """Return since which day sums ``stray`` upwards by a part of their ``weight``."""
    usable = (variance > 0) & (weight > 0)
    safe = np.where(usable, variance, 1.0)
    # Least squares with weights: the shift is the same for each run since then.
    upper = np.where(usable, stray * weight / safe, 0.0)[::-1].cumsum()[::-1]
    lower = np.where(usable, weight**2 / safe, 0.0)[::-1].cumsum()[::-1]
    gain = np.where((lower > 0) & (upper > 0), upper**2 / np.where(lower > 0, lower, 1.0), 0.0)
    best = int(np.argmax(gain))
    near = np.flatnonzero(gain >= gain[best] - _WITHIN)
    return ChangeDays(best, int(near[0]), int(near[-1]))
