"""How well a class of inputs is known, and what that comes to for all runs."""

import numpy as np
import pytest

from agentvigil.analysis.detection.config import DetectionConfig
from agentvigil.analysis.detection.shares import mean_errors, shares_of

RUNS = np.array([600.0, 380.0, 20.0, 0.0])
"""Of three classes, and none of any other."""


def test_a_class_with_few_runs_is_known_from_those_however_alike_the_others_are() -> None:
    """So a rare class that lies far off and becomes common is no alarm."""
    found = shares_of(0.3 * RUNS[None], RUNS[None], np.ones(1), DetectionConfig())

    assert found.share[0] == pytest.approx(0.3, abs=0.001)
    assert np.sqrt(found.variance[0, 2]) == pytest.approx(np.sqrt(0.3 * 0.7 / 21), rel=0.01)
    _, of_means = mean_errors(np.zeros(4), np.ones(4), RUNS, 1.0, DetectionConfig())
    assert np.sqrt(of_means[2]) == pytest.approx(np.sqrt(1 / 21), rel=0.01)


def test_errors_of_classes_come_to_that_of_all_runs_while_the_mix_stays() -> None:
    """So the uncertainty of rare classes costs no power where nothing became more common."""
    variance = shares_of(0.3 * RUNS[None], RUNS[None], np.ones(1), DetectionConfig()).variance[0]
    _, of_means = mean_errors(np.zeros(4), np.ones(4), RUNS, 1.0, DetectionConfig())
    mix = (RUNS / RUNS.sum()) ** 2

    assert mix @ variance == pytest.approx(0.3 * 0.7 / RUNS.sum(), rel=0.01)
    assert mix @ of_means == pytest.approx(1 / RUNS.sum(), rel=0.01)


@pytest.mark.parametrize("rare", [0.02, 0.3, 0.7])
def test_a_rare_class_is_shrunk_as_far_as_it_is_like_the_others(rare: float) -> None:
    """And never by more of its standard errors than a rare class that becomes common is allowed."""
    runs = np.array([[600.0, 380.0, 80.0, 0.0]])
    hits = runs * np.array([0.3, 0.3, rare, 0.3])
    found = shares_of(hits, runs, np.ones(1), DetectionConfig())
    share, error = found.share[0, 2], np.sqrt(found.variance[0, 2])

    assert min(rare, 0.3) - 1e-3 <= share <= max(rare, 0.3) + 1e-3
    assert abs(share - rare) < 2.5 * error
