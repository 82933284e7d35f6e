"""Which baseline holds at an hour, by the rules of the page on baselines."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentvigil.analysis.baselines.choosing import (
    FEWEST_DAYS,
    Baseline,
    Hours,
    Incident,
    Pin,
    Source,
    VersionSeen,
    baseline_at,
    versions_of,
)
from runs_in_cells import FIRST_HOUR, Fleet, cells_of, together

DAY = 24
NOW = 100 * DAY


def seen(*spans: tuple[str, int, int]) -> list[VersionSeen]:
    return [VersionSeen(version, first * DAY, last * DAY) for version, first, last in spans]


def at(now: int = NOW, first_hour: int = 0, **more: Sequence[object]) -> Baseline:
    return baseline_at(now, first_hour=first_hour, **more)  # type: ignore[arg-type]


def test_what_a_user_pinned_goes_before_all_else() -> None:
    old = Pin("old", Hours(0, 20 * DAY), "", 21 * DAY)
    new = Pin("new", Hours(30 * DAY, 50 * DAY), "1.1", 51 * DAY)

    chosen = at(pins=[new, old], versions=seen(("1.1", 0, 100)))

    assert (chosen.source, chosen.name, chosen.hours, chosen.version) == (Source.PINNED, "new", new.hours, "1.1")
    assert chosen.reason == "pinned as new, of version 1.1"
    assert at(40 * DAY, pins=[new, old]).name == "old"


def test_a_version_is_compared_with_itself_once_it_has_fourteen_days() -> None:
    versions = seen(("1.3", 0, 85), ("1.4", 86, 100))

    chosen = at(versions=versions)

    assert (chosen.source, chosen.version, chosen.hours) == (Source.VERSION, "1.4", Hours(86 * DAY, NOW))


def test_a_new_version_forks_the_baseline() -> None:
    """Its own days would show what it is, not whether it got worse."""
    chosen = at(versions=seen(("1.2", 0, 40), ("1.3", 20, 95), ("1.4", 95, 100)))

    assert (chosen.source, chosen.version) == (Source.PREVIOUS_VERSION, "1.3")
    assert chosen.hours == Hours(67 * DAY, 95 * DAY)
    assert chosen.reason == "version 1.4 has 5 of 14 days: it is compared with version 1.3, which ran before"


def test_going_back_to_an_old_version_makes_it_the_one_that_runs() -> None:
    chosen = at(versions=seen(("1.3", 0, 100), ("1.4", 90, 92)))

    assert (chosen.source, chosen.version) == (Source.VERSION, "1.3")


def test_without_versions_the_last_weeks_hold() -> None:
    chosen = at(versions=seen(("", 0, 100)))

    assert (chosen.source, chosen.hours) == (Source.TRAILING, Hours(72 * DAY, NOW))
    assert chosen.reason == "no version is known: the 28 days before"


def test_fewer_than_fourteen_days_are_no_baseline() -> None:
    """A guess would be worse than none, and the reason says how long it will take."""
    chosen = at(first_hour=NOW - 5 * DAY)

    assert chosen.source is Source.NONE
    assert not chosen.is_usable
    assert chosen.reason == "no version is known; there are 5 of 14 days of the agent without incidents"


def test_hours_of_open_incidents_are_left_out() -> None:
    incidents = [Incident(90 * DAY, 92 * DAY), Incident(91 * DAY, 93 * DAY), Incident(99 * DAY)]

    chosen = at(incidents=incidents)

    assert chosen.left_out == [Hours(90 * DAY, 92 * DAY), Hours(92 * DAY, 93 * DAY), Hours(99 * DAY, NOW)]
    assert chosen.reason.endswith("without 96 hours of open incidents")


def test_a_long_incident_leaves_too_little() -> None:
    assert at(incidents=[Incident(80 * DAY)]).source is Source.NONE


@pytest.mark.parametrize("source", list(Source))
def test_every_source_can_be_chosen(source: Source) -> None:
    ways = {
        Source.PINNED: at(pins=[Pin("x", Hours(1, 2), "", 3)]),
        Source.VERSION: at(versions=seen(("1", 0, 100))),
        Source.PREVIOUS_VERSION: at(versions=seen(("1", 0, 99), ("2", 99, 100))),
        Source.TRAILING: at(),
        Source.NONE: at(first_hour=NOW),
    }

    assert ways[source].source is source


@given(
    now=st.integers(0, 200 * DAY),
    first=st.integers(0, 200 * DAY),
    spans=st.lists(st.tuples(st.sampled_from(["", "1", "2", "3"]), st.integers(0, 4800), st.integers(0, 900))),
    incidents=st.lists(st.tuples(st.integers(0, 4800), st.none() | st.integers(0, 4800))),
)
def test_what_holds_is_of_the_past_and_long_enough(
    now: int,
    first: int,
    spans: list[tuple[str, int, int]],
    incidents: list[tuple[int, int | None]],
) -> None:
    """Whatever was seen: a baseline that is used has fourteen days, none of them after the hour or twice left out."""
    chosen = baseline_at(
        now,
        first_hour=first,
        versions=[VersionSeen(version, begin, begin + length) for version, begin, length in spans],
        incidents=[Incident(begin, end) for begin, end in incidents],
    )

    if chosen.is_usable:
        left = len(chosen.hours) - sum(map(len, chosen.left_out))
        assert left >= FEWEST_DAYS * DAY
        assert chosen.hours.end <= now
        assert all(one.end <= other.first for one, other in zip(chosen.left_out, chosen.left_out[1:], strict=False))
        assert all(chosen.hours.first <= one.first < one.end <= chosen.hours.end for one in chosen.left_out)


def test_a_baseline_takes_its_own_runs() -> None:
    old, new = cells_of(Fleet(days=3, runs_per_day=300), 1), cells_of(Fleet(days=3, runs_per_day=300, version="2"), 2)
    both = together(old, new)
    hours = Hours(FIRST_HOUR + 5, FIRST_HOUR + 40)
    left_out = Hours(FIRST_HOUR + 10, FIRST_HOUR + 12)

    taken = Baseline(Source.PINNED, hours, "1.3", [left_out], "x", "").of(both)

    there = set(range(hours.first, hours.end)) - set(range(left_out.first, left_out.end))
    assert {both.words[code] for code in taken.version} == {"1.3"}
    assert set(taken.hour.tolist()) == set(old.hour.tolist()) & there
    assert [one.version for one in versions_of(both)] == ["1.3", "2"]
    assert len(Baseline(Source.NONE, hours, "", (), "", "").of(both)) == 0
