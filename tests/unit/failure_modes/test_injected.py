"""Faults that the benchmark's generator lays over an agent are found, and what only looks like them is not.

The agents have about a thousand and a hundred runs a day with seasons, bursts, wander and heavy tails; they are looked
at three weeks after. The benchmark has the same for fleets: ``benchmarks/detection/mode_days.py``.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "detection"))

from climates import CALM
from generator import BASELINE_DAYS, MONITORED_DAYS, count_runs, course_of, subject_of
from modes import CASES, Case

from agentvigil.analysis.failure_modes.registry import FEATURES_READ, find_all

THOUSAND, HUNDRED, COUNT = 28, 13, 50
"""Agents of a fleet by their place, which is how many runs a day they have, and how many there are."""

OF_AGENTS = [case for case in CASES if not case.by_model]


def told(case: Case, number: int) -> list[str]:
    course = course_of(11, number, COUNT, CALM, BASELINE_DAYS + MONITORED_DAYS, [case.fault()])
    cells = count_runs(course, FEATURES_READ)
    return [one.detector for one in find_all(cells, subject_of(course.agent), course.first_hour + course.hours)]


@pytest.mark.parametrize("case", OF_AGENTS, ids=lambda case: f"{case.mode}: {case.words}")
def test_a_mode_says_what_happened_and_no_other_does(case: Case) -> None:
    """Precision and recall begin with one agent each."""
    assert told(case, THOUSAND) == ([case.mode] if case.is_failure else [])


@pytest.mark.parametrize("case", [case for case in OF_AGENTS if case.is_failure], ids=lambda case: case.words)
def test_a_hundred_runs_a_day_are_enough_in_three_weeks(case: Case) -> None:
    """It takes all days before the fault and all since: two weeks of either, or Student's few days, would not do."""
    assert told(case, HUNDRED) == [case.mode]
