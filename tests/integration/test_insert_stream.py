"""The INSERT that goes on: when it says that envelopes are stored, they are, and an error ends nothing but itself."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from trace_requests import a_request, a_span, admitted

from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import Envelope, wrap
from agentvigil.storage.errors import QueryFailed
from agentvigil.storage.insert_stream import BLOCK_ROWS

ARRIVAL, MESSAGE = "otlp_traces", "TracesEnvelope"


def insert(store: EmbeddedStore, *envelopes: Envelope) -> None:
    store.insert_protobuf(ARRIVAL, MESSAGE, envelopes)


def an_envelope(name: str = "chat", spans: int = 1) -> Envelope:
    return wrap(admitted(a_request(*(a_span(number % 250 + 1, name=name) for number in range(spans)))))


def count(store: EmbeddedStore) -> int:
    return int(store.rows("SELECT count() FROM otel_traces")[0][0])


def inserts_under_way(store: EmbeddedStore) -> int:
    handle = store.open_handle()
    question = (
        "SELECT count() FROM system.processes "
        f"WHERE query LIKE 'INSERT INTO `otel_traces`%' AND current_database = '{store.database}'"
    )
    found = int(handle.query(question, "TSV").bytes())
    handle.close()
    return found


def test_whatever_is_inserted_is_there_when_the_call_returns(store: EmbeddedStore) -> None:
    """Groups of any size, on both sides of a block, with small and large requests; nothing later, nothing twice."""
    chance = random.Random(7)
    sizes = [
        1,
        2,
        BLOCK_ROWS - 2,
        BLOCK_ROWS - 1,
        BLOCK_ROWS,
        2 * BLOCK_ROWS,
        *(chance.randrange(1, 60) for _ in range(60)),
    ]
    expected = 0
    for size in sizes:
        spans = chance.choice((1, 1, 7, 300)) if size < 100 else 1
        insert(store, *([an_envelope(spans=spans)] * size))
        expected += size * spans
        assert count(store) == expected, f"after {size} envelopes of {spans} spans"
    assert inserts_under_way(store) == 1


def test_one_that_fails_ends_its_insert_and_the_next_begins_another(store: EmbeddedStore) -> None:
    insert(store, an_envelope())
    broken = (b"\x05nonsense",)
    for _ in range(2):
        with pytest.raises(QueryFailed):
            insert(store, broken)
        assert inserts_under_way(store) == 0
        stored = count(store)
        insert(store, an_envelope())
        assert count(store) == stored + 1


def test_tables_may_change_between_two_inserts(store: EmbeddedStore) -> None:
    """An INSERT knows its table as it was when it began."""
    insert(store, an_envelope())
    store.end_inserts()
    assert inserts_under_way(store) == 0
    store.command("ALTER TABLE otel_traces ADD COLUMN Twice String DEFAULT concat(SpanName, SpanName)")

    insert(store, an_envelope("a"))

    assert store.rows("SELECT Twice FROM otel_traces ORDER BY Twice") == [("aa",), ("chatchat",)]
    store.command("ALTER TABLE otel_traces DROP COLUMN Twice")


def test_rows_may_be_deleted_while_it_goes_on(store: EmbeddedStore) -> None:
    insert(store, an_envelope("old"))
    store.command("DELETE FROM otel_traces WHERE SpanName = 'old'")
    insert(store, an_envelope("new"))
    store.command("OPTIMIZE TABLE otel_traces FINAL")
    insert(store, an_envelope("newer"))
    assert store.rows("SELECT SpanName FROM otel_traces ORDER BY SpanName") == [("new",), ("newer",)]


_LEAVES_ONE_OPEN = """
import sys
from pathlib import Path
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.migrations import migrate

directory = DataDirectory(Path(sys.argv[1]), purpose="test").__enter__()
store = EmbeddedStore(directory, "default")
migrate(store)
store.insert_protobuf("otlp_traces", "TracesEnvelope", [(sys.stdin.buffer.read(),)])
print(store.rows("SELECT count() FROM otel_traces")[0][0])
"""


def test_a_process_that_ends_without_closing_ends_well(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LEAVES_ONE_OPEN, str(tmp_path)],
        input=b"".join(an_envelope(spans=3)),
        capture_output=True,
        timeout=60,
        check=False,
        env=os.environ,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"3\n", b"")
