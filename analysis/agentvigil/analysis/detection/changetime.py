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


def since_each_hour(log_e: Floats) -> Floats:
    """Return the logarithms of what bets without an end pay that began in each hour: bets × hours, as ``log_e``."""
    return np.cumsum(log_e[:, ::-1], axis=1)[:, ::-1]


def change_time(hours: Ints, log_since: Floats, active: Bools) -> ChangeTime:
    """Return when a change most likely began, from what bets in its direction pay that began in each hour.

    ``log_since`` are logarithms, bets × hours. If the change began in hour k, bets that began then have won what it
    brought, and no other hour's: what they pay, added up over bets, is the likelihood of k, up to the margin and the
    dispersion that bets pay for, which only widen the interval.

    ``active`` says in which hours there were runs; there is at least one.
    """
    likelihood = np.where(active, np.logaddexp.reduce(log_since, axis=0), -np.inf)
    weight = np.exp(likelihood - likelihood.max())
    cumulated = np.cumsum(weight) / weight.sum()
    outside = (1 - INTERVAL) / 2
    first, last = np.searchsorted(cumulated, (outside, 1 - outside))
    likeliest = int(np.argmax(weight))
    return ChangeTime(int(hours[likeliest]), int(hours[min(first, likeliest)]), int(hours[max(last, likeliest)]))
