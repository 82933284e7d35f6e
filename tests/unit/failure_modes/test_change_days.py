"""Since when something is different, and how sure that is."""

import numpy as np

from agentvigil.analysis.failure_modes.change_days import change_day, most_likely_day
from agentvigil.analysis.failure_modes.day_tables import DayTable
from agentvigil.analysis.failure_modes.spread_of_days import Dispersion

INDEPENDENT = Dispersion(0.0, 0.001, 50)


def days(shares: list[float], n: float = 1_000) -> DayTable:
    s = np.array([[share * n] for share in shares])
    return DayTable((("", ""),), np.full((len(shares), 1), n), s, s)


def test_the_day_is_found() -> None:
    found = change_day(days([0.05] * 28), days([0.05] * 20 + [0.09] * 8), INDEPENDENT)

    assert found.most_likely == 20
    assert found.first <= 20 <= found.last
    assert found.last - found.first <= 4


def test_a_small_change_has_a_wide_interval() -> None:
    small = change_day(days([0.05] * 28, 100), days([0.05] * 20 + [0.07] * 8, 100), INDEPENDENT)
    large = change_day(days([0.05] * 28, 100), days([0.05] * 20 + [0.3] * 8, 100), INDEPENDENT)

    assert small.last - small.first > large.last - large.first


def test_nothing_that_rose_is_no_error() -> None:
    found = most_likely_day(np.full(5, -1.0), np.ones(5), np.ones(5))

    assert (found.first, found.last) == (0, 4)
