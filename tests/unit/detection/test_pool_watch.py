"""Pools are looked at once a day, and whatever was looked at before, the same is found."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest

from agentvigil.analysis.detection import DetectionConfig
from agentvigil.analysis.features.cells import Cells, Subject, time_of
from agentvigil.analysis.features.reading import RunCount
from agentvigil.analysis.findings.lifecycle import place, quiet
from agentvigil.analysis.findings.model import Kind, Observation, Resolution, SubjectType
from agentvigil.analysis.watching import pools
from agentvigil.analysis.watching.pools import PoolKey, PoolWatch, pool_key_of
from simulated_agents import Agent, cells_of, subject

FORTNIGHT = 14 * 24
FIRST = 20_000 * 24 // FORTNIGHT * FORTNIGHT
"""Beginning of a fortnight."""
CHANGED = FIRST + 28 * 24 + 30


BEGAN, OVER, AGAIN = 36.25, 40, 50


def fleet_of(*changes: float, days: int = 42) -> dict[Subject, Cells]:
    """Return twelve small agents of two models, of which one writes more from a day on, and as before from the next."""
    fleet = {}
    for number in range(12):
        agent = Agent(40, classes={"": 1.0}, model=("gpt", "claude")[number % 2], version=f"1.{number}")
        more = replace(agent, tokens=agent.tokens * 1.4) if agent.model == "gpt" else agent
        periods = [(day, more if place % 2 == 0 else agent) for place, day in enumerate(changes)]
        fleet[subject(number)] = cells_of(agent, days, number, start=FIRST, changes=periods)
    return fleet


@pytest.fixture(scope="module")
def fleet() -> dict[Subject, Cells]:
    return fleet_of((CHANGED - FIRST) / 24)


def watch_of(fleet: Mapping[Subject, Cells]) -> tuple[PoolWatch, dict[Subject, RunCount]]:
    def read(first_hour: int, end_hour: int, subjects: Collection[Subject] | None = None) -> Mapping[Subject, Cells]:
        wanted = fleet if subjects is None else {one: fleet[one] for one in subjects}
        return {one: cells.between(first_hour, end_hour) for one, cells in wanted.items()}

    counts = {one: RunCount(runs=1_500, first_hour=FIRST) for one in fleet}
    return PoolWatch(read, DetectionConfig()), counts


def keys_of(found: list[Observation]) -> set[PoolKey]:
    return {key for seen in found if (key := pool_key_of(seen)) is not None}


def key_of(seen: Observation) -> tuple[Kind, SubjectType, str, str, str]:
    return seen.kind, seen.subject_type, seen.subject, seen.feature, seen.direction


def test_a_silent_update_is_found_day_by_day_and_again_after_a_restart(fleet: dict[Subject, Cells]) -> None:
    """Nothing is kept: a new process works out the fortnight again."""
    watch, counts = watch_of(fleet)
    by_day: dict[int, list[Observation]] = {}
    found: list[Observation] = []
    for day in range(29, 34):
        by_day[day] = watch.look(FIRST + 24 * day, counts, keys_of(found))
        found += by_day[day]
    again, _ = watch_of(fleet)

    assert {key_of(seen) for seen in found} >= {
        (Kind.FAILURE_MODE, SubjectType.MODEL, "gpt", "output_tokens", "up")
    }  # fmt: skip
    assert {seen.subject for seen in found} == {"gpt"}
    assert by_day[29] == []
    assert again.look(FIRST + 24 * 33, counts) == found
    assert watch.look(FIRST + 24 * 33, counts, keys_of(found)) == []
    assert all(seen.details["looked_at"] == {"agents": 12, "of": 12} for seen in found)
    assert abs(found[0].details["moved"]["shift"]) > 0.2


@pytest.mark.long
def test_what_is_over_is_closed_after_two_days_and_found_again_if_it_comes_back() -> None:
    """Whatever fortnight it is by then, and whichever process looks: the weeks before it are compared with."""
    fleet = fleet_of(BEGAN, OVER, AGAIN, days=58)
    watch, counts = watch_of(fleet)
    found = watch.look(FIRST + 24 * OVER, counts)
    (first,) = (seen for seen in found if seen.feature == "output_tokens" and seen.kind is Kind.FAILURE_MODE)
    change = place(first, [], is_muted=False, now=first.seen_at).change
    assert change is not None
    finding, open_keys, closed_on = change.finding, keys_of(found), 0

    for day in range(OVER, AGAIN):
        # In the next fortnight a new process knows what the book has, and no more.
        looking = watch_of(fleet)[0] if day == OVER + 3 else watch
        assert looking.look(FIRST + 24 * day, counts, open_keys) == []
        ((_, is_inside),) = looking.inside([finding], FIRST + 24 * day)
        assert not (day == OVER and is_inside)
        if (now := quiet(finding, is_inside=is_inside, now=time_of(FIRST + 24 * day))) is not None:
            finding = now.finding
        if finding.is_resolved:
            closed_on = day
            break

    assert finding.resolution is Resolution.BACK_TO_NORMAL
    assert OVER + 2 <= closed_on <= OVER + 5
    assert not watch.look(FIRST + 24 * closed_on, counts)
    looks = (watch.look(FIRST + 24 * day, counts) for day in range(AGAIN, AGAIN + 8))
    again = next(seen for seen in looks if key_of(first) in map(key_of, seen))
    assert all(seen.changed_to is not None and seen.changed_to > time_of(FIRST + 24 * AGAIN) for seen in again)


@pytest.mark.long
def test_what_is_accepted_is_not_looked_for_until_the_baseline_begins_with_it(fleet: dict[Subject, Cells]) -> None:
    watch, counts = watch_of(fleet)
    found = watch.look(FIRST + 24 * 33, counts)
    accepted = dict.fromkeys(keys_of(found), CHANGED)

    assert watch_of(fleet)[0].look(FIRST + 24 * 33, counts, (), accepted) == []
    assert watch_of(fleet)[0].look(FIRST + 24 * 33, counts, (), dict.fromkeys(accepted, FIRST)) == found


def test_a_finding_says_how_many_agents_are_looked_at(
    fleet: dict[Subject, Cells], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "_MOST_AGENTS", 10)
    watch, counts = watch_of(fleet)

    (first, *_) = watch.look(FIRST + 24 * 33, counts)

    assert first.explanation.endswith(" Of 12 agents the 10 with most runs are looked at together.")
    assert first.details["looked_at"] == {"agents": 10, "of": 12}


def test_agents_that_are_too_young_or_too_few_are_no_pool(fleet: dict[Subject, Cells]) -> None:
    """What is not known can not have moved."""
    watch, counts = watch_of(fleet)
    young = {one: replace(count, first_hour=FIRST + 20 * 24) for one, count in counts.items()}
    few = dict(list(counts.items())[:2])

    assert watch.look(FIRST + 24 * 33, young) == []
    assert watch_of(fleet)[0].look(FIRST + 24 * 33, few) == []
