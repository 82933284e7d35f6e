"""Findings in a store: what is written is what is read, and doing it again changes nothing."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.errors import FindingUnknown, NotInState
from agentvigil.analysis.findings.finding import Finding
from agentvigil.analysis.findings.lifecycle import FALSE_ALARM_MUTE, Outcome
from agentvigil.analysis.findings.model import Kind, Observation, Resolution, Severity, State, SubjectType
from agentvigil.storage.embedded import EmbeddedStore
from migrated_stores import MigratedStores
from observations import at, observation

HOSTILE = "a'\"\\\n\0\u202e {x:String} =1+1 é"
NOW = at(20)


@pytest.fixture(scope="module")
def store(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """One store for all tests of this file: each has a project of its own."""
    with migrated_stores.taken() as store:
        yield store


@pytest.fixture
def project(request: pytest.FixtureRequest) -> str:
    return request.node.name


@pytest.fixture
def book(store: EmbeddedStore) -> FindingsBook:
    return FindingsBook(store)


def begun(book: FindingsBook, one: Observation, hour: float = 20) -> Finding:
    (recorded,) = book.record([one], at(hour))
    assert (recorded.outcome, recorded.observation) == (Outcome.NEW, one)
    assert recorded.finding is not None
    return recorded.finding


def rows(store: EmbeddedStore, project: str) -> Any:
    return [
        store.rows(f"SELECT * FROM {table} FINAL WHERE Project = {{p:String}} ORDER BY ALL", {"p": project})
        for table in ("findings", "finding_events", "finding_mutes")
    ]


def test_all_that_was_seen_is_read_again(book: FindingsBook, project: str) -> None:
    whole = observation(
        project=project,
        kind=Kind.REGRESSION,
        subject=HOSTILE,
        subject_type=SubjectType.VERSION,
        changed_from=at(9) + timedelta(microseconds=1),
        changed_to=at(11),
        baseline_start=at(-100),
        baseline_end=at(9),
        baseline_value=0.2,
        window_value=0.31,
        window_low=0.28,
        window_high=0.34,
        unit="share",
        statistic=1e300,
        threshold=7200.0,
        evidence_level=7200.0,
        effect_size=0.55,
        runs=1234,
        usd_per_day=-1.5,
        failed_runs_per_day=0.0,
        explanation=HOSTILE,
        details={"parts": [{"dimension": "model", "key": HOSTILE, "share": 0.7}], "n": [1, None, True]},
        example_runs=("r1", HOSTILE),
        typical_runs=("r2",),
    )

    finding = begun(book, whole)

    assert finding.seen == whole
    assert book.one(project, finding.id) == finding
    assert book.unresolved(project) == [finding]


def test_what_no_table_has_is_not_known(book: FindingsBook, project: str) -> None:
    """Detectors divide by zero, and hand over what numpy gave them."""
    odd = observation(
        project=project,
        effect_size=float("inf"),
        statistic=float("nan"),
        window_value=np.float64(0.5),
        runs=np.int64(7),
        details={"series": np.array([[1.0, np.nan]]), "at": at(3), "n": np.int32(3)},
    )

    seen = book.one(project, begun(book, odd).id).seen

    assert (seen.effect_size, seen.statistic, seen.window_value, seen.runs) == (None, None, 0.5, 7)
    assert seen.details == {"series": [[1.0, None]], "at": "2026-11-01T03:00:00+00:00", "n": 3}


def test_said_again_it_changes_nothing(book: FindingsBook, store: EmbeddedStore, project: str) -> None:
    said = [observation(10, seen, project=project, feature=name) for name in ("tool", "cost") for seen in (12, 13, 15)]
    first = book.record(said, NOW)
    before = rows(store, project)

    again = FindingsBook(store).record(reversed(said), at(50))

    assert [one.outcome for one in first].count(Outcome.NEW) == 2
    assert {one.outcome for one in again} == {Outcome.KNOWN}
    assert {one.finding.id for one in again if one.finding} == {one.finding.id for one in first if one.finding}
    assert rows(store, project) == before
    assert book.record([], NOW) == []


def test_two_processes_find_the_same_finding(store: EmbeddedStore, project: str) -> None:
    """Neither saw what the other wrote: both write version 1 of one id."""
    one = observation(project=project)
    begun(FindingsBook(store), one)
    kept = rows(store, project)
    store.command("DELETE FROM findings WHERE Project = {p:String}", {"p": project})
    begun(FindingsBook(store), one)

    assert rows(store, project) == kept


def test_a_false_alarm_is_not_heard_of_for_thirty_days(book: FindingsBook, project: str) -> None:
    first = begun(book, observation(project=project))
    resolved = book.resolve(project, first.id, Resolution.FALSE_ALARM, "key", NOW)
    later = observation(100, 110, project=project)

    assert book.one(project, first.id) == resolved
    assert [one.outcome for one in book.record([later], at(110))] == [Outcome.MUTED]
    assert book.unresolved(project) == []
    assert [one.outcome for one in book.record([later], NOW + FALSE_ALARM_MUTE)] == [Outcome.NEW]


def test_a_longer_mute_outlasts_a_false_alarm(book: FindingsBook, project: str) -> None:
    first = begun(book, observation(project=project))
    book.mute(project, first.id, None, "key", NOW)
    book.resolve(project, first.id, Resolution.FALSE_ALARM, "key", NOW)

    assert [mute.until for mute in book.mutes([project], [first.stable_key])] == [None]


def test_reopened_or_unmuted_it_is_heard_of_again(book: FindingsBook, project: str) -> None:
    first = begun(book, observation(project=project))
    book.resolve(project, first.id, Resolution.FALSE_ALARM, "key", NOW)
    assert book.reopen(project, first.id, "key", NOW).state is State.OPEN
    assert [one.outcome for one in book.record([observation(10, 21, project=project)], at(21))] == [Outcome.UPDATED]

    book.mute(project, first.id, at(30), "key", at(22))
    assert [one.outcome for one in book.record([observation(10, 23, project=project)], at(23))] == [Outcome.MUTED]
    book.unmute(project, first.id, "key", at(24))
    assert [one.outcome for one in book.record([observation(10, 25, project=project)], at(25))] == [Outcome.UPDATED]
    assert book.unmute(project, first.id, "key", at(26)) == book.one(project, first.id)


def test_the_history_says_who_did_what_in_order(book: FindingsBook, store: EmbeddedStore, project: str) -> None:
    first = begun(book, observation(project=project, severity=Severity.MINOR))
    book.record([observation(10, 21, project=project, severity=Severity.CRITICAL)], at(21))
    book.acknowledge(project, first.id, "key", at(22))
    book.acknowledge(project, first.id, "key", at(22))
    book.resolve(project, first.id, Resolution.NEW_NORMAL, "other", at(23))

    steps = store.rows(
        "SELECT What, Value, KeyId FROM finding_events FINAL WHERE Project = {p:String} ORDER BY FindingVersion",
        {"p": project},
    )
    assert steps == [
        ("found", "minor", ""),
        ("severity", "critical", ""),
        ("acknowledged", "", "key"),
        ("resolved", "new_normal", "other"),
    ]


def test_detectors_learn_what_was_resolved(book: FindingsBook, project: str) -> None:
    normal, fixed = (begun(book, observation(project=project, feature=name)) for name in ("tool", "cost"))
    normal = book.resolve(project, normal.id, Resolution.NEW_NORMAL, "key", at(30))
    fixed = book.resolve(project, fixed.id, Resolution.FIXED, "key", at(31))

    assert book.resolutions_since(at(30), project) == [normal, fixed]
    assert book.resolutions_since(at(30.5), project) == [fixed]


def test_what_is_quiet_is_closed_and_what_nobody_looked_at_is_not(book: FindingsBook, project: str) -> None:
    inside, outside, unseen = (
        begun(book, observation(project=project, feature=name)) for name in ("tool", "cost", "steps")
    )
    run = begun(book, observation(None, 20, project=project, subject_type=SubjectType.RUN, subject="r1"))
    keys = {inside.stable_key, outside.stable_key}

    assert book.close_quiet(keys, at(30)) == []
    assert book.close_quiet({inside.stable_key}, at(50), outside={outside.stable_key}) == []
    closed = book.close_quiet(keys, at(78))

    assert {one.id for one in closed if one.seen.project == project} == {inside.id, run.id}
    assert {one.id for one in book.unresolved(project)} == {outside.id, unseen.id}


def test_what_goes_on_is_refreshed_and_begins_nothing(book: FindingsBook, store: EmbeddedStore, project: str) -> None:
    finding = begun(book, observation(project=project, runs=10))
    newer = observation(project=project, seen=36, runs=500)
    other = observation(project=project, seen=36, feature="cost")

    assert [one.id for one in book.refresh([newer, other], at(36))] == [finding.id]
    written = rows(store, project)
    assert book.refresh([newer, other], at(37)) == []
    assert rows(store, project) == written
    (kept,) = book.unresolved(project)
    assert (kept.seen.runs, kept.found_at, kept.incident_id) == (500, finding.found_at, finding.incident_id)


def test_what_is_closed_is_closed_with_its_last_numbers(book: FindingsBook, project: str) -> None:
    finding = begun(book, observation(project=project, seen=12, runs=10))
    last = observation(project=project, seen=20, runs=99)
    key = {finding.stable_key}

    assert book.close_quiet(key, at(30), last=[last]) == []
    assert book.one(project, finding.id).seen.runs == 10
    (closed,) = book.close_quiet(key, at(78), last=[last])
    assert closed.seen.runs == 99
    assert book.one(project, finding.id) == closed


def test_findings_of_one_time_are_in_one_incident(book: FindingsBook, project: str) -> None:
    """Also when they come in one by one, and when a model takes some away that came long before."""
    models = {"models": ["gpt-4.1"]}
    agents = [
        begun(book, observation(project=project, agent=name, subject=name, details=models), 20 + hour)
        for hour, name in enumerate("abc")
    ]
    symptom = begun(book, observation(11, 13, project=project, agent="c", subject="c", feature="cost"), 24)
    now = [book.one(project, one.id) for one in agents]

    assert len({one.incident_id for one in now}) == 1
    assert now[0].incident_id != agents[0].incident_id
    assert symptom.incident_id == agents[2].incident_id


def test_another_project_has_none_of_it(book: FindingsBook, project: str) -> None:
    first = begun(book, observation(project=project))

    for act in (book.acknowledge, book.reopen, book.unmute):
        with pytest.raises(FindingUnknown, match="project other"):
            act("other", first.id, "key", NOW)
    other = begun(book, replace(observation(), project=f"{project}-other"))
    assert other.id != first.id
    assert other.incident_id != first.incident_id


def test_findings_are_kept_as_long_as_they_should(store: EmbeddedStore, project: str) -> None:
    begun(FindingsBook(store, keep_days=30), observation(project=project))

    for table in ("findings", "finding_events"):
        kept = store.rows(f"SELECT KeepDays FROM {table} WHERE Project = {{p:String}}", {"p": project})
        assert kept == [(30,)]


_ACTS = st.lists(
    st.tuples(
        st.sampled_from(["see", "see", "see", "again", "resolve", "false_alarm", "reopen", "mute", "unmute", "quiet"]),
        st.sampled_from("ab"),
        st.integers(0, 30),
    ),
    min_size=4,
    max_size=14,
)
_PROJECTS = (f"lived-{number}" for number in count())


@given(acts=_ACTS)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_whichever_order_things_happen_one_thing_is_found_once(
    book: FindingsBook, store: EmbeddedStore, acts: list[tuple[str, str, int]]
) -> None:
    """The life of findings as the store has it, with a new book now and then as after a restart."""
    project, hour, said = next(_PROJECTS), 100.0, []
    for act, agent, number in acts:
        hour += 1 + number
        kept = store.records("SELECT FindingId FROM findings FINAL WHERE Project = {p:String}", {"p": project})
        finding_id = kept[number % len(kept)]["FindingId"] if kept else ""
        if act == "see":
            one = observation(hour - number, hour, project=project, agent=agent, subject=agent)
            (recorded,) = book.record([one], at(hour))
            said += [one] if recorded.outcome in (Outcome.NEW, Outcome.UPDATED) else []
        elif act == "again":
            before = rows(store, project)
            assert {recorded.outcome for recorded in FindingsBook(store).record(said, at(hour))} <= {Outcome.KNOWN}
            assert rows(store, project) == before
        elif act == "quiet":
            book.close_quiet({one.stable_key for one in book.unresolved(project)}, at(hour))
        elif finding_id:
            with suppress(NotInState):
                _do(book, act, project, finding_id, hour)
        unresolved = [one.stable_key for one in book.unresolved(project)]
        assert len(unresolved) == len(set(unresolved))


def _do(book: FindingsBook, act: str, project: str, finding_id: str, hour: float) -> None:
    match act:
        case "resolve" | "false_alarm":
            resolution = Resolution.FALSE_ALARM if act == "false_alarm" else Resolution.FIXED
            book.resolve(project, finding_id, resolution, "key", at(hour))
        case "reopen":
            book.reopen(project, finding_id, "key", at(hour))
        case "mute":
            book.mute(project, finding_id, at(hour + 50), "key", at(hour))
        case "unmute":
            book.unmute(project, finding_id, "key", at(hour))
