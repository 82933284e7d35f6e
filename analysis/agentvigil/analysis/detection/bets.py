"""Bets against a null hypothesis that is an interval, and the running sum of their products.

A bet with tilt θ pays ``exp((θ·y - n·Λ(θ)) / φ)`` for n runs of which y hit, where Λ is the logarithm of the moment
generating function of one run at that end of the null interval towards which θ leans. For yes-or-no streams this is
``log(1 + p·(exp(θ) - 1))``: its expectation is exactly 1 if every run hits with probability p, and at most 1 if
probabilities of runs differ around p, since Λ is concave in p, or lie on the near side of the edge. For means it
is the cumulant of the baseline's own distribution. Dividing by the dispersion φ ≥ 1 keeps the expectation at most 1
(Jensen), and pays for runs that are not independent: to second order, a variance φ times as large is allowed.

Where one key takes the place of another, both tell of it. So what a bet on the one pays is multiplied with what the
opposite bet on the other pays, for pairs of the commonest keys of a feature: the product of bets on independent counts
is a bet, and where counts are not independent, it too is divided by how much more their difference varies.

**R ← (1 + R)·e** per bet (Shiryaev-Roberts). R minus the number of steps is a supermartingale under the null, so the
time until R ≥ A is A steps or more in expectation, and so it is for averages of such R over bets and streams, however
these depend on each other: Shin, Ramdas, Rinaldo, *E-detectors: a nonparametric framework for sequential change
detection*, https://arxiv.org/abs/2203.03532.
"""

from typing import Final

import numpy as np

from agentvigil.analysis.detection.counting import Bools, Floats, Ints
from agentvigil.analysis.detection.expecting import Expected, Null, probability
from agentvigil.analysis.detection.tilts import BETS, MIRROR

# R is kept below exp of it: evidence that no more data can strengthen in any way that matters, and far from overflow.
MAX_LOG_R: Final = 500.0
_ALL: Final[Ints] = np.arange(BETS)


def log_bets(null: Null, expected: Expected) -> Floats:
    """Return the logarithms of what bets pay, 0 without runs: bets × times × columns (streams, then pairs)."""
    layout = null.layout
    streams = np.arange(layout.stream_count)
    paid = np.empty((BETS, len(expected.runs), layout.column_count))
    single = paid[:, :, : layout.stream_count]
    np.divide(won(null, expected, expected.error + null.margin, _ALL, streams), null.dispersion(expected), out=single)
    one, other = layout.pairs
    paid[:, :, layout.stream_count :] = (single[:, :, one] + single[MIRROR][:, :, other]) / null.pair_dispersion
    return paid


def won(null: Null, expected: Expected, reach: Floats, bets: Ints, streams: Ints) -> Floats:
    """Return what some bets win on some streams before dispersion: bets × times × streams.

    ``reach`` is how far the null interval reaches to both sides (times × those streams).
    """
    is_mean = null.layout.is_mean[streams]
    runs, hits, level = expected.runs[:, streams], expected.hits[:, streams], expected.level[:, streams]
    upper, lower = probability(level + reach), probability(level - reach)
    found = np.empty((len(bets), *runs.shape))
    for place, bet in enumerate(bets.tolist()):
        tilts = null.tilts[bet, streams]
        growth = runs * np.log1p(np.where(tilts > 0, upper, lower) * null.growth[bet, streams])
        of_mean = null.cumulants[bet, streams] + tilts * level + np.abs(tilts) * reach
        found[place] = tilts * hits - np.where(is_mean, runs * of_mean, growth)
    return found


def grown(log_r: Floats, log_e: Floats, active: Bools) -> Floats:
    """Return log R after one more hour: ``(1 + R)·e`` where there were runs, and R as it was where there were none.

    Hours without runs do not count as time, which can only make false alarms rarer.
    """
    return np.where(active, np.minimum(np.logaddexp(0.0, log_r) + log_e, MAX_LOG_R), log_r)


def path(log_e: Floats, active: Bools) -> Floats:
    """Return R after each of some hours, from R = 0, averaged over bets: times × columns.

    ``log_e`` are bets × times × columns. This is what :func:`grown` comes to, without logarithms.
    """
    e = np.exp(np.minimum(log_e, MAX_LOG_R)).transpose(1, 0, 2).copy()
    r, most, passed = np.zeros(e.shape[1:]), np.exp(MAX_LOG_R), np.empty(active.shape)
    all_active = np.all(active, axis=1).tolist()
    with np.errstate(over="ignore"):
        for hour, some in enumerate(active):
            after = np.minimum((1 + r) * e[hour], most)
            r = after if all_active[hour] else np.where(some, after, r)
            r.mean(axis=0, out=passed[hour])
    return passed
