"""The slope that one bad day can not bend, against scipy's."""

import math

import numpy as np
import pytest
from scipy.stats import theilslopes

from agentvigil.analysis.failure_modes.theil_sen import autocorrelation_of, theil_sen


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [12, 28, 60])
def test_slope_and_interval_are_those_of_scipy(seed: int, count: int) -> None:
    """Ranks at the ends of the interval may be rounded to either side; here always away from the middle."""
    random = np.random.default_rng([seed, count])
    time = np.sort(random.choice(100, count, replace=False)).astype(float)
    value = 0.02 * time + random.standard_t(3, count)

    found = theil_sen(time, value, 0.025)
    expected = theilslopes(value, time, alpha=0.95)
    between = np.sort([(value[j] - value[i]) / (time[j] - time[i]) for i in range(count) for j in range(i + 1, count)])

    assert found is not None
    assert found.value == pytest.approx(expected.slope)
    for end, theirs in ((found.low, expected.low_slope), (found.high, expected.high_slope)):
        assert abs(int(np.searchsorted(between, end)) - int(np.searchsorted(between, theirs))) <= 1
    assert found.low <= expected.low_slope
    assert found.high >= expected.high_slope


def test_a_day_of_madness_does_not_bend_it() -> None:
    time = np.arange(28.0)
    value = 0.01 * time
    mad = value.copy()
    mad[20] = 50.0

    found = theil_sen(time, mad, 1 / 3_000)

    assert found is not None
    assert found.value == pytest.approx(0.01)
    assert found.low > 0.0


def test_few_days_leave_everything_open() -> None:
    """Ten days allow no bound at one in a million."""
    found = theil_sen(np.arange(10.0), np.arange(10.0), 1e-9)

    assert theil_sen(np.arange(9.0), np.arange(9.0), 0.1) is None
    assert found is not None
    assert found.low == -math.inf


def test_days_that_are_alike_widen_the_interval() -> None:
    random = np.random.default_rng(1)
    time = np.arange(28.0)
    value = 0.02 * time + 0.05 * random.standard_normal(28)

    alone, alike = theil_sen(time, value, 0.001), theil_sen(time, value, 0.001, 0.5)

    assert alone is not None
    assert alike is not None
    assert alike.low < alone.low
    assert alike.value == alone.value


def test_autocorrelation_is_of_what_the_slope_leaves() -> None:
    """A rising baseline is not taken for days that are alike."""
    random = np.random.default_rng(2)
    time = np.arange(600.0)
    noise = random.standard_normal(600)
    walk = np.zeros(600)
    for at in range(1, 600):
        walk[at] = 0.6 * walk[at - 1] + noise[at]

    assert autocorrelation_of(time, 5 * time + noise) < 0.15
    assert autocorrelation_of(time, 5 * time + walk) == pytest.approx(0.6, abs=0.15)
