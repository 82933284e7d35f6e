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

from collections.abc import Iterator
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.detection.counting import Bools, Floats, Ints
from agentvigil.analysis.detection.expecting import Expected, Null, probability
from agentvigil.analysis.detection.tilts import BETS, MIRROR, ORDINARY

# R is kept below exp of it: evidence that no more data can strengthen in any way that matters, and far from overflow.
MAX_LOG_R: Final = 500.0
_TIMES_AT_ONCE: Final = 64
"""Hours that are gone through together: what they need stays near the processor."""
_ALL: Final[Ints] = np.arange(BETS)
Number = TypeVar("Number", np.float32, np.float64)


def log_bets(null: Null, expected: Expected) -> Floats:
    """Return the logarithms of what bets pay, 0 without runs: bets × times × columns (streams, then pairs)."""
    layout = null.layout
    # Bets on one time lie together, as they are added up time by time.
    by_time = np.empty((len(expected.runs), BETS, layout.column_count))
    single = by_time[:, :, : layout.stream_count]
    log_bets_on_streams(null, expected, out=single)
    _bet_on_pairs(single, layout.pairs, null.pair_dispersion, out=by_time[:, :, layout.stream_count :])
    return by_time.transpose(1, 0, 2)


def log_bets_on_streams(null: Null, expected: Expected, out: Floats | None = None) -> Floats:
    """Return the same of the streams alone, but times × bets × streams."""
    streams = np.arange(null.layout.stream_count)
    found = won(null, expected, expected.error + null.margin, _ALL, streams)
    return np.asarray(np.divide(found, null.dispersion(expected)[:, None], out=found if out is None else out))


def with_pairs(single: Floats, pairs: Ints, pair_dispersion: Floats) -> Floats:
    """Return what :func:`log_bets_on_streams` gave with bets on pairs, which are places among those streams."""
    times, bets, streams = single.shape
    found = np.empty((times, bets, streams + pairs.shape[1]))
    found[:, :, :streams] = single
    _bet_on_pairs(single, pairs, pair_dispersion, out=found[:, :, streams:])
    return found


def _bet_on_pairs(single: Floats, pairs: Ints, pair_dispersion: Floats, out: Floats) -> None:
    one, other = pairs
    for mine, opposite in enumerate(MIRROR):
        both = single[:, mine][:, one] + single[:, opposite][:, other]
        np.divide(both, pair_dispersion, out=out[:, mine])


def won(null: Null, expected: Expected, reach: Floats, bets: Ints, streams: Ints) -> Floats:
    """Return what some bets win on some streams before dispersion: times × bets × streams.

    ``reach`` is how far the null interval reaches to both sides (times × those streams).
    """
    runs, hits, level = (values[:, streams] for values in (expected.runs, expected.hits, expected.level))
    upper, lower = probability(level + reach), probability(level - reach)
    means = np.flatnonzero(null.layout.is_mean[streams])
    mean_runs, mean_hits, mean_level, mean_reach = (values[:, means] for values in (runs, hits, level, reach))
    # New keys can only rise, so all bets on them lean up.
    rises = null.tilts[:, streams].min(axis=0) > 0
    edge = {True: upper, False: np.where(rises, upper, lower)}
    found, lost = np.empty((len(runs), len(bets), len(streams))), np.empty_like(upper)
    for place, bet in enumerate(bets.tolist()):
        np.multiply(edge[bool(ORDINARY[bet] > 0)], null.growth[bet, streams], out=lost)
        np.log1p(lost, out=lost)
        lost *= runs
        mine = found[:, place]
        np.multiply(null.tilts[bet, streams], hits, out=mine)
        mine -= lost
        tilt = ORDINARY[bet]
        cost = null.cumulants[bet, streams[means]] + tilt * mean_level + np.abs(tilt) * mean_reach
        mine[:, means] = tilt * mean_hits - mean_runs * cost
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
    bets, hours, columns = log_e.shape
    passed, most = np.empty(active.shape), np.exp(MAX_LOG_R)
    r, more = np.zeros((bets, columns)), np.empty((bets, columns))
    all_active = np.all(active, axis=1).tolist()
    with np.errstate(over="ignore"):
        for start in range(0, hours, _TIMES_AT_ONCE):
            times = slice(start, start + _TIMES_AT_ONCE)
            # What each hour pays gives way to R after it.
            after = np.minimum(log_e.transpose(1, 0, 2)[times], MAX_LOG_R)
            np.exp(after, out=after)
            for hour, new in enumerate(after, start):
                np.add(r, 1, out=more)
                np.multiply(new, more, out=new)
                np.minimum(new, most, out=new)
                if not all_active[hour]:
                    np.copyto(new, r, where=~active[hour])
                r = new
            np.add.reduce(after, axis=1, out=passed[times])
    passed /= bets
    return passed


def most_of_path(single: Floats, pairs: Ints, pair_dispersion: Floats) -> Floats:
    """Return by column what :func:`path` does not exceed at any hour, of bets on streams (times × bets × streams).

    What was paid since the best hour to begin with is the largest term of R, which has no more terms than hours. What a
    pair was paid is at most what both were paid, each since its best hour.
    """
    most = np.zeros((1, *single.shape[1:]))
    for since in paid_since_best(single):
        np.maximum(most, since, out=most)
    columns = with_pairs(most, pairs, pair_dispersion)[0]
    return np.asarray(len(single) * np.exp(np.minimum(columns, MAX_LOG_R)).mean(axis=0))


def paid_since_best(hours: NDArray[Number]) -> Iterator[NDArray[Number]]:
    """Yield after each of some hours what was paid since the one that was best to begin with: 0 or more.

    It is one array, which changes from hour to hour.
    """
    since = np.zeros_like(hours[0])
    for new in hours:
        np.add(since, new, out=since)
        np.maximum(since, 0, out=since)
        yield since
