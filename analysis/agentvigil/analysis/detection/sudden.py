"""Bets on a sudden shift, within the last days: the runs since then are one sum, whose level is one draw.

A bet without an end divides what each hour pays by the dispersion of weeks, since the level may wander for weeks. Of an
agent with thousands of runs a day that is far more than an hour alone can vary, so one hour that lies ten points off
pays next to nothing. What began within the last days can be judged at once. Let θ·y - n·Λ(θ), divided by the dispersion
of each hour, add up to L since some hour, and the information in those runs to I. If the level of these runs is off by
a random amount with variance ω², the sum of them has ω²·I times the variance more, and

    exp(L / (1 + ω²·I))

is the likelihood ratio of a shift by θ, whatever the level wandered to: it has the expectation 1 under the null, to
second order, at every hour that it is looked at. It pays in full while I is small, and can not grow beyond what a level
that lies θ/ω off is worth. ω is what days wander by, and the error of the baseline's estimate. The null interval of
these bets has no margin: the least tilt stands in for it, as a shift by less than half of that wins nothing, however
many runs show it.

It is no product of hours, so what each hour paid is kept for a day, and for three days before that what each six hours
paid. R adds up the bets that began at each of these hours, as it does for bets without an end; leaving out others can
only lower it. Keys and means alone
are bet on: thresholds of values tell of the same shifts, and their tails wander by more than one measure for all says.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.detection.bets import paid_since_best, won
from agentvigil.analysis.detection.config import SUDDEN_BLOCK_HOURS, SUDDEN_BLOCKS, SUDDEN_HOURS
from agentvigil.analysis.detection.counting import Bools, Floats, Ints
from agentvigil.analysis.detection.expecting import Expected, Null
from agentvigil.analysis.detection.tilts import SUDDEN, SUDDEN_MIRROR, SUDDEN_WEIGHT

Paid = NDArray[np.float32]
"""Of hours, or blocks of them, × 7 × streams: ω²·I first, then what the six bets paid. 0 where there were no runs."""

MOST: Final = np.float32(80)
"""What a bet pays is kept below exp of it, which fits single precision."""
_BEGINNINGS: Final = SUDDEN_HOURS + SUDDEN_BLOCKS
"""When bets that still count may have begun."""
_REACH_HOURS: Final = SUDDEN_HOURS + SUDDEN_BLOCKS * SUDDEN_BLOCK_HOURS


def nothing(streams: int) -> Paid:
    """Return what was paid in the last days when there was nothing: the newest hour first, then blocks of hours."""
    return np.zeros((_BEGINNINGS, 1 + len(SUDDEN), streams), dtype=np.float32)


def paid(null: Null, expected: Expected) -> Paid:
    """Return what each of some hours paid."""
    streams = null.layout.sudden_streams
    no_margin = np.zeros((len(expected.runs), len(streams)))
    found = np.empty((len(expected.runs), 1 + len(SUDDEN), len(streams)), dtype=np.float32)
    found[:, 0] = null.shared_variance(expected)[:, streams]
    dispersion = null.dispersion_of_hours(expected)[:, None, streams]
    np.divide(won(null, expected, no_margin, SUDDEN, streams), dispersion, out=found[:, 1:], casting="same_kind")
    return found


def moved_on(recent: Paid, last_hour: int, hour: int) -> Paid:
    """Return what was paid in the days up to ``hour``, in which it was nothing after ``last_hour``."""
    if hour - last_hour > _REACH_HOURS:
        return np.zeros_like(recent)
    for now in range(last_hour + 1, hour + 1):
        recent = _an_hour_later(recent, now)
    return recent


def _an_hour_later(recent: Paid, hour: int) -> Paid:
    moved = np.empty_like(recent)
    moved[0] = 0
    moved[1:SUDDEN_HOURS] = recent[: SUDDEN_HOURS - 1]
    oldest, blocks, moved_blocks = recent[SUDDEN_HOURS - 1], recent[SUDDEN_HOURS:], moved[SUDDEN_HOURS:]
    if (hour - SUDDEN_HOURS) % SUDDEN_BLOCK_HOURS == 0:
        moved_blocks[0] = oldest
        moved_blocks[1:] = blocks[:-1]
    else:
        moved_blocks[:] = blocks
        moved_blocks[0] += oldest
    return moved


def log_bets(recent: Paid) -> Paid:
    """Return the logarithms of what bets pay now: hours and blocks in which they began × 6 × streams."""
    since = np.cumsum(recent, axis=0)
    return np.asarray(since[:, 1:] / (1 + since[:, :1]))


def had_runs(recent: Paid) -> Bools:
    """Return which streams had runs in which hours or blocks: bets that would have begun in others are not in R."""
    return np.asarray(recent[:, 1] != 0)


def evidence(null: Null, recent: Paid) -> Floats:
    """Return R of each bet, weighted: 6 × columns, those of the streams and then of their pairs."""
    return _evidence(recent, null.layout.sudden_pairs, null.pair_dispersion)


def _evidence(recent: Paid, pairs: Ints, pair_dispersion: Floats) -> Floats:
    columns = _with_pairs(log_bets(recent), pairs, pair_dispersion)
    began = _and_pairs(had_runs(recent), pairs)[:, None]
    r = np.sum(np.exp(np.minimum(columns, MOST)), axis=0, dtype=np.float64, where=began)
    return np.asarray(SUDDEN_WEIGHT[:, None] * r)


def evidence_after(hours: Paid, first_hour: int, place: int, pairs: Ints, pair_dispersion: Floats) -> Floats:
    """Return what :func:`evidence` comes to after one of some hours, that at ``place``, all bets together, by column.

    ``pairs`` are places among the streams of ``hours``.
    """
    newest_first = hours[max(0, place + 1 - _REACH_HOURS) : place + 1][::-1]
    hour = first_hour + place - np.arange(len(newest_first))
    begins = (np.arange(len(hour)) < SUDDEN_HOURS) | (hour % SUDDEN_BLOCK_HOURS == 0)
    # The first of all hours may lie in the middle of a block.
    begins[-1] |= np.count_nonzero(begins) < _BEGINNINGS
    began = np.flatnonzero(begins)
    recent = np.add.reduceat(newest_first[: began[-1] + 1], np.concatenate([[0], began[:-1] + 1]), axis=0)
    return np.asarray(_evidence(recent, pairs, pair_dispersion).sum(axis=0))


def most_of_path(hours: Paid, pairs: Ints, pair_dispersion: Floats) -> Floats:
    """Return by column what :func:`evidence` does not exceed after any of some hours.

    A sum that is divided by 1 or more is at most what was paid since the best of all hours to begin with, and a pair's
    is at most that of both.
    """
    most = np.zeros_like(hours[:1, 1:])
    for since in paid_since_best(hours[:, 1:]):
        np.maximum(most, since, out=most)
    return np.asarray(_at_most(most, pairs, pair_dispersion)[0])


def most_by_hour(hours: Paid, pairs: Ints, pair_dispersion: Floats) -> Floats:
    """Return what :func:`evidence` does not exceed after each of some hours: times × columns."""
    since = np.stack([after.copy() for after in paid_since_best(hours[:, 1:])])
    return _at_most(since, pairs, pair_dispersion)


def _at_most(since: Paid, pairs: Ints, pair_dispersion: Floats) -> Floats:
    """Return times × columns: as if all bets had begun when it was best."""
    columns = _with_pairs(since, pairs, pair_dispersion)
    return np.asarray(_BEGINNINGS * (SUDDEN_WEIGHT @ np.exp(np.minimum(columns, MOST))), dtype=np.float64)


def _with_pairs(log_e: Paid, pairs: Ints, pair_dispersion: Floats) -> Paid:
    """Return times × 6 × columns: what bets on the streams pay, then opposite bets on two of them together."""
    one, other = pairs
    of_pairs = (log_e[:, :, one] + log_e[:, SUDDEN_MIRROR][:, :, other]) / pair_dispersion.astype(np.float32)
    return np.concatenate([log_e, of_pairs], axis=2)


def _and_pairs(of_streams: Bools, pairs: Ints) -> Bools:
    """Return times × columns: pairs are of one feature, so both have runs where one has."""
    return np.concatenate([of_streams, of_streams[:, pairs[0]]], axis=1)
