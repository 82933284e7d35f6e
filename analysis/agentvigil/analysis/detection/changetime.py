"""When it began: the running likelihood of one stream, read backwards."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from agentvigil.analysis.detection.counting import Bools, Floats, Ints

INTERVAL: Final = 0.90
"""Part of the likelihood that lies between the ends of the interval."""


@dataclass(frozen=True, slots=True)
class ChangeTime:
    """Starts of hours since 1970: the likeliest, and the first and the last that are likely."""

    hour: int
    first_hour: int
    last_hour: int


def change_time(hours: Ints, log_e: Floats, active: Bools) -> ChangeTime:
    """Return when a change most likely began, from what bets in its direction paid (bets × hours).

    If it began in hour k, bets have multiplied by what they paid in k and later: the product from k on, averaged over
    bets, is the likelihood of k, up to the margin and the dispersion that bets pay for, which only widen the interval.
    These are the terms whose sum is R.

    ``active`` says in which hours there were runs; there is at least one.
    """
    since = np.cumsum(log_e[:, ::-1], axis=1)[:, ::-1]
    likelihood = np.where(active, np.logaddexp.reduce(since, axis=0), -np.inf)
    weight = np.exp(likelihood - likelihood.max())
    cumulated = np.cumsum(weight) / weight.sum()
    outside = (1 - INTERVAL) / 2
    first, last = np.searchsorted(cumulated, (outside, 1 - outside))
    likeliest = int(np.argmax(weight))
    return ChangeTime(int(hours[likeliest]), int(hours[min(first, likeliest)]), int(hours[max(last, likeliest)]))
