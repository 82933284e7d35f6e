"""How the detection benchmark judges: intervals, alarms counted once, and scores as they were published."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "detection"))

from evaluation import Alarm, FalseAlarms, Power, Share, Trial, distinct, trial
from recipes import Recipe, Score, tuned


def test_alarms_of_a_feature_count_once_a_week() -> None:
    """Who is woken by the same thing daily has one alarm a week, not seven."""
    daily = [Alarm(24 * day, "cost") for day in range(15)]

    assert distinct(daily) == [Alarm(0, "cost"), Alarm(168, "cost"), Alarm(336, "cost")]
    assert distinct([Alarm(5, "cost"), Alarm(6, "tool"), Alarm(7, "cost")]) == [Alarm(5, "cost"), Alarm(6, "tool")]


def test_intervals_are_those_of_the_tables() -> None:
    """No alarm in 1,000 months is up to 3.69 in 1,000; 9 of 1,000 is 4.1 to 17.1; 45 of 50 is 78.6 to 95.7 %."""
    assert FalseAlarms(0, 1000).interval == pytest.approx((0, 0.003689), rel=1e-3)
    assert FalseAlarms(9, 1000).interval == pytest.approx((0.004115, 0.017085), rel=1e-3)
    assert Share(45, 50).interval == pytest.approx((0.7864, 0.9565), abs=1e-4)
    assert Share(0, 0).interval == (0, 1)


def test_a_drift_is_found_by_the_first_alarm_that_names_it() -> None:
    """An alarm of something else, or from before, has found nothing."""
    alarms = [Alarm(90, "cost"), Alarm(105, "tool"), Alarm(120, "cost"), Alarm(110, "cost")]

    found = trial(alarms, ("cost",), 100, 48.0, np.full(200, 2), 0)

    assert found == Trial(48.0, 10, 20)
    assert trial(alarms, ("steps",), 100, 48.0, np.full(200, 2), 0) == Trial(48.0, None, None)
    power = Power((found, Trial(500.0, 30, 900), Trial(500.0, None, None)))
    assert power.found == Share(2, 3)
    assert power.found_within(100) == Share(1, 3)
    assert power.of_at_least(200).found == Share(1, 2)
    assert power.median_hours == 20


def test_a_recipe_is_tuned_to_the_rate_of_false_alarms_that_it_may_have() -> None:
    """A comparison at equal rates of false alarms is the fair one."""
    random = np.random.default_rng(0)
    agents = [[Score(24 * day, "cost", float(random.exponential())) for day in range(30)] for _ in range(200)]
    recipe = Recipe("any", lambda _, __: iter(()), 0.0, tunable=True)

    threshold = tuned(recipe, agents, months=200, rate=0.1)

    alarms = sum(len(distinct(Alarm(s.hour, s.feature) for s in agent if s.value >= threshold)) for agent in agents)
    assert 15 <= alarms <= 20
