"""The recipes see what is in the cells: the comparison would be none if they were given less or something else."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ks_2samp

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "detection"))

from generator import count_runs, course_of
from history import History, history_of, sampled_runs
from recipes import daily_tests, daily_tests_adjusted, psi_weekly

DAYS = 21
BASELINE_HOURS = 24 * 14


@pytest.fixture(scope="module")
def history() -> History:
    course = course_of(5, 20, 50, days=DAYS)
    return history_of(count_runs(course), course.first_hour, course.first_hour + course.hours)


def test_runs_are_sampled_as_the_bins_have_them(history: History) -> None:
    """All runs of each hour: as many with a key as there were, and as many values in each bin."""
    streams = sampled_runs(history, 10**6, np.random.default_rng(1))

    tools = history.categories["tool"]
    name, hours, had = streams[f"tool {tools.keys[0]}"]
    assert name == "tool"
    assert np.bincount(hours.astype(int), had, history.hours).tolist() == tools.n[:, 0].tolist()
    durations = history.values["duration"]
    _, hours, log2 = streams["duration"]
    place = np.searchsorted(durations.log2_low, log2, side="right") - 1
    counted = np.zeros_like(durations.n)
    np.add.at(counted, (hours.astype(int), place), 1)
    np.testing.assert_array_equal(counted, durations.n)


def test_few_runs_of_an_hour_are_a_sample_of_them(history: History) -> None:
    """A method that takes runs one by one gets at most so many of an hour, the same share of them with a key."""
    _, hours, had = sampled_runs(history, 3, np.random.default_rng(1))["tool tool-0"]

    tools = history.categories["tool"]
    assert np.bincount(hours.astype(int)).max() == 3
    assert had.mean() == pytest.approx(tools.n[:, 0].sum() / tools.total.sum(), abs=0.03)


def test_the_test_on_bins_is_the_test_on_values(history: History) -> None:
    """Kolmogorov and Smirnov's distance needs no more than the bins."""
    values = history.values["cost"]
    centres = np.arange(len(values.log2_low), dtype=float)
    before = np.repeat(centres, values.n[:BASELINE_HOURS].sum(axis=0).astype(int))
    day = np.repeat(centres, values.n[BASELINE_HOURS : BASELINE_HOURS + 24].sum(axis=0).astype(int))

    p = ks_2samp(before, day, method="asymp").pvalue
    score = next(score for score in daily_tests(history, BASELINE_HOURS) if score.feature == "cost")

    assert 10**-score.value == pytest.approx(p, rel=0.1)


def test_adjusting_makes_no_day_worse(history: History) -> None:
    """Benjamini and Hochberg's p-values are never below those that they are made of."""
    alone = {(score.hour, score.feature): score.value for score in daily_tests(history, BASELINE_HOURS)}
    adjusted = {(score.hour, score.feature): score.value for score in daily_tests_adjusted(history, BASELINE_HOURS)}

    assert adjusted.keys() == alone.keys()
    assert all(adjusted[test] <= alone[test] + 1e-9 for test in alone)


def test_a_week_like_the_baseline_is_stable(history: History) -> None:
    """The index of a feature whose shares did not move is near 0."""
    scores = {score.feature: score.value for score in psi_weekly(history, BASELINE_HOURS)}

    assert set(scores) == set(history.categories) | set(history.values)
    assert scores["duration"] < 0.05
