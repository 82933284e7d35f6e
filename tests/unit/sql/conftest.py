"""Databases for the SQL tests, in the one engine that the process has."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chdb.state.sqlitelike import Connection

from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.sql.gateway import SqlGateway
from agentvigil.storage.sql.settings import Limits

CANARY = "canary-9c41e7"
"""What the files that no query may read contain."""


@pytest.fixture(scope="session")
def open_handle(engine: EmbeddedStore) -> Callable[[], Connection]:
    """Opens a new handle on the engine."""
    return engine.open_handle


@pytest.fixture(scope="module")
def database(open_handle: Callable[[], Connection]) -> Iterator[str]:
    """A database with a table queries may read (``spans``) and one they may not (``secret_keys``); tests only read."""
    name = f"sql_{uuid.uuid4().hex[:8]}"
    handle = open_handle()
    for statement in (
        f"CREATE DATABASE {name}",
        (
            f"CREATE TABLE {name}.spans (ts DateTime64(9), trace_id String, name LowCardinality(String), "
            "attributes Map(LowCardinality(String), String), duration_ns UInt64, `Events.Name` Array(String), "
            "`Events.Timestamp` Array(DateTime64(9))) ENGINE = MergeTree ORDER BY ts"
        ),
        (
            f"INSERT INTO {name}.spans SELECT toDateTime64('2026-01-01 00:00:00', 9) + number, toString(number), "
            "['chat', 'execute_tool'][number % 2 + 1], map('gen_ai.request.model', 'gpt-4.1'), number * 1000, "
            "['a'], [toDateTime64('2026-01-01 00:00:00', 9)] FROM numbers(100)"
        ),
        f"CREATE TABLE {name}.secret_keys (key String) ENGINE = Memory",
        f"INSERT INTO {name}.secret_keys VALUES ('{CANARY}')",
    ):
        handle.query(statement)
    yield name
    handle.query(f"DROP DATABASE {name}")
    handle.close()


@pytest.fixture(scope="module")
def default_spans(open_handle: Callable[[], Connection]) -> Iterator[None]:
    """The same in ``default``, the one database where the engine takes unknown tables for files."""
    handle = open_handle()
    handle.query("CREATE TABLE default.spans (ts DateTime64(9), name String, duration_ns UInt64) ENGINE = Memory")
    handle.query("INSERT INTO default.spans VALUES ('2026-01-01 00:00:00', 'chat', 1)")
    yield
    handle.query("DROP TABLE default.spans")
    handle.close()


@pytest.fixture
def gateway(open_handle: Callable[[], Connection], database: str) -> SqlGateway:
    return SqlGateway(open_handle, database=database, allowed_tables=lambda: frozenset({"spans"}))


@pytest.fixture
def default_gateway(open_handle: Callable[[], Connection], default_spans: None) -> SqlGateway:
    limits = Limits(max_execution_time_s=5)
    return SqlGateway(open_handle, database="default", allowed_tables=lambda: frozenset({"spans"}), limits=limits)


@pytest.fixture
def canaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], set[str]]:
    """Makes the working directory one with files worth stealing; returns what is in it now."""
    for name in ("secrets", "secrets.csv", "default.spans", "x.tsv", "spans.csv"):
        (tmp_path / name).write_text(f"{CANARY},1\n")
    monkeypatch.chdir(tmp_path)
    return lambda: {path.name for path in tmp_path.iterdir()}
