"""From spans to findings and alerts: weeks of runs through the receiver, hour by hour through the detectors."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from agent_traces import START, Sp, agent, chat, receive, tool, trace_of
from alerting import configuration
from counted_cells import put
from trace_requests import S

from agentvigil.analysis.alerts import AlertJob, Sender
from agentvigil.analysis.features.cells import Subject, hour_of, time_of
from agentvigil.analysis.features.feature_hours import FEATURE_HOURS
from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.finding import Finding
from agentvigil.analysis.findings.model import Kind, Resolution, State
from agentvigil.analysis.rollups import RollupJob
from agentvigil.analysis.settling import Trace, TraceSettler
from agentvigil.analysis.settling.state import SettlingState
from agentvigil.analysis.watching import WatchJob
from agentvigil.storage.embedded import EmbeddedStore
from alert_receivers import HOST, mailbox, webhooks
from migrated_stores import MigratedStores
from simulated_agents import Agent, cells_of

HOUR_MS = 3_600_000
DAYS = 17
RUNS_PER_HOUR = 18
WORKED_HOURS_AGO = (1, 2)
"""Of every day, by its distance from now: what is found must not hang on the hour in which tests run."""
CHANGED_HOURS_AGO = 30
THIS_HOUR = START // S // 3600
"""When spans of these tests begin lies in this hour; all runs are in the hours before."""


def spans_of(trace: int, hour: int, chance: random.Random, *, escalates: float, project: str = "default") -> list[Sp]:
    """A run in ``hour`` that calls a person with probability ``escalates``."""
    at = (hour - THIS_HOUR) * HOUR_MS + chance.randrange(HOUR_MS // 2) - (START // 10**6) % HOUR_MS
    name = "hand_over" if chance.random() < escalates else "look_up"
    more = {"trace": trace, "project": project, "resource": {"deployment.environment.name": "production"}}
    return [
        agent(1, 0, "concierge", at, at + 4000, **more),
        chat(2, 1, at + 10, at + 900, **more),
        tool(3, 1, name, at + 1000, at + 1500, **more),
        chat(4, 1, at + 2000, at + 3000, **more),
    ]


def play(store: EmbeddedStore, first_hour: int, end_hour: int, *, changes_at: int, seed: int = 1, base: int = 0) -> int:
    """Take in the runs of some hours, and settle them; return how many there are."""
    chance = random.Random(seed)
    spans: list[Sp] = []
    traces: list[Trace] = []
    for hour in range(first_hour, end_hour):
        if (THIS_HOUR - hour) % 24 in WORKED_HOURS_AGO:
            for _ in range(RUNS_PER_HOUR):
                number = base + len(traces) + 1
                spans += spans_of(number, hour, chance, escalates=0.6 if hour >= changes_at else 0.1)
                traces.append(Trace("default", trace_of(number), time_of(hour), time_of(hour + 1), 4, is_final=True))
    receive(store, *spans)
    TraceSettler(store, batch_spans=100_000).settle(traces)
    return len(traces)


def count(store: EmbeddedStore) -> None:
    job = RollupJob(store, "tests", quiet_s=0, kinds=(FEATURE_HOURS,))
    while job.step(datetime.now(UTC)):
        pass
    SettlingState(store, "tests").advance(datetime.now(UTC))


def watch(store: EmbeddedStore, now: datetime | None = None) -> WatchJob:
    """Let a new process look through all that is counted."""
    job = WatchJob(store, "tests")
    while job.step(now or datetime.now(UTC)):
        pass
    return job


def found(store: EmbeddedStore, kind: Kind = Kind.DRIFT) -> list[Finding]:
    return [one for one in FindingsBook(store).unresolved("default") if one.seen.kind is kind]


@pytest.fixture(scope="module")
def store(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """Seventeen days of an agent that changes near the end, counted and not watched yet."""
    with migrated_stores.taken() as taken:
        play(taken, THIS_HOUR - DAYS * 24, THIS_HOUR, changes_at=THIS_HOUR - CHANGED_HOURS_AGO)
        count(taken)
        yield taken


@pytest.fixture(autouse=True)
def _forget(store: EmbeddedStore) -> Iterator[None]:
    yield
    _forget_all(store)


def test_a_drift_is_found_with_its_time_its_words_and_runs_that_show_it(store: EmbeddedStore) -> None:
    job = watch(store)
    (progress,) = job.progress
    assert (progress.watched, progress.is_behind) == (1, False)
    drifts = {one.seen.feature: one.seen for one in found(store)}
    seen = drifts["tool"]
    changed = time_of(THIS_HOUR - CHANGED_HOURS_AGO)
    assert seen.changed_from is not None
    assert seen.changed_to is not None
    assert seen.changed_from <= changed + timedelta(hours=24)
    assert changed - timedelta(hours=24) <= seen.changed_to
    assert (seen.agent, seen.environment, seen.subject) == ("concierge", "production", "concierge")
    assert seen.baseline_value is not None
    assert seen.window_value is not None
    moved = {"hand_over": 1, "look_up": -1}[str(seen.details["moved"]["key"])]
    assert (seen.window_value - seen.baseline_value) * moved > 0.2
    assert "concierge" in seen.explanation
    assert 1 <= len(seen.example_runs) <= 5
    shown = store.rows(
        "SELECT countIf(has(Tools, 'hand_over')), count() FROM agent_runs FINAL WHERE RunId IN {ids:Array(String)}",
        {"ids": list(seen.example_runs)},
    )
    assert shown[0] == (len(seen.example_runs), len(seen.example_runs))
    # Symptoms of one change are one incident.
    assert len({one.incident_id for one in found(store)}) == 1


@pytest.mark.long
def test_looking_again_and_starting_anew_change_nothing(store: EmbeddedStore) -> None:
    """A second process goes on where the first was, and one that knows nothing finds the same findings."""
    watch(store)
    first = sorted((one.id, one.seen.changed_at, one.seen.statistic) for one in found(store))
    events = store.rows("SELECT count() FROM finding_events FINAL")
    watch(store)
    store.command("TRUNCATE TABLE drift_evidence")
    store.command("TRUNCATE TABLE drift_baselines")
    watch(store)
    assert sorted((one.id, one.seen.changed_at, one.seen.statistic) for one in found(store)) == first
    assert store.rows("SELECT count() FROM finding_events FINAL") == events


@pytest.mark.long
def test_hour_by_hour_finds_what_all_at_once_finds(store: EmbeddedStore) -> None:
    """What a process would have seen as time went by is what one sees that catches up."""
    watch(store)
    at_once = sorted((one.seen.feature, one.seen.seen_at, one.seen.statistic) for one in found(store))
    _forget_all(store)
    for hour in range(THIS_HOUR - 60, THIS_HOUR + 1, 20):
        watch(store, time_of(hour))
    watch(store)
    one_by_one = sorted((one.seen.feature, one.seen.seen_at, one.seen.statistic) for one in found(store))
    assert [one[:2] for one in one_by_one] == [one[:2] for one in at_once]
    assert [one[2] for one in one_by_one] == pytest.approx([one[2] for one in at_once])


# What each of them does to a finding is told with the lifecycle of findings.
@pytest.mark.parametrize(
    "resolution",
    [
        pytest.param(Resolution.FIXED, marks=pytest.mark.long),
        pytest.param(Resolution.FALSE_ALARM, marks=pytest.mark.long),
        Resolution.NEW_NORMAL,
    ],
)
def test_what_was_resolved_is_not_found_again_in_the_same_runs(store: EmbeddedStore, resolution: Resolution) -> None:
    """Whoever starts anew sees the same runs, and knows what became of them."""
    watch(store)
    book, now = FindingsBook(store), datetime.now(UTC)
    ids = [one.id for one in found(store)]
    assert ids
    for finding_id in ids:
        book.resolve("default", finding_id, resolution, "", now)
    store.command("TRUNCATE TABLE drift_evidence")
    store.command("TRUNCATE TABLE drift_baselines")
    watch(store)
    assert not found(store)
    assert {book.one("default", finding_id).state for finding_id in ids} == {State.RESOLVED}


def test_evidence_that_is_damaged_begins_anew(store: EmbeddedStore, caplog: pytest.LogCaptureFixture) -> None:
    watch(store)
    store.command(
        "INSERT INTO drift_evidence (Project, NextHour, CountedFrom, CountedTo, Counted, Evidence, Version) "
        "SELECT Project, NextHour, CountedFrom, CountedTo, Counted, 'bm9uc2Vuc2U=', Version + 1 "
        "FROM drift_evidence FINAL"
    )
    job = watch(store)
    assert "begins anew" in caplog.text
    assert job.progress[0].watched == 1


def test_weeks_that_are_counted_late_are_looked_through(migrated_stores: MigratedStores) -> None:
    """The days behind them were looked at already, and told nothing without what they are compared with."""
    usual = Agent(240, season=0.0, daily=0.3)
    moved = replace(usual, tools={**usual.tools, "refund": 0.5})
    start = hour_of(datetime.now(UTC)) // 24 * 24 - DAYS * 24
    early = start + (DAYS - 3) * 24
    cells = cells_of(usual, DAYS, 5, start=start, changes=[(DAYS - 3, moved)])
    concierge = Subject("default", "production", "concierge")
    with migrated_stores.taken() as late:
        put(late, concierge, cells.between(early, start + DAYS * 24))
        assert watch(late).progress[0].watched == 0
        put(late, concierge, cells.between(start, early))
        job = watch(late)
        assert job.progress[0].watched == 1
        assert "tool" in {one.seen.feature for one in found(late)}


@pytest.mark.long
def test_runs_that_come_late_are_looked_through(migrated_stores: MigratedStores) -> None:
    """Weeks of another agent that are sent after the hours were looked at raise its drift all the same."""
    with migrated_stores.taken() as late:
        early = THIS_HOUR - 3 * 24
        play(late, early, THIS_HOUR, changes_at=THIS_HOUR)
        count(late)
        assert watch(late).progress[0].watched == 0
        play(late, THIS_HOUR - DAYS * 24, early, changes_at=THIS_HOUR, seed=2, base=1_000)
        play(late, THIS_HOUR - 40, THIS_HOUR, changes_at=0, seed=3, base=2_000)
        count(late)
        job = watch(late)
        assert job.progress[0].watched == 1
        assert "tool" in {one.seen.feature for one in found(late)}


def test_a_finding_goes_out_by_webhook_and_mail(store: EmbeddedStore, tmp_path: Path) -> None:
    """Spans in, findings, and somebody hears of them: all symptoms of one incident are told once."""
    with webhooks() as hooks, mailbox() as mails:
        text = f"""
[[destinations]]
name = "hook"
type = "webhook"
url = "{hooks.url()}"

[[destinations]]
name = "mail"
type = "mail"
host = "{HOST}"
port = {mails.port}
security = "none"
sender = "agentvigil@example.org"
recipients = ["oncall@example.org"]

[[rules]]
name = "drift"
destinations = ["hook", "mail"]
findings = {{ kinds = ["drift"], min_severity = "minor" }}
"""
        watch(store)
        alerts = AlertJob(store, configuration(tmp_path, text), "tests", Sender())
        now = datetime.now(UTC)
        for seconds in range(0, 60, 10):
            alerts.step(now + timedelta(seconds=seconds))
        assert len(hooks.got) == 1
        assert "concierge" in hooks.got[0].body.decode()
        assert len(mails.got) == 1


def _forget_all(store: EmbeddedStore) -> None:
    for table in ("findings", "finding_events", "finding_mutes", "drift_baselines", "drift_evidence"):
        store.command(f"TRUNCATE TABLE {table}")
