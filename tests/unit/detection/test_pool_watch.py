"""Pools are looked at once a day, and whatever was looked at before, the same is found."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest

from agentvigil.analysis.detection import DetectionConfig
from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.features.reading import RunCount
from agentvigil.analysis.findings.model import Kind, Observation, SubjectType
from agentvigil.analysis.watching.pools import PoolWatch
from simulated_agents import Agent, cells_of, subject

FORTNIGHT = 14 * 24
FIRST = 20_000 * 24 // FORTNIGHT * FORTNIGHT
"""Beginning of a fortnight."""
CHANGED = FIRST + 28 * 24 + 30


@pytest.fixture(scope="module")
def fleet() -> dict[Subject, Cells]:
    """Return twelve small agents of two models, of which one writes a third more from an hour on."""
    fleet = {}
    for number in range(12):
        agent = Agent(40, classes={"": 1.0}, model=("gpt", "claude")[number % 2], version=f"1.{number}")
        now = replace(agent, tokens=agent.tokens * 1.4) if agent.model == "gpt" else agent
        fleet[subject(number)] = cells_of(agent, 42, number, start=FIRST, changes=[((CHANGED - FIRST) / 24, now)])
    return fleet


def watch_of(fleet: Mapping[Subject, Cells]) -> tuple[PoolWatch, dict[Subject, RunCount]]:
    def read(first_hour: int, end_hour: int, subjects: Collection[Subject] | None = None) -> Mapping[Subject, Cells]:
        wanted = fleet if subjects is None else {one: fleet[one] for one in subjects}
        return {one: cells.between(first_hour, end_hour) for one, cells in wanted.items()}

    counts = {one: RunCount(runs=1_500, first_hour=FIRST) for one in fleet}
    return PoolWatch(read, DetectionConfig()), counts


def key_of(seen: Observation) -> tuple[Kind, SubjectType, str, str, str]:
    return seen.kind, seen.subject_type, seen.subject, seen.feature, seen.direction


def test_a_silent_update_is_found_day_by_day_and_again_after_a_restart(fleet: dict[Subject, Cells]) -> None:
    """Nothing is kept: a new process works out the fortnight again."""
    watch, counts = watch_of(fleet)
    by_day = {
        day: watch.look(FIRST + 24 * day, counts) for day in range(29, 34)
    }  # fmt: skip
    found = [seen for seen_that_day in by_day.values() for seen in seen_that_day]
    again, _ = watch_of(fleet)

    assert {key_of(seen) for seen in found} >= {
        (Kind.FAILURE_MODE, SubjectType.MODEL, "gpt", "output_tokens", "up")
    }  # fmt: skip
    assert {seen.subject for seen in found} == {"gpt"}
    assert by_day[29] == []
    assert again.look(FIRST + 24 * 33, counts) == found
    assert watch.look(FIRST + 24 * 33, counts) == []


def test_agents_that_are_too_young_or_too_few_are_no_pool(fleet: dict[Subject, Cells]) -> None:
    """What is not known can not have moved."""
    watch, counts = watch_of(fleet)
    young = {one: replace(count, first_hour=FIRST + 20 * 24) for one, count in counts.items()}
    few = dict(list(counts.items())[:2])

    assert watch.look(FIRST + 24 * 33, young) == []
    assert watch_of(fleet)[0].look(FIRST + 24 * 33, few) == []
