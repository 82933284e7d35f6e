"""Quantiles of Student's distribution, without scipy."""

import pytest
from scipy import stats

from agentvigil.analysis.failure_modes.critical_values import student_t


@pytest.mark.parametrize("degrees", [3, 4, 13, 27, 54, 400, 100_000])
@pytest.mark.parametrize("tail", [0.1, 1 / 3_000, 1 / 18_000, 1e-8])
def test_it_is_the_quantile(tail: float, degrees: int) -> None:
    """Everything that is said of false alarms stands on this number."""
    assert student_t(tail, degrees) == pytest.approx(stats.t.isf(tail, degrees), rel=1e-3)


@pytest.mark.parametrize(("tail", "degrees"), [(0.0, 9), (0.5, 9), (-1.0, 9), (0.01, 2)])
def test_what_it_can_not_tell_is_refused(tail: float, degrees: int) -> None:
    """Two days tell nothing of how days spread."""
    with pytest.raises(ValueError, match="no Student quantile"):
        student_t(tail, degrees)
