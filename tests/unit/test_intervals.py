"""Intervals of differences, against the worked examples of those who proposed them and against simulation."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentvigil.analysis.comparing.intervals import (
    Mean,
    Share,
    difference_of_means,
    difference_of_shares,
    wilson,
    z_of_many,
)


def test_wilson_is_as_published() -> None:
    """Newcombe, Statistics in Medicine 17, 1998, 857-872, table I: 81 of 263, and 0 of 20."""
    many, none = wilson(Share(81, 263)), wilson(Share(0, 20))

    assert (round(many.low, 4), round(many.high, 4)) == (0.2553, 0.3662)
    assert (round(none.low, 4), round(none.high, 4)) == (0, 0.1611)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        (Share(56, 70), Share(48, 80), 0.0524, 0.3339),
        (Share(9, 10), Share(3, 10), 0.1705, 0.8090),
        (Share(5, 56), Share(0, 29), -0.0381, 0.1926),
        (Share(10, 10), Share(0, 10), 0.6075, 1.0),
    ],
)
def test_differences_of_shares_are_as_published(one: Share, other: Share, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17, 1998, 873-890, table II, method 10; the difference there is one - other."""
    interval = difference_of_shares(other, one)

    assert interval is not None
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


@given(st.integers(1, 500), st.integers(1, 500), st.data())
def test_a_difference_lies_in_its_interval(before: int, after: int, data: st.DataObject) -> None:
    one, other = Share(data.draw(st.integers(0, before)), before), Share(data.draw(st.integers(0, after)), after)

    interval, back = difference_of_shares(one, other), difference_of_shares(other, one)

    assert interval is not None
    assert back is not None
    assert -1 - 1e-9 <= interval.low <= other.rate - one.rate + 1e-9
    assert other.rate - one.rate - 1e-9 <= interval.high <= 1 + 1e-9
    assert math.isclose(interval.low, -back.high, abs_tol=1e-9)


def test_nothing_differs_from_nothing() -> None:
    assert difference_of_shares(Share(0, 0), Share(1, 2)) is None
    assert difference_of_means(Mean(29, 1.0, 1.0), Mean(1000, 1.0, 1.0)) is None


def test_equal_means_are_rarely_told_apart() -> None:
    """Of pairs of samples from one skewed distribution, about one in twenty seems to differ."""
    chance = random.Random(1)

    def sample() -> Mean:
        values = [chance.expovariate(1.0) for _ in range(60)]
        mean = sum(values) / 60
        return Mean(60, mean, sum((value - mean) ** 2 for value in values) / 59)

    intervals = [difference_of_means(sample(), sample()) for _ in range(2000)]

    assert 0.03 < sum(interval is not None and interval.excludes_zero for interval in intervals) / 2000 < 0.07


def test_means_that_differ_by_rounding_are_equal() -> None:
    interval = difference_of_means(Mean(100, 0.00035, 0.0), Mean(100, 0.00035 + 1e-19, 0.0))

    assert interval is not None
    assert not interval.excludes_zero


def test_many_comparisons_rarely_show_what_is_not_there() -> None:
    """Forty rates that did not move: with plain intervals most such comparisons would show some that did."""
    chance, z = random.Random(2), z_of_many(40)

    def sample() -> Share:
        return Share(sum(chance.random() < 0.1 for _ in range(100)), 100)

    def seems_to_differ() -> bool:
        interval = difference_of_shares(sample(), sample(), z)
        return interval is not None and interval.excludes_zero

    assert z_of_many(1) == pytest.approx(1.959964)
    assert sum(any(seems_to_differ() for _ in range(40)) for _ in range(100)) <= 12
