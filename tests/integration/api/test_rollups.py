"""Sums by the hour tell what the steps tell, at every moment: whatever came late, was settled again or died."""

import itertools
import os
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from agent_fleets import Played
from agent_traces import START, Sp, agent, chat, receive, settle, settle_traces, tool
from trace_requests import S

from agentvigil.analysis.rollups import RollupJob
from agentvigil.api.metrics.asked import Dimension, SeriesAsked
from agentvigil.api.metrics.call_sums import CallSums
from agentvigil.api.metrics.models import Metrics
from agentvigil.api.metrics.reading import MetricsReading
from agentvigil.api.reading import Reader
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.errors import StorageError

_SEEDS = int(os.environ.get("AGENTVIGIL_TEST_SEEDS", "1"))
"""Stories that chance tells; `make test-deep` has many more."""

HOUR = timedelta(hours=1)
HOUR_MS = 3_600_000
BEGAN = datetime.fromtimestamp(START / S, UTC)
FIRST_HOUR = BEGAN.replace(minute=0, second=0, microsecond=0)
PROJECTS = ("default", "other")
QUESTIONS: Sequence[dict[str, Any]] = (
    {"group_by": ["tool"]},
    {"group_by": ["model"], "interval": "1d"},
    {"group_by": ["agent", "tool"], "groups": 3},
    {"group_by": ["model", "tool"], "interval": "2h"},
    {"group_by": ["tool"], "agent": ["billing"]},
    {"group_by": ["model"], "model": ["gpt-4o-mini"], "agent": ["support", "billing"]},
    {"metric": ["calls", "errors", "cost_usd"], "interval": "30d"},
    # Hours whose ends lie within others.
    {"group_by": ["agent"], "metric": ["calls", "retries"], "minutes": (17, 43)},
)


def asked(**question: Any) -> SeriesAsked:
    first, last = question.pop("minutes", (0, 0))
    question.setdefault("interval", "1h")
    since, until = FIRST_HOUR - 3 * HOUR + timedelta(minutes=first), FIRST_HOUR + 4 * HOUR + timedelta(minutes=last)
    return SeriesAsked(since=since, until=until, **question)


def from_steps(store: EmbeddedStore, project: str, question: SeriesAsked, monkeypatch: pytest.MonkeyPatch) -> Metrics:
    with monkeypatch.context() as patch:
        patch.setattr(CallSums, "_hours_tell", lambda _: False)
        return MetricsReading(Reader(store)).of(project, question)


def check(
    store: EmbeddedStore,
    monkeypatch: pytest.MonkeyPatch,
    questions: Sequence[dict[str, Any]] = QUESTIONS[2:3],
    projects: Sequence[str] = PROJECTS[:1],
) -> None:
    """Compare what is told with what the steps tell."""
    for project in projects:
        for question in (asked(**question) for question in questions):
            told = MetricsReading(Reader(store)).of(project, question)
            right = from_steps(store, project, question, monkeypatch)
            assert told.groups_total == right.groups_total
            assert [series.labels for series in told.series] == [series.labels for series in right.series]
            for mine, other in zip(told.series, right.series, strict=True):
                for name, values in other.metrics.items():
                    if name.endswith("_ms"):
                        assert [value is None for value in mine.metrics[name]] == [value is None for value in values]
                    else:
                        assert mine.metrics[name] == values, (project, question, name)


def sum_hours(store: EmbeddedStore) -> int:
    """Sum all that waits; return how many hours that was."""
    job = RollupJob(store, "tests", quiet_s=0)
    while job.step(datetime.now(UTC)):
        pass
    return job.progress.hours


def random_trace(dice: random.Random, trace: int, project: str) -> list[Sp]:
    at = dice.randrange(-2 * HOUR_MS, 2 * HOUR_MS)
    lasts = dice.choice([500, 60_000, HOUR_MS])
    more: dict[str, Any] = {"trace": trace, "project": project}
    spans = [agent(1, 0, dice.choice(["support", "billing", ""]), at, at + lasts, **more)]
    for number in range(2, 2 + dice.randrange(6)):
        start = at + dice.randrange(lasts)
        end = start + dice.randrange(1, 5000)
        error = dice.choice([None, None, "boom"])
        if dice.random() < 0.5:
            tokens = dice.choice([None, (100, 10), (7, 3)])
            model = dice.choice(["gpt-4o", "gpt-4o-mini", "nobody-knows"])
            spans.append(chat(number, 1, start, end, model=model, tokens=tokens, error=error, **more))
        else:
            spans.append(tool(number, 1, dice.choice(["search", "book", "refund"]), start, end, error=error, **more))
    return spans


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


@pytest.mark.parametrize("seed", range(_SEEDS))
@pytest.mark.long
def test_sums_and_steps_tell_the_same(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    dice = random.Random(seed)
    everything = (QUESTIONS, PROJECTS)
    # One story is checked by turns in between, and by all at its end.
    some_of_it, others = (
        (everything, everything) if _SEEDS > 1 else ((QUESTIONS[::2], PROJECTS), (QUESTIONS[1::2], PROJECTS))
    )
    traces = {number: random_trace(dice, number, dice.choice(PROJECTS)) for number in range(1, 15)}
    late = []
    for keep_days, some in itertools.groupby(sorted(traces), lambda number: 30 if number < 8 else 90):
        spans = [span for number in some for span in traces[number]]
        held_back = [span for span in spans if dice.random() < 0.15]
        late += held_back
        receive(store, *(span for span in spans if span not in held_back), keep_days=keep_days)
    everyone = {(spans[0].project, number): True for number, spans in traces.items()}
    settle_traces(store, everyone)
    sum_hours(store)
    check(store, monkeypatch, *some_of_it)
    if late:
        receive(store, *late, at_ns=START + 3700 * S)
    some = {key: True for key in everyone if dice.random() < 0.5}
    settle_traces(store, some or everyone)
    check(store, monkeypatch, *others)
    job = RollupJob(store, "tests", quiet_s=0)
    job.step(datetime.now(UTC))
    check(store, monkeypatch, *some_of_it)
    settle_traces(store, everyone)
    check(store, monkeypatch)
    sum_hours(store)
    check(store, monkeypatch, *everything)


@pytest.fixture
def fleet(store: EmbeddedStore) -> EmbeddedStore:
    """Two hours of calls, settled."""
    runs = [Played("support", tools=[("search", None), ("book", "boom")]), Played("billing", at_ms=-HOUR_MS)]
    receive(store, *(span for number, run in enumerate(runs, 1) for span in run.spans(number)))
    settle(store, 1, 2, final=True)
    return store


# What one statement left is what the next one finds.
@pytest.mark.parametrize(("statement", "after"), [(1, False), *((statement, True) for statement in range(1, 8))])
def test_a_death_at_any_statement_changes_no_answer(
    fleet: EmbeddedStore, monkeypatch: pytest.MonkeyPatch, statement: int, after: bool
) -> None:
    dying: Any = DiesAt(fleet, statement, after=after)
    job = RollupJob(dying, "tests", quiet_s=0)
    try:
        while job.step(datetime.now(UTC)):
            pass
    except StorageError:
        pass
    check(fleet, monkeypatch)
    sum_hours(fleet)
    check(fleet, monkeypatch)
    assert sum_hours(fleet) == 0


def test_two_processes_that_sum_the_same_hour_count_it_once(
    fleet: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sum_hours(fleet)
    fleet.command("TRUNCATE TABLE agent_step_hours_made")
    sum_hours(fleet)
    check(fleet, monkeypatch)


def test_what_settling_took_back_is_in_no_sum(fleet: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    sum_hours(fleet)
    # The whole of the first trace was part of a larger run of somebody else.
    receive(fleet, agent(9, 0, "boss", -1, 2000), agent(1, 9, "support", 0, 1500), at_ns=START + 3700 * S)
    settle(fleet, 1, final=True)
    check(fleet, monkeypatch)
    sum_hours(fleet)
    check(fleet, monkeypatch)
    names = MetricsReading(Reader(fleet)).of("default", asked(group_by=["agent", "tool"])).series
    assert {series.labels["agent"] for series in names} == {"boss"}


def test_hours_are_what_is_read(fleet: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparisons would hold as well if sums were never used."""
    sum_hours(fleet)
    fleet.command("INSERT INTO agent_step_hours SELECT * REPLACE (Calls + 1 AS Calls) FROM agent_step_hours")
    fleet.command("OPTIMIZE TABLE agent_step_hours FINAL")
    question = asked(group_by=[Dimension.TOOL])
    told = MetricsReading(Reader(fleet)).of("default", question)
    right = from_steps(fleet, "default", question, monkeypatch)
    assert told.series != right.series


def test_an_hour_that_goes_on_is_not_summed(fleet: EmbeddedStore) -> None:
    job = RollupJob(fleet, "tests", quiet_s=3600)
    assert not job.step(datetime.now(UTC))
    assert job.progress.hours == 0
    assert job.progress.waiting_hours > 0


def test_only_who_has_the_lease_sums(fleet: EmbeddedStore) -> None:
    now = datetime.now(UTC)
    one = RollupJob(fleet, "one", quiet_s=0)
    while one.step(now):
        pass
    assert one.progress.hours > 0
    fleet.command("TRUNCATE TABLE agent_step_hours_made")
    other = RollupJob(fleet, "other", quiet_s=0)
    assert not other.step(now)
    assert other.progress.hours == 0
    # Whoever has the lease is at it; when that has ended, the other goes on.
    while other.step(now + timedelta(minutes=1)):
        pass
    assert other.progress.hours == one.progress.hours


def test_percentiles_are_near(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = [random.Random(n).lognormvariate(5, 1) for n in range(400)]
    spans = [tool(number, 1, "search", 0, max(1, int(length))) for number, length in enumerate(lengths, 2)]
    receive(store, agent(1, 0, "support"), *spans)
    settle(store, 1, final=True)
    sum_hours(store)
    question = asked(group_by=["tool"], metric=["duration_p50_ms", "duration_p95_ms", "duration_p99_ms"])
    told = MetricsReading(Reader(store)).of("default", question).series[0].metrics
    ordered = sorted(max(1, int(length)) for length in lengths)
    for name, rank in (("duration_p50_ms", 200), ("duration_p95_ms", 380), ("duration_p99_ms", 396)):
        found = [value for value in told[name] if value is not None]
        assert len(found) == 1
        assert ordered[rank - 4] <= float(found[0]) <= ordered[min(rank + 3, 399)]
