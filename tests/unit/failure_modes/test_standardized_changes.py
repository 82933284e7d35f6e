"""Shares and means held against a baseline: what is expected, how sure, and how often wrong."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from agentvigil.analysis.failure_modes.day_tables import DayTable
from agentvigil.analysis.failure_modes.standardized_changes import change, level


def shares(n: np.ndarray, s: np.ndarray) -> DayTable:
    return DayTable(
        tuple((f"class-{at}", "") for at in range(n.shape[1])), n.astype(float), s.astype(float), s.astype(float)
    )


def even(days: int, n: list[float], p: list[float]) -> DayTable:
    """Each day the same."""
    runs = np.tile(n, (days, 1))
    return shares(runs, runs * np.array(p))


def test_a_shift_of_the_input_mix_changes_nothing() -> None:
    """Twice as many hard questions are twice as many errors, and nothing is wrong with the agent."""
    found = change(even(28, [900, 100], [0.02, 0.3]), even(7, [100, 900], [0.02, 0.3]), 0.001, are_shares=True)

    assert found is not None
    assert found.after == pytest.approx(0.272, rel=1e-3)
    assert found.before == pytest.approx(found.after, rel=1e-3)
    assert found.odds_ratio == pytest.approx(1.0, rel=0.01)


def test_runs_of_a_class_that_is_new_are_left_out() -> None:
    """There is nothing to compare them with."""
    before = even(28, [500], [0.02])
    after = DayTable(
        (("class-0", ""), ("class-9", "")),
        np.full((7, 2), 500.0),
        np.array([[10.0, 400.0]] * 7),
        np.array([[10.0, 400.0]] * 7),
    )

    found = change(before, after, 0.001, are_shares=True)

    assert found is not None
    assert found.n == 3_500
    assert found.after == pytest.approx(0.02, rel=0.01)


def test_few_runs_a_day_are_counted_as_if_one_in_seven_repeated_another() -> None:
    """Days of 40 runs can not tell how much they differ, and days that are exactly alike are chance."""
    found = change(even(28, [40], [0.1]), even(28, [40], [0.1]), 0.001, are_shares=True)

    assert found is not None
    binomial = math.sqrt(0.1 * 0.9 / (28 * 40))
    assert binomial < found.after_error < 1.1 * binomial
    assert found.critical == pytest.approx(NormalDist().inv_cdf(0.999), rel=0.05)


def test_the_likeness_of_runs_of_a_day_is_found_where_runs_are_many() -> None:
    """Shares of days from a beta distribution with intra-day correlation 1 / (a + b + 1), twenty times the usual."""
    random = np.random.default_rng(4)
    correlation = 0.02
    size = 1 / correlation - 1
    found = []
    for _ in range(40):
        p = random.beta(0.1 * size, 0.9 * size, (56, 1))
        n = random.integers(1_000, 5_000, (56, 1))
        drawn = shares(n, random.binomial(n, p))
        compared = change(drawn.last(28), shares(drawn.n[:28], drawn.s[:28]), 0.001, are_shares=True)
        assert compared is not None
        found.append(compared.dispersion.correlation)
        assert compared.critical > 1.05 * NormalDist().inv_cdf(0.999)

    assert np.mean(found) == pytest.approx(correlation, rel=0.15)


@pytest.mark.parametrize("correlation", [0.0, 0.01])
def test_it_is_wrong_as_seldom_as_it_says(correlation: float) -> None:
    """At a level of 1 in 100, over days as different as real ones; if it were far more, 600 draws would show it."""
    random = np.random.default_rng(6)
    size = 1 / max(correlation, 1e-9) - 1
    wrong = 0
    for _ in range(600):
        p = random.beta(0.05 * size, 0.95 * size, (35, 1)) if correlation else np.full((35, 1), 0.05)
        n = random.integers(80, 400, (35, 1))
        s = random.binomial(n, p)
        found = change(shares(n[:28], s[:28]), shares(n[28:], s[28:]), 0.01, are_shares=True)
        assert found is not None
        wrong += found.errors_beyond_log_odds(0.0) >= found.critical

    assert wrong <= 0.025 * 600


def test_few_runs_are_no_evidence() -> None:
    """Three days of five runs, at 1 in 1,000: with a skewed statistic it would be wrong ten times as often."""
    random = np.random.default_rng(9)
    counts = random.binomial(15, 0.06, 20_000)
    wrong = 0
    for count, times in zip(*np.unique(counts, return_counts=True), strict=True):
        after = shares(np.full((3, 1), 5), np.full((3, 1), count / 3))
        found = change(even(28, [5], [0.06]), after, 0.001, are_shares=True)
        assert found is not None
        wrong += int(times) * (found.errors_beyond_log_odds(0.0) >= found.critical)

    assert wrong <= 0.0015 * 20_000


def test_with_many_runs_the_signed_root_is_the_distance_in_errors() -> None:
    found = change(even(28, [4_000], [0.1]), even(7, [4_000], [0.11]), 0.001, are_shares=True)

    assert found is not None
    error = math.hypot(found.before_error / 0.09, found.after_error / (0.11 * 0.89))
    apart = math.log(0.11 / 0.89) - math.log(0.1 / 0.9)
    assert found.errors_beyond_log_odds(0.02) == pytest.approx((apart - 0.02) / error, rel=0.02)
    assert found.errors_beyond_log_odds(0.3) == pytest.approx((apart - 0.3) / error, rel=0.05)


def test_a_mean_is_compared_as_it_is() -> None:
    """Values of one run each day's mean; the expected figures are those of the plain two-sample comparison."""
    random = np.random.default_rng(8)
    old, new = random.gamma(4, 0.02, (28, 200)), random.gamma(4, 0.03, (7, 200))
    tables = [
        DayTable(
            (("", ""),), np.full((len(x), 1), 200.0), x.sum(axis=1, keepdims=True), (x**2).sum(axis=1, keepdims=True)
        )
        for x in (old, new)
    ]

    found = change(*tables, 0.001, are_shares=False)

    assert found is not None
    assert (found.before, found.after) == pytest.approx((old.mean(), new.mean()))
    error = math.sqrt(old.var() / old.size + new.var() / new.size)
    assert found.errors_beyond(0.01) == pytest.approx((new.mean() - old.mean() - 0.01) / error, rel=0.25)


def test_no_baseline_and_no_days_compare_with_nothing() -> None:
    nothing = DayTable((), np.zeros((28, 0)), np.zeros((28, 0)), np.zeros((28, 0)))

    assert change(nothing, even(7, [10], [0.1]), 0.001, are_shares=True) is None
    assert change(even(7, [10], [0.1]), nothing, 0.001, are_shares=True) is None
    assert change(even(2, [10], [0.1]), even(2, [10], [0.1]), 0.001, are_shares=True) is None
    assert level(even(3, [10], [0.1]), 3, 0.001) is None


def test_shares_of_none_and_of_all_have_odds() -> None:
    found = change(even(28, [400], [0.0]), even(7, [400], [1.0]), 0.001, are_shares=True)

    assert found is not None
    assert 1e3 < found.odds_ratio < math.inf
    assert 0 < found.share_low < found.after < found.share_high <= 1
