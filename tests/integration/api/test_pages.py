"""Whoever pages through a list sees everything that was there when it began, once and in order, whatever arrives."""

import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import pytest
from agent_traces import id_of, trace_of
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trace_requests import NOW, S

from agentvigil.api.runs.filters import RunOrder
from agentvigil.api.sessions.filters import SessionOrder
from agentvigil.storage.embedded import EmbeddedStore
from migrated_stores import MigratedStores
from served_api import app_over

_DAY: Final = 86_400 * S
_AGES: Final = (0, 1, 2 * S, 2 * S + 1, 3 * 3600 * S, 3 * 3600 * S + 1, 2 * _DAY, 9 * _DAY)
"""Nanoseconds before the newest: near each other, at the same time, and in each of the windows that are searched."""

_VALUES: Final = (None, 0, 1, 2)
_COSTS: Final = (None, Decimal(0), Decimal("0.000000001"), Decimal("0.5"))
_DEPTH: Final = int(os.environ.get("AGENTVIGIL_TEST_SEEDS", "1"))
"""`make test-deep` makes up many more."""
_EXAMPLES: Final = settings(
    max_examples=4 * _DEPTH,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Row:
    """What a run, session or trace is ordered by: its start, in nanoseconds before the newest, and numbers."""

    age_ns: int
    value: int | None
    cost: Decimal | None


ROWS: Final = st.builds(
    Row, age_ns=st.sampled_from(_AGES), value=st.sampled_from(_VALUES), cost=st.sampled_from(_COSTS)
)
AT_FIRST: Final = st.lists(ROWS, max_size=9)
ARRIVALS: Final = st.lists(st.lists(ROWS, max_size=2), max_size=4)
"""What comes in after each of the first pages."""

SIZES: Final = st.integers(1, 4)


class Table:
    """The rows of one example, in a project of their own; ``add`` stores more of them, numbered on."""

    numbers: Iterator[int] = itertools.count(1)

    def __init__(self, store: EmbeddedStore, project: str) -> None:
        self.store, self.project = store, project

    def run(self, row: Row, number: int, session: str = "") -> tuple[Any, ...]:
        tokens, start = row.value, NOW - row.age_ns
        return (
            *(self.project, start, f"{trace_of(number)}-{id_of(1)}", trace_of(number), id_of(1), 1, 90, NOW // 10**6),
            *("success", "helper", session, start + 1000, (row.value or 0) * 1000, row.value or 0, tokens, row.cost),
        )

    def add_runs(self, rows: Sequence[Row], sessions: Sequence[str] | None = None) -> list[str]:
        """Store runs and return their ids."""
        made = [
            self.run(row, next(self.numbers), sessions[index] if sessions else "") for index, row in enumerate(rows)
        ]
        self._insert(
            "agent_runs",
            "Project, Timestamp, RunId, TraceId, TopSpanId, Version, KeepDays, SettledAt, Status, RunName, "
            "ConversationId, EndTimestamp, Duration, Steps, InputTokens, BilledCostUSD",
            made,
        )
        return [run[2] for run in made]

    def add_roots(self, rows: Sequence[Row]) -> list[str]:
        """Store root spans of a trace each, the traces' ids in no order, and return these."""
        ids = [f"{next(self.numbers) * 2_654_435_761 % 2**32:032x}" for _ in rows]
        made = [
            (self.project, NOW - row.age_ns, trace, id_of(1), "", "work", "shop", (row.value or 0) * 1000, 90)
            for row, trace in zip(rows, ids, strict=True)
        ]
        columns = "Project, Timestamp, TraceId, SpanId, ParentSpanId, SpanName, ServiceName, Duration, KeepDays"
        self._insert("otel_traces", columns, made)
        return ids

    def _insert(self, table: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            self.store.insert_rows(table, columns.split(", "), rows)


@pytest.fixture(scope="module")
def shared_store(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """A store in which each example has its own project."""
    with migrated_stores.taken() as store:
        yield store


@pytest.fixture(scope="module")
def api(shared_store: EmbeddedStore) -> Iterator[TestClient]:
    """A client of the API over ``shared_store``."""
    with TestClient(app_over(shared_store), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def projects() -> Iterator[str]:
    """Names of projects that nobody has used."""
    return (f"p{number}" for number in Table.numbers)


def pages(api: TestClient, path: str, arrivals: Iterator[object], **asked: Any) -> list[dict[str, Any]]:
    """Everything that the pages of ``path`` hold; something arrives after each."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = api.get(path, params={**asked, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["items"]) <= asked["limit"]
        found += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found
        next(arrivals, None)


def _value(item: dict[str, Any], field: str) -> Any:
    """What ``item`` is ordered by; what is not known comes before everything."""
    value = {"cost_usd": lambda: item["cost"]["billed_usd"], "tokens": lambda: item["tokens"]["input"]}.get(
        field, lambda: item[field]
    )()
    if field == "cost_usd":
        value = None if value is None else Decimal(value)
    if field.endswith("_at"):
        value = datetime.fromisoformat(value)
    return (value is not None, value if value is not None else 0)


def assert_ordered(items: Sequence[dict[str, Any]], sort: str) -> None:
    values = [_value(item, sort.removeprefix("-")) for item in items]
    assert values == sorted(values, reverse=sort.startswith("-"))


@pytest.mark.parametrize("sort", RunOrder)
@_EXAMPLES
@given(at_first=AT_FIRST, arrivals=ARRIVALS, limit=SIZES)
def test_runs(
    shared_store: EmbeddedStore,
    api: TestClient,
    projects: Iterator[str],
    sort: RunOrder,
    at_first: list[Row],
    arrivals: list[list[Row]],
    limit: int,
) -> None:
    table = Table(shared_store, next(projects))
    expected = table.add_runs(at_first)

    items = pages(api, "/v1/runs", map(table.add_runs, arrivals), project=table.project, sort=sort.value, limit=limit)

    found = [item["id"] for item in items]
    assert len(set(found)) == len(found)
    assert set(expected) <= set(found)
    assert_ordered(items, sort)


@settings(_EXAMPLES, max_examples=8 * _DEPTH)
@given(at_first=AT_FIRST, arrivals=ARRIVALS, limit=SIZES, with_runs=st.sets(st.integers(0, 8)))
def test_traces(
    shared_store: EmbeddedStore,
    api: TestClient,
    projects: Iterator[str],
    at_first: list[Row],
    arrivals: list[list[Row]],
    limit: int,
    with_runs: set[int],
) -> None:
    """Of those that are there at first some have no root, and are found by their runs."""
    table = Table(shared_store, next(projects))
    by_runs = [row for index, row in enumerate(at_first) if index in with_runs]
    expected = [run.partition("-")[0] for run in table.add_runs(by_runs)]
    expected += table.add_roots([row for index, row in enumerate(at_first) if index not in with_runs])

    items = pages(api, "/v1/traces", map(table.add_roots, arrivals), project=table.project, limit=limit)

    found = [item["trace_id"] for item in items]
    assert len(set(found)) == len(found)
    assert set(expected) <= set(found)
    assert_ordered(items, "-started_at")


@pytest.mark.parametrize("sort", SessionOrder)
@_EXAMPLES
@given(
    at_first=AT_FIRST,
    sessions=st.lists(st.integers(0, 4), min_size=9, max_size=9),
    arrivals=ARRIVALS,
    limit=SIZES,
)
def test_sessions(
    shared_store: EmbeddedStore,
    api: TestClient,
    projects: Iterator[str],
    sort: SessionOrder,
    at_first: list[Row],
    sessions: list[int],
    arrivals: list[list[Row]],
    limit: int,
) -> None:
    """What arrives are runs of other sessions: one that gets a run is not what it was."""
    table = Table(shared_store, next(projects))
    expected = [f"s{number}" for number in sessions[: len(at_first)]]
    table.add_runs(at_first, expected)

    def arrive(rows: list[Row]) -> None:
        table.add_runs(rows, [f"new{next(table.numbers)}" for _ in rows])

    items = pages(api, "/v1/sessions", map(arrive, arrivals), project=table.project, sort=sort.value, limit=limit)

    found = [item["id"] for item in items]
    assert len(set(found)) == len(found)
    assert set(expected) <= set(found)
    assert_ordered(items, sort)
