"""E-values: how much a bet against "this side has no more of it than the other" has won.

If the two do not differ by more than a margin too small to matter, the bet's mean is 1 at most, so that it reaches T
with a probability of 1 / T at most. Bets of several sizes are averaged, which is a bet again. Where days differ by more
than chance, the logarithm is divided by how much more. Of data that grow, the value may be looked at again and again:
then the guarantee is that of Robbins' mixtures (Ann. Math. Stat. 41, 1970), which holds for many runs, since the score
grows as a Brownian motion in the time of its information (Jennison, Turnbull, Group Sequential Methods, 2000, 11.3).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from agentvigil.analysis.comparing.design_effect import design_effect
from agentvigil.analysis.comparing.differences import Difference
from agentvigil.analysis.comparing.hypergeometric import log_mean_exp
from agentvigil.analysis.comparing.intervals import FEWEST
from agentvigil.analysis.comparing.strata import Floats, Sums
from agentvigil.analysis.features.names import BINS_PER_OCTAVE

TILTS: Final = np.array([0.1, 0.2, 0.4, 0.8, 1.6, 3.2])
"""Sizes of the bets: log-odds of rates, standard deviations of values."""

MARGIN_LOG_ODDS: Final = 0.05
MARGIN_DEVIATIONS: Final = 0.03

LEAST_DEVIATION: Final = 1 / BINS_PER_OCTAVE / math.sqrt(12)
"""Values of one bin lie at least so far apart, for all we know; all runs may have as many steps."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Logarithms of the e-values that the side after has more (``log_up``) or less (``log_down``)."""

    log_up: float
    log_down: float

    @property
    def log_greatest(self) -> float:
        return max(self.log_up, self.log_down)


def evidence_of_rates(before: Sums, after: Sums, correlation: float) -> Evidence:
    """Return the evidence of counts, exact given how many there are of each class and how many of both have it."""
    n, m, y, k = (np.rint(counts) for counts in (before.n.sum(axis=0), after.n.sum(axis=0), *_having(before, after)))
    tells = (n > 0) & (m > 0) & (y > 0) & (y < n + m)
    if not tells.any():
        return Evidence(0.0, 0.0)
    phi = _dispersion(before.n[:, tells], after.n[:, tells], correlation)
    n, m, y, k = n[tells], m[tells], y[tells], k[tells]

    def log_e(sign: int) -> float:
        tilts = sign * np.append(TILTS, MARGIN_LOG_ODDS)
        bets = tilts * k.sum() - log_mean_exp(tilts, n, m, y).sum(axis=1)
        return _averaged((bets[:-1] - bets[-1]) / phi)

    return Evidence(log_e(1), log_e(-1))


def evidence_of_means(before: Sums, after: Sums, difference: Difference, correlation: float) -> Evidence:
    """Return the evidence of values that are clipped, so that the means of some dozens are next to normal.

    None is found from fewer than 30 values of a side.
    """
    n, m = before.n.sum(axis=0), after.n.sum(axis=0)
    both = (n > 0) & (m > 0)
    if min(difference.runs_before, difference.runs_after) < FEWEST:
        return Evidence(0.0, 0.0)
    information = float((n[both] * m[both] / (n[both] + m[both])).sum())
    phi = _dispersion(before.n[:, both], after.n[:, both], correlation)
    degrees = float((n[both] + m[both]).sum()) - 2 * int(both.sum())
    t = difference.within / max(difference.deviation, LEAST_DEVIATION) * math.sqrt(information)
    # Student's t brought to the normal by its likelihood ratio: few values can lie far out by chance.
    score = math.copysign(math.sqrt(degrees * math.log1p(t * t / degrees)), t) * math.sqrt(information)

    def log_e(sign: int) -> float:
        shift = TILTS - MARGIN_DEVIATIONS
        bets = shift * sign * score - (TILTS**2 - MARGIN_DEVIATIONS**2) * information / 2
        return _averaged(bets / phi)

    return Evidence(log_e(1), log_e(-1))


def _having(before: Sums, after: Sums) -> tuple[Floats, Floats]:
    of_after: Floats = after.total.sum(axis=0)
    return before.total.sum(axis=0) + of_after, of_after


def _dispersion(n: Floats, m: Floats, correlation: float) -> float:
    """Return by how much the variance of the difference is greater than chance makes it."""
    runs = float(n.sum()), float(m.sum())
    effects = design_effect(n, correlation), design_effect(m, correlation)
    return (effects[0] * runs[1] + effects[1] * runs[0]) / (runs[0] + runs[1])


def _averaged(logs: Floats) -> float:
    greatest = float(logs.max())
    return greatest + math.log(float(np.exp(logs - greatest).mean()))
