"""The other home: the same schema and the same writer against a ClickHouse server's HTTP interface."""

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_stand_in import ClickHouseStandIn
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from trace_requests import writer_of

from agentvigil.receiver.otlp import TRACES
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import OTLP_SCHEMA, ExportRequest, Limits, wrap
from agentvigil.storage.errors import StoreUnreachable
from agentvigil.storage.migrations import migrate, pending_migrations
from agentvigil.storage.request_writer import Outcome
from agentvigil.storage.server import ServerStore, without_password


@pytest.fixture
def server(engine: EmbeddedStore, tmp_path: Path) -> Iterator[ClickHouseStandIn]:
    stand_in = ClickHouseStandIn(engine.open_handle, tmp_path / "sent.proto")
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def empty_server_store(server: ClickHouseStandIn, engine: EmbeddedStore) -> Iterator[ServerStore]:
    database = f"server_{uuid.uuid4().hex[:8]}"
    store = ServerStore(f"http://default:secret@127.0.0.1:{server.port}", database)
    yield store
    store.close()
    engine.command(f"DROP DATABASE IF EXISTS {database}")


@pytest.fixture
def server_store(server: ClickHouseStandIn, servers_store: EmbeddedStore) -> Iterator[ServerStore]:
    """A store over a server with this release's schema."""
    store = ServerStore(f"http://default:secret@127.0.0.1:{server.port}", servers_store.database)
    yield store
    store.close()


def trace_request(spans: int) -> ExportRequest:
    export = ExportTraceServiceRequest()
    scope = export.resource_spans.add().scope_spans.add()
    for _ in range(spans):
        span = scope.spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), name="chat gpt-4.1", kind=3)
        span.start_time_unix_nano = time.time_ns()
        span.end_time_unix_nano = span.start_time_unix_nano + 1_000
        attribute = span.attributes.add(key="gen_ai.usage.input_tokens")
        attribute.value.int_value = 7
    return ExportRequest(
        TRACES.signal,
        TRACES.signal.destinations,
        export.SerializeToString(),
        spans,
        os.urandom(16),
        "default",
        time.time_ns(),
        90,
        Limits(),
    )


def test_migrations_and_inserts_work_over_http(server: ClickHouseStandIn, empty_server_store: ServerStore) -> None:
    """One URL is all that changes when a team outgrows the embedded store."""
    server_store = empty_server_store
    server_store.version()
    applied = migrate(server_store)
    assert applied
    assert "embedded" not in {migration.home for migration in applied}
    assert pending_migrations(server_store) == []

    group = [trace_request(3), trace_request(5)]
    outcomes = writer_of(server_store).write(group)

    assert outcomes == [Outcome.STORED, Outcome.STORED]
    assert server_store.rows("SELECT count(), sum(InputTokens), uniqExact(RequestHash) FROM otel_traces") == [
        (8, 56, 2)
    ]
    insert, body = next((parameters, body) for parameters, body in server.requests if "format_schema" in parameters)
    assert body == b"INSERT INTO otlp_traces FORMAT Protobuf\n" + b"".join(
        part for request in group for part in wrap(request)
    )
    assert insert["format_schema"] == OTLP_SCHEMA
    assert insert["async_insert"] == "0"


def test_a_start_completes_the_index_of_traces(server_store: ServerStore) -> None:
    """A view fills it after the spans: a server that dies in between leaves traces that are in no index."""
    assert writer_of(server_store).write([trace_request(3)]) == [Outcome.STORED]
    server_store.command("TRUNCATE TABLE otel_traces_trace_id_ts")

    writer_of(server_store).recover(900, 1000)

    assert server_store.rows("SELECT uniqExact(TraceId) FROM otel_traces_trace_id_ts") == server_store.rows(
        "SELECT uniqExact(TraceId) FROM otel_traces"
    )


def test_a_server_that_goes_away_leaves_nothing_stored_twice(
    server: ClickHouseStandIn, server_store: ServerStore
) -> None:
    """Senders hear UNAVAILABLE, send the same bytes again, and each span is there once."""
    writer = writer_of(server_store)
    first, second = trace_request(4), trace_request(4)
    assert writer.write([first]) == [Outcome.STORED]

    server.stop()
    assert writer.write([first, second]) == [Outcome.UNAVAILABLE, Outcome.UNAVAILABLE]
    server.start()

    assert writer.write([second]) == [Outcome.STORED]
    assert server_store.rows("SELECT count() FROM otel_traces") == [(8,)]


def test_a_request_whose_answer_was_lost_is_found_stored(
    server: ClickHouseStandIn, server_store: ServerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The insert landed but its answer did not: what counts is what the store has."""
    writer = writer_of(server_store)
    run = server._insert

    def insert_and_fail(*arguments: object) -> bytes:
        run(*arguments)  # type: ignore[arg-type]
        raise RuntimeError("Code: 209. DB::Exception: Timeout exceeded while writing to socket. (SOCKET_TIMEOUT)")

    monkeypatch.setattr(server, "_insert", insert_and_fail)

    assert writer.write([trace_request(4)]) == [Outcome.STORED]
    assert server_store.rows("SELECT count() FROM otel_traces") == [(4,)]


def test_no_server_is_an_error_that_keeps_the_password(server: ClickHouseStandIn) -> None:
    """The message goes to a log."""
    url = f"http://me:hunter2@127.0.0.1:{server.port}"
    server.stop()
    with pytest.raises(StoreUnreachable, match="no ClickHouse at") as error:
        ServerStore(url, "default")
    server.start()
    assert "hunter2" not in str(error.value)
    assert without_password(url) == f"http://127.0.0.1:{server.port}"
