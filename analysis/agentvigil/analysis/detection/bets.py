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

from agentvigil.analysis.detection.counting import Bools, Floats
from agentvigil.analysis.detection.expecting import Expected, Null, probability
from agentvigil.analysis.detection.tilts import BETS, MIRROR, WINDOW

# R is kept below exp of it: evidence that no more data can strengthen in any way that matters, and far from overflow.
MAX_LOG_R: Final = 500.0


def log_bets(null: Null, expected: Expected) -> Floats:
    """Return the logarithms of what bets pay: bets × times × columns (streams, then pairs). 0 where there are no runs."""
    layout, is_mean, runs = null.layout, null.layout.is_mean, expected.runs
    paid = np.empty((BETS, len(runs), layout.column_count))
    single = paid[:, :, : layout.stream_count]
    reach = expected.error + null.margin
    by_window = {hours: null.dispersion(expected, hours) for hours in set(WINDOW.tolist())}
    for bet, (tilt, growth, cumulant) in enumerate(zip(null.tilts, null.growth, null.cumulants, strict=True)):
        edge = probability(expected.level + np.sign(tilt) * reach)
        of_share = np.log1p(edge * growth)
        of_mean = cumulant + tilt * expected.level + np.abs(tilt) * reach
        single[bet] = tilt * expected.hits - runs * np.where(is_mean, of_mean, of_share)
        single[bet] /= by_window[int(WINDOW[bet])]
    one, other = layout.pairs
    paid[:, :, layout.stream_count :] = (single[:, :, one] + single[MIRROR][:, :, other]) / null.pair_dispersion
    return paid


def grown(log_r: Floats, log_e: Floats, active: Bools) -> Floats:
    """Return log R after one more hour: ``(1 + R)·e`` where there were runs, and R as it was where there were none.

    Hours without runs do not count as time, which can only make false alarms rarer.
    """
    return np.where(active, np.minimum(np.logaddexp(0.0, log_r) + log_e, MAX_LOG_R), log_r)


def begun_anew(log_r: Floats, hour: int, last_hour: int) -> Floats:
    """Return log R (bets × streams) before ``hour``, without what bets won in windows that ended since ``last_hour``."""
    windows = np.maximum(WINDOW, 1)
    ended = (WINDOW > 0) & (hour // windows != last_hour // windows)
    return np.where(ended[:, None], -np.inf, log_r)


def path(log_e: Floats, active: Bools, first_hour: int) -> Floats:
    """Return log R after each of some hours, from R = 0, along the second axis (bets × times × streams).

    What :func:`begun_anew` and :func:`grown` come to, without a logarithm for each step: below exp(-700) R is 0, which
    ``1 + R`` does not tell from it.
    """
    e = np.exp(np.minimum(log_e, MAX_LOG_R))
    r, most = np.zeros_like(e[:, 0]), np.exp(MAX_LOG_R)
    passed = np.empty_like(e)
    with np.errstate(over="ignore", divide="ignore"):
        for hour, some in enumerate(active):
            r[(WINDOW > 0) & ((first_hour + hour) % np.maximum(WINDOW, 1) == 0)] = 0
            r = np.where(some, np.minimum((1 + r) * e[:, hour], most), r)
            passed[:, hour] = r
        return np.asarray(np.log(passed))


def log_mean_exp(values: Floats, axis: int) -> Floats:
    """Return the logarithm of the mean of exponentials."""
    top = np.max(values, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        mean = np.log(np.mean(np.exp(values - top), axis=axis))
    return np.asarray(mean + np.squeeze(top, axis=axis))
