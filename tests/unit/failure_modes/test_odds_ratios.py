"""The odds ratio over strata, against what others compute."""

import math

import numpy as np
import pytest
from scipy.stats import binom, norm, poisson
from scipy.stats.contingency import odds_ratio

from agentvigil.analysis.failure_modes.day_tables import DayTable
from agentvigil.analysis.failure_modes.odds_ratios import mantel_haenszel, signed_root


def table(n: list[list[float]], s: list[list[float]]) -> DayTable:
    """Days by strata."""
    strata = tuple((f"class-{at}", "") for at in range(len(n[0])))
    return DayTable(strata, np.array(n, float), np.array(s, float), np.array(s, float))


def test_of_one_stratum_it_is_the_ratio_of_odds() -> None:
    """Its variance is then Woolf's, which is what scipy's interval of the sample odds ratio is made of."""
    found = mantel_haenszel(table([[4_000]], [[900]]), table([[5_000]], [[500]]))
    expected = odds_ratio(np.array([[900, 3_100], [500, 4_500]]), kind="sample")

    assert found is not None
    assert found.value == pytest.approx(expected.statistic, rel=2e-3)
    interval = expected.confidence_interval(0.95)
    low, high = found.interval(1.959964, 1.0)
    assert (low, high) == pytest.approx((interval.low, interval.high), rel=3e-3)


def test_of_many_strata_it_is_near_the_conditional_one() -> None:
    """Days with few calls each are the usual case: neither the estimate nor its error may need large tables."""
    random = np.random.default_rng(5)
    n = random.integers(3, 9, (400, 1)).astype(float)
    base = random.uniform(0.1, 0.5, (400, 1))
    odds = 3 * base / (1 - base)
    bad, good = random.binomial(n.astype(int), odds / (1 + odds)), random.binomial(n.astype(int), base)

    found = mantel_haenszel(table(n.tolist(), bad.tolist()), table(n.tolist(), good.tolist()))

    assert found is not None
    assert abs(found.log - math.log(3)) < 3 * found.error(1.0)
    assert found.error(1.0) < 0.12
    assert found.dispersion == pytest.approx(1.0, abs=0.25)


def test_a_confounder_makes_no_odds_ratio() -> None:
    """Hard tasks have long contexts and fail more often: nothing is wrong within a class, over all it seems so."""
    high_n, high_s = [[100.0, 900.0]], [[5.0, 270.0]]
    low_n, low_s = [[900.0, 100.0]], [[45.0, 30.0]]

    found = mantel_haenszel(table(high_n, high_s), table(low_n, low_s))
    together = mantel_haenszel(table([[1000.0]], [[275.0]]), table([[1000.0]], [[75.0]]))

    assert found is not None
    assert together is not None
    assert found.value == pytest.approx(1.0, abs=0.01)
    assert together.value > 4


def test_none_that_goes_wrong_is_no_infinity() -> None:
    """An agent whose short contexts never fail must still be told, with a number."""
    found = mantel_haenszel(table([[200.0]] * 5, [[20.0]] * 5), table([[200.0]] * 5, [[0.0]] * 5))

    assert found is not None
    assert math.isfinite(found.value)
    assert found.interval(3.0, 1.0)[0] > 1


def test_strata_of_one_side_say_nothing() -> None:
    assert mantel_haenszel(table([[10.0, 0.0]], [[5.0, 0.0]]), table([[0.0, 10.0]], [[0.0, 1.0]])) is None


def test_days_that_differ_widen_the_interval() -> None:
    """Ten days on which full contexts fail, and ten on which they do not, are no evidence of twenty days."""
    even = mantel_haenszel(table([[100.0]] * 20, [[20.0]] * 20), table([[100.0]] * 20, [[10.0]] * 20))
    uneven = mantel_haenszel(table([[100.0]] * 20, [[38.0], [2.0]] * 10), table([[100.0]] * 20, [[10.0]] * 20))

    assert even is not None
    assert uneven is not None
    assert even.dispersion < 1 < 5 < uneven.dispersion


@pytest.mark.parametrize(("count", "expected"), [(10, 3.0), (25, 12.0), (150, 100.0)])
def test_the_signed_root_is_what_a_count_is_worth(count: int, expected: float) -> None:
    """Against the exact tail of Poisson; the logarithm over its error would say more."""
    log_ratio, error = math.log(count / expected), 1 / math.sqrt(count)
    exact = norm.isf((poisson.sf(count - 1, expected) + poisson.sf(count, expected)) / 2)

    assert signed_root(log_ratio, error) == pytest.approx(exact, rel=0.03)
    assert log_ratio / error > signed_root(log_ratio, error)
    assert signed_root(-log_ratio, error) < 0


@pytest.mark.parametrize(("before", "after", "times_as_long"), [(13, 46, 1.0), (40, 20, 0.25), (12, 80, 2.0)])
def test_a_count_beside_a_count_is_worth_what_it_is_among_both(before: int, after: int, times_as_long: float) -> None:
    """Against the binomial tail of how many of all fall to one side, which needs to know neither rate."""
    share, both = times_as_long / (1 + times_as_long), before + after
    exact = norm.isf((binom.sf(after - 1, both, share) + binom.sf(after, both, share)) / 2)
    log_ratio = math.log(after / before / times_as_long)

    assert signed_root(log_ratio, after**-0.5, before**-0.5) == pytest.approx(exact, rel=0.03)
    assert signed_root(log_ratio, after**-0.5, 1e-6) == pytest.approx(signed_root(log_ratio, after**-0.5), rel=1e-3)
