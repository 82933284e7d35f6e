"""What is counted of finished runs by the hour is what their rows say, whatever came late, or died on the way."""

import contextlib
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pytest
from agent_fleets import Played, play
from agent_traces import (
    START,
    Sp,
    agent,
    chat,
    receive,
    retrieval,
    run_of,
    settle,
    settle_traces,
    tool,
    trace_of,
)
from counted_features import HOUR, check, counted, features_of, judge, of_trace, rows_of, sum_hours, told
from trace_requests import S

from agentvigil.analysis.features.feature_hours import FEATURE_HOURS, MOST, OTHER
from agentvigil.analysis.features.names import FEATURES
from agentvigil.analysis.features.reading import projects_with_runs, read_cells, read_progress
from agentvigil.analysis.rollups import CALL_HOURS, RollupJob
from agentvigil.semconv import names
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.errors import StorageError

pytestmark = pytest.mark.long

HOUR_MS: Final = 3_600_000


def random_trace(dice: random.Random, trace: int, project: str) -> list[Sp]:
    """A run with anything in it: tools side by side and one after another, retries, nested agents, empty searches."""
    # Most in one hour, and some in the one before.
    at = (HOUR * 3600 - START // S) * 1000 + dice.randrange(-600_000, HOUR_MS - 1)
    where = {"deployment.environment.name": "prod"} if dice.random() < 0.5 else {}
    more: dict[str, Any] = {"trace": trace, "project": project, "resource": where}
    said: dict[str, Any] = {}
    for key, values in (
        ("gen_ai.agent.version", ["", "1", "2"]),
        ("agentvigil.tag.route", ["", "buy", "ask"]),
        ("agentvigil.tag.input_class", ["", "", "long"]),
    ):
        if chosen := dice.choice(values):
            said[key] = chosen
    spans: list[Sp] = []
    clock = at
    parents = [1]
    for number in range(2, 2 + dice.randrange(14)):
        clock += dice.choice([0, 0, 100, 200])
        end = clock + dice.choice([50, 100, 150])
        parent = dice.choice(parents)
        error = dice.choice([None, None, None, "boom"])
        kind = dice.choice(["chat", "chat", "tool", "tool", "tool", "search", "agent"])
        if kind == "chat":
            spans.append(
                chat(
                    number, parent, clock, end, error=error,
                    model=dice.choice(["gpt-4o", "gpt-4", "nobody-knows"]),
                    tokens=dice.choice([None, (100, 10), (3000, 10), (7000, 500)]),
                    finish=dice.choice(["stop", "tool_calls", "length"]),
                    attributes=dice.choice([{}, {names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: 0.3}]),
                    **more,
                )
            )  # fmt: skip
        elif kind == "tool":
            spans.append(tool(number, parent, dice.choice(["find", "book"]), clock, end, error=error, **more))
            if dice.random() < 0.3:
                parents.append(number)
        elif kind == "search":
            documents = dice.choice([{}, {"agentvigil.retrieval.document.count": dice.choice([0, 3])}])
            spans.append(retrieval(number, parent, clock, end, error=error, attributes=documents, **more))
        else:
            spans.append(agent(number, parent, dice.choice(["a", "b"]), clock, end, error=error, **more))
            parents.append(number)
        clock = dice.choice([clock, end])
    name = dice.choice(["support", "billing"])
    error = dice.choice([None, None, "lost"])
    return [agent(1, 0, name, at, clock + 500, attributes=said, error=error, **more), *spans]


def test_counts_are_what_the_rows_say(store: EmbeddedStore) -> None:
    """Whatever came late; of runs that are kept for different times; of each project its own."""
    dice = random.Random(7)
    traces = {number: random_trace(dice, number, "default" if number % 6 else "other") for number in range(1, 37)}
    late = [span for spans in traces.values() for span in spans if dice.random() < 0.1]
    for number, keep_days in enumerate((30, 90)):
        some = [spans for trace, spans in traces.items() if trace % 2 == number]
        receive(store, *(span for spans in some for span in spans if span not in late), keep_days=keep_days)
    everyone = {(spans[0].project, number): True for number, spans in traces.items()}
    settle_traces(store, everyone)
    job = RollupJob(store, "tests", quiet_s=0, kinds=(FEATURE_HOURS,))
    for _ in range(2):
        job.step(datetime.now(UTC))
    receive(store, *late, at_ns=START + 3700 * S)
    settle_traces(store, everyone)
    set_prices(store)
    sum_hours(store)
    check(store)
    check(store, "other")
    assert projects_with_runs(store) == ["default", "other"]
    shown = {feature for places in told(store).values() for *_, feature, _, _ in places}
    # Nobody judges these runs.
    assert shown == set(FEATURES) - {"confident"}
    everything = read_cells(store, "default", HOUR - 30, HOUR + 30)
    # Both agents run in both environments, and each is asked for in one of them.
    assert len(everything) == 4
    asked = [min(everything), max(everything)]
    some = read_cells(store, "default", HOUR - 30, HOUR + 30, asked)
    assert len({subject.agent for subject in asked}) == len({subject.environment for subject in asked}) == 2
    assert {subject: sorted(rows_of(cells)) for subject, cells in some.items()} == {
        subject: sorted(rows_of(everything[subject])) for subject in asked
    }
    tools = read_cells(store, "default", HOUR - 30, HOUR + 30, asked, features=["tool", "usage"])
    assert {subject: sorted(rows_of(cells)) for subject, cells in tools.items()} == {
        subject: sorted(row for row in rows_of(everything[subject]) if row[1][3] in ("tool", "usage"))
        for subject in asked
    }
    counts = read_cells(store, "default", HOUR - 30, HOUR + 30, asked, sums=False)
    assert {subject: (cells.n.sum(), len(cells)) for subject, cells in counts.items()} == {
        subject: (everything[subject].n.sum(), len(everything[subject])) for subject in asked
    }
    assert all(np.isnan(cells.s).all() for cells in counts.values())


def set_prices(store: EmbeddedStore) -> None:
    """Let calls cost something, which they do not in a store without a price list."""
    for table, tokens in (("agent_runs", "InputTokens"), ("agent_steps", "if(Billed, InputTokens, NULL)")):
        store.command(
            f"INSERT INTO {table} SELECT * REPLACE (Version + 1 AS Version, "
            f"toDecimal64({tokens}, 9) / 1000 AS BilledCostUSD) FROM {table} FINAL "
            "SETTINGS max_partitions_per_insert_block = 0"
        )


def test_what_has_no_end_is_cut_down_to_the_most_frequent(store: EmbeddedStore) -> None:
    """A run that used two of the other tools is one run with other tools."""
    few = {**MOST, "most_keys": 2, "most_versions": 1, "most_models": 1}
    kind = replace(FEATURE_HOURS, look_up=lambda *_: {**few, "window_models": [""], "windows": [0]})
    usual = [("a", None), ("b", None)]
    play(
        store,
        *(Played(version="1", tools=usual) for _ in range(3)),
        Played(version="2", tools=[("a", None), ("x", None), ("y", None)], model="gpt-4"),
        Played(version="3", tools=[("z", None)], model="nobody-knows"),
    )
    job = RollupJob(store, "tests", quiet_s=0, kinds=(kind,))
    job.step(datetime.now(UTC))

    assert {key: n for key, (n, _) in counted(store, "tool").items()} == {0: 5, "a": 4, "b": 3, OTHER: 2}
    (cells,) = read_cells(store, "default", HOUR, HOUR + 1).values()
    rows = rows_of(cells)
    assert {place[1] for _, place, *_ in rows} == {"1", OTHER}
    assert {place[2] for _, place, *_ in rows} == {"gpt-4o", OTHER}


def test_open_runs_and_second_sightings_are_not_counted(store: EmbeddedStore) -> None:
    play(store, Played(), Played())
    chats = [chat(2, 9, 0, 100, trace=7, response="r"), chat(2, 1, 0, 100, trace=8, response="r")]
    receive(store, *chats, agent(1, 0, "support", trace=8))
    settle(store, 7)
    settle(store, 8, final=True)
    assert store.rows("SELECT uniqExact(Status) FROM agent_runs FINAL") == [(2,)]
    sum_hours(store)
    check(store)
    assert counted(store, "status")[0] == (3, 0)

    settle(store, 7, final=True)
    sum_hours(store)
    assert store.rows("SELECT count() FROM agent_runs FINAL WHERE DuplicateOfTraceId != ''") == [(1,)]
    check(store)


def test_what_is_thought_later_counts_as_well(store: EmbeddedStore) -> None:
    """Days after the run its hour is summed again, once."""
    spans = [agent(1, 0, "support"), chat(2, 1, 0, 10, attributes={names.AGENTVIGIL_CONFIDENCE: 0.9})]
    receive(store, *spans, *of_trace(2, spans))
    settle(store, 1, 2, final=True)
    sum_hours(store)
    assert "confident" not in features_of(store, "support")

    judge(store, run_of(1, 1), label="Wrong")
    judge(store, trace_of(2), label="helpful")
    judge(store, trace_of(2), label="blue")
    assert sum_hours(store) == 0  # it looks once a minute
    later = datetime.now(UTC) + timedelta(minutes=2)
    assert sum_hours(store, later) == 1
    assert counted(store, "confident") == {0: (2, 0), "bad": (1, 0)}
    assert sum_hours(store, later + timedelta(minutes=2)) == 0


class DiesAt:
    """A store whose process dies before or after the ``number``th statement that writes."""

    is_embedded = True

    def __init__(self, store: EmbeddedStore, number: int, *, after: bool) -> None:
        self._store, self._left, self._after = store, number, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def command(self, sql: str, parameters: Any = None) -> None:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise StorageError("died")
        self._store.command(sql, parameters)
        if self._left == 0:
            raise StorageError("died")


def test_a_death_at_any_statement_changes_no_answer(store: EmbeddedStore) -> None:
    """What one statement left is what the next one finds. What is read is whole at every moment: old or new."""
    play(store, Played(tools=[("search", "boom")]))
    sum_hours(store)
    old = told(store)
    late = agent(1, 0, "support", 0, 2000, attributes={"gen_ai.agent.version": "2"}, trace=1)
    receive(store, late, at_ns=START + 3700 * S)
    settle(store, final=True)
    seen = []
    for statement in range(1, 6):
        dying: Any = DiesAt(store, statement, after=True)
        job = RollupJob(dying, f"dies at {statement}", quiet_s=0, kinds=(FEATURE_HOURS,))
        with contextlib.suppress(StorageError):
            job.step(datetime.now(UTC) + timedelta(minutes=10 * statement))
        seen.append(told(store))
    assert sum_hours(store, datetime.now(UTC) + timedelta(hours=2)) == 0
    check(store)
    new = told(store)
    assert old != new
    assert all(answer in (old, new) for answer in seen)
    assert old in seen


def test_two_processes_that_sum_the_same_hour_count_it_once(store: EmbeddedStore) -> None:
    play(store, Played(), Played())
    now = datetime.now(UTC)
    one = RollupJob(store, "one", quiet_s=0, kinds=(FEATURE_HOURS,))
    other = RollupJob(store, "other", quiet_s=0, kinds=(FEATURE_HOURS,))
    assert not one.step(now)
    assert (one.progress.hours, one.progress.waiting_hours) == (1, 0)
    store.command("TRUNCATE TABLE agent_feature_hours_made")
    # Whoever has the lease is at it; when that has ended, both did it.
    other.step(now)
    assert other.progress.hours == 0
    other.step(now + timedelta(minutes=1))
    assert other.progress.hours == 1
    check(store)


def test_an_hour_that_can_not_be_summed_holds_up_no_other(store: EmbeddedStore) -> None:
    """Nor the calls, which the same job sums."""
    play(store, Played(tools=[("search", None)]), Played(at_ms=-HOUR_MS))
    broken = replace(FEATURE_HOURS, sum_hours="SELECT throwIf(has({hours:Array(UInt32)}, %d * 3600))" % HOUR)  # noqa: UP031
    job = RollupJob(store, "tests", quiet_s=0, kinds=(CALL_HOURS, broken))
    failed = 0
    for _ in range(6):
        try:
            job.step(datetime.now(UTC))
        except StorageError:
            failed += 1
    assert failed
    assert job.progress.hours == 3
    assert read_progress(store, "default", HOUR - 10, datetime.now(UTC)).waiting_hours == 1


def test_progress_says_up_to_which_hour_all_is_counted(store: EmbeddedStore) -> None:
    now = datetime.now(UTC)
    current = int(now.timestamp()) // 3600
    assert read_progress(store, "default", 0, now).summed_until == current
    play(store, Played(), Played(at_ms=-HOUR_MS))
    progress = read_progress(store, "default", 0, now)
    assert (progress.summed_until, progress.waiting_hours, progress.settled_until) == (HOUR - 1, 2, 0)
    assert read_progress(store, "default", HOUR, now).summed_until == HOUR
    # An hour whose runs still change is left alone.
    assert not RollupJob(store, "tests", quiet_s=3600, kinds=(FEATURE_HOURS,)).step(now)
    job = RollupJob(store, "tests", quiet_s=0, kinds=(FEATURE_HOURS,))
    while job.step(now):
        pass
    progress = read_progress(store, "default", 0, now)
    assert (progress.summed_until, progress.waiting_hours) == (current, 0)
