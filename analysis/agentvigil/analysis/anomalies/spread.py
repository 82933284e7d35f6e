"""How the values of such runs spread, and from where on one is out of the ordinary.

Theory of operation. Costs, durations and counts of tokens and steps are skewed, so all is done in logarithms.

1. A value's distance is counted in robust standard deviations from the median: z = (ln x - median) / sigma, where sigma
   is 1.4826 times the median absolute deviation. Half of the values may be anything before either of them gives way, so
   the spikes of last week do not hide that of today, as they do with a mean and a standard deviation.
2. z > 6 would be one in a billion if logarithms were normal. They are not: durations often fall off like a power, and
   then one in a hundred lies there. So the limit is no lower than where the tail of the baseline, prolonged, leaves one
   run in ten thousand. In logarithms a power law is an exponential, the slowest fall that is met in practice; its scale
   is taken from the distance of two quantiles (95 and 97.5 %), which single spikes do not move. The more runs tell of
   the tail, the less the 6 is needed: it goes down to 4.5, where a normal tail leaves one in ten thousand by this rule.
3. Both numbers of a cell of few runs are drawn to those of the next coarser cell, the more the fewer they are. Medians
   are not: that they differ between cells is what cells are for.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

FEWEST_RUNS: Final = 50
"""A cell of fewer runs says nothing."""

LEAST_Z: Final = 6.0
"""The lowest limit as long as nothing is known of the tail."""

FALSE_ALARMS: Final = 1e-4
"""The share of usual runs that may lie beyond the limit, for each measure."""

_SIGMA_PER_MAD: Final = 1.4826
_LEAST_KNOWN_Z: Final = 4.5
"""The lowest limit where it is known well."""

_LEAST_SIGMA: Final = 0.1
"""Where nearly all values are the same, ten per cent are still nothing."""

_SIGMA_DRAWN: Final = 50.0
_TAIL_DRAWN: Final = 200.0
"""With so many runs a cell's own number and that of the coarser cell count alike."""

_TAIL_SCALES: Final = math.log(0.05 / FALSE_ALARMS) / math.log(2)
"""So many times the distance of both quantiles, in which half of an exponential tail is left behind, lies the limit
beyond the lower one."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Of the logarithms of ``runs`` values: median, median absolute deviation, quantiles 95 and 97.5 %."""

    runs: int
    median: float
    mad: float
    q95: float
    q975: float

    @classmethod
    def of(cls, values: "Sequence[float] | NDArray[np.float64]") -> "Spread":
        """Return the spread of ``values``, which are more than 0."""
        logs = np.log(np.asarray(values, dtype=np.float64))
        median, q95, q975 = (float(one) for one in np.quantile(logs, (0.5, 0.95, 0.975)))
        return cls(len(logs), median, float(np.median(np.abs(logs - median))), q95, q975)

    @property
    def typical(self) -> float:
        """The median, in the unit of the values."""
        return math.exp(self.median)


@dataclass(frozen=True, slots=True)
class Limit:
    """From where on a value is out of the ordinary."""

    spread: Spread
    sigma: float
    known: int
    """Runs that tell of the tail: those of the coarsest cell."""
    tail_z: float
    """Where the prolonged tail leaves one in ten thousand, in ``sigma`` from the median."""

    @property
    def z(self) -> float:
        share = self.known / (self.known + _TAIL_DRAWN)
        return max(self.tail_z, share * _LEAST_KNOWN_Z + (1 - share) * LEAST_Z)

    def z_of(self, value: float) -> float:
        """Return how many ``sigma`` a value above 0 is from the median."""
        return (math.log(value) - self.spread.median) / self.sigma


def limit_of(spreads: Sequence[Spread]) -> Limit | None:
    """Return the limit by the spreads of cells, the finest first, of which those of too few runs are passed over.

    None if all of them are.
    """
    found: Limit | None = None
    for spread in reversed([spread for spread in spreads if spread.runs >= FEWEST_RUNS]):
        found = _alone(spread) if found is None else _drawn(_alone(spread), found)
    return found


def _alone(spread: Spread) -> Limit:
    sigma = max(_SIGMA_PER_MAD * spread.mad, _LEAST_SIGMA)
    tail = spread.q95 + _TAIL_SCALES * (spread.q975 - spread.q95) - spread.median
    return Limit(spread, sigma, spread.runs, tail / sigma)


def _drawn(own: Limit, coarser: Limit) -> Limit:
    share = own.spread.runs / (own.spread.runs + _SIGMA_DRAWN)
    sigma = own.sigma**share * coarser.sigma ** (1 - share)
    share = own.spread.runs / (own.spread.runs + _TAIL_DRAWN)
    tail_z = share * own.tail_z * own.sigma / sigma + (1 - share) * coarser.tail_z
    return replace(own, sigma=sigma, tail_z=tail_z, known=coarser.known)
