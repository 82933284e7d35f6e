"""Faults that the benchmark's generator lays over an agent are found, and what only looks like them is not.

The agent has about a thousand runs a day with seasons, bursts, wander and heavy tails; it is looked at three weeks
after. The benchmark has the same for fleets: ``benchmarks/detection/mode_days.py``.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "detection"))

from climates import CALM
from generator import BASELINE_DAYS, MONITORED_DAYS, count_runs, course_of, subject_of
from modes import CASES, Case

from agentvigil.analysis.failure_modes.registry import find_all

NUMBER, COUNT = 28, 50


OF_AGENTS = [case for case in CASES if not case.by_model]


@pytest.mark.parametrize("case", OF_AGENTS, ids=lambda case: f"{case.mode}: {case.words}")
def test_a_mode_says_what_happened_and_no_other_does(case: Case) -> None:
    """Precision and recall begin with one agent each."""
    course = course_of(11, NUMBER, COUNT, CALM, BASELINE_DAYS + MONITORED_DAYS, [case.fault()])

    found = find_all(count_runs(course), subject_of(course.agent), course.first_hour + course.hours)

    assert [one.detector for one in found] == ([case.mode] if case.is_failure else [])
