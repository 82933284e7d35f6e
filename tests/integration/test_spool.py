"""A ClickHouse server goes away and comes back: what was acknowledged meanwhile is there, whole and once.

AGENTVIGIL_TEST_OUTAGE_S=600 makes one of the outages ten minutes long.
"""

import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

import grpc
import pytest
from clickhouse_stand_in import ClickHouseStandIn
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from server_process import OtlpSender, Server, free_port, until
from trace_requests import a_request, a_span, admitted, attributes, writer_of

from agentvigil.receiver.admission import clean
from agentvigil.receiver.otlp import LOGS, METRICS, OTLP_SIGNALS, TRACES, OtlpSignal
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import ExportRequest
from agentvigil.storage.errors import QueryFailed
from agentvigil.storage.request_writer import Outcome, RequestWriter
from agentvigil.storage.server import ServerStore
from agentvigil.storage.spool import Spool, SpoolingWriter, SpoolLimits
from agentvigil.storage.store import Store
from migrated_stores import MigratedStores

pytestmark = pytest.mark.long

RETRYABLE: Final = {
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}
"""What makes a sender keep its data: https://opentelemetry.io/docs/specs/otlp/#failures."""

OUTAGE_S: Final = float(os.environ.get("AGENTVIGIL_TEST_OUTAGE_S", "1"))
STORED, UNAVAILABLE = Outcome.STORED, Outcome.UNAVAILABLE
KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
SECRET = "what somebody said"


def a_log_request(name: str, records: int = 3) -> bytes:
    request = ExportLogsServiceRequest()
    for number in range(records):
        record = request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=time.time_ns())
        record.body.string_value = f"{name} {number}"
        record.trace_id, record.span_id = bytes(15) + b"\x01", bytes(7) + bytes([1 + number])
        record.attributes.extend(attributes({"key": number, "input.value": SECRET}))
    return request.SerializeToString()


def a_metric_request(name: str) -> bytes:
    """A request with two points of each kind."""
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    for kind in KINDS:
        for number in range(2):
            point = getattr(metrics.add(name=name), kind).data_points.add(time_unix_nano=time.time_ns())
            point.attributes.extend(attributes({"number": number, "prompt": SECRET}))
    return request.SerializeToString()


def a_trace_request(name: str) -> bytes:
    secret = attributes({"gen_ai.input.messages": SECRET, "gen_ai.operation.name": "chat"})
    return a_request(*(a_span(number, name=f"{name} {number}", attributes=secret) for number in (1, 2, 3)))


BODIES: dict[OtlpSignal, Callable[[str], bytes]] = {
    TRACES: a_trace_request,
    LOGS: a_log_request,
    METRICS: a_metric_request,
}


def requests_named(name: str, policy: ContentPolicy = ContentPolicy.FULL) -> dict[OtlpSignal, ExportRequest]:
    """One request of each signal."""
    now = time.time_ns()
    return {otlp: admitted(body(name), otlp=otlp, received_at_ns=now, policy=policy) for otlp, body in BODIES.items()}


class Bench:
    """A server over one database of this process' engine, a spool in another, and a writer for each signal."""

    def __init__(self, stand_in: ClickHouseStandIn, local: EmbeddedStore, server: ServerStore, limits: SpoolLimits):
        self.stand_in, self.local, self.server = stand_in, local, server
        self.spool = Spool(local, server, limits)
        self.writers = {
            otlp: SpoolingWriter(otlp.signal, writer_of(server, otlp), writer_of(local, otlp), self.spool)
            for otlp in OTLP_SIGNALS
        }

    def write(self, requests: dict[OtlpSignal, ExportRequest]) -> list[Outcome]:
        return [outcome for otlp, request in requests.items() for outcome in self.writers[otlp].write([request])]

    def come_back(self) -> None:
        self.stand_in.start()
        self.spool._away.clear()


OTLP_OF = {destination.table: otlp for otlp in OTLP_SIGNALS for destination in otlp.signal.destinations}
TABLES = list(OTLP_OF)


def row_counts(store: Store) -> dict[str, int]:
    return {table: store.rows("SELECT count() FROM {table:Identifier}", {"table": table})[0][0] for table in TABLES}


def contents(store: Store) -> dict[str, list[str]]:
    """Every row of every table, all columns that are stored, the index of traces, and what was said."""
    found = {
        table: list(
            map(repr, store.rows("SELECT COLUMNS('.*') FROM {table:Identifier} ORDER BY ALL", {"table": table}))
        )
        for table in TABLES
    }
    index = store.rows("SELECT TraceId, min(Start), max(End) FROM otel_traces_trace_id_ts GROUP BY TraceId")
    said = store.rows("SELECT * FROM span_content ORDER BY ALL")
    return {**found, "index": list(map(repr, index)), "said": list(map(repr, said))}


ONE_OF_EACH = {
    "otel_traces": 3,
    "otel_logs": 3,
    **{f"otel_metrics_{kind}": 2 for kind in ("gauge", "sum", "histogram", "exponential_histogram", "summary")},
}


def times(count: int) -> dict[str, int]:
    return {table: count * rows for table, rows in ONE_OF_EACH.items()}


@pytest.fixture
def make_bench(
    engine: EmbeddedStore, migrated_stores: MigratedStores, tmp_path: Path
) -> Iterator[Callable[..., Bench]]:
    with ExitStack() as stack:
        stand_in = ClickHouseStandIn(engine.open_handle, tmp_path / "sent.proto")
        stand_in.start()

        def make(max_bytes: int = 2**30) -> Bench:
            local = stack.enter_context(migrated_stores.taken())
            behind = stack.enter_context(migrated_stores.taken(of_server=True))
            server = ServerStore(f"http://127.0.0.1:{stand_in.port}", behind.database)
            stack.callback(server.close)
            return Bench(stand_in, local, server, SpoolLimits(max_bytes, 0, retry_s=0.05))

        yield make
        stand_in.stop()


def test_an_outage_loses_nothing_and_doubles_nothing(make_bench: Callable[..., Bench]) -> None:
    """Senders hear that all is well, and it is: every row comes to the server as if it had never been away."""
    bench, undisturbed = make_bench(), make_bench()
    before, during, after = (requests_named(name) for name in ("before", "during", "after"))
    assert bench.write(before) == [STORED] * 3
    bench.stand_in.stop()

    assert bench.write(during) == [STORED] * 3
    assert row_counts(bench.local) == times(1)

    bench.come_back()
    assert bench.write(after) == [STORED] * 3
    assert bench.spool.drain()
    assert {table: len(rows) for table, rows in contents(bench.local).items() if rows} == {}
    for requests in (before, during, after):
        assert undisturbed.write(requests) == [STORED] * 3
    assert contents(bench.server) == contents(undisturbed.server)
    assert sum(row_counts(bench.server).values()) == sum(times(3).values())
    assert sum(SECRET in row for row in contents(bench.server)["said"]) == 3 + 9, "spans of the same ids; log records"


def test_messages_wait_for_all_that_say_them(make_bench: Callable[..., Bench]) -> None:
    """A message of a conversation is in the spool once, whichever signal moves first."""
    bench = make_bench()
    during = requests_named("during")
    bench.stand_in.stop()
    assert bench.write(during) == [STORED] * 3
    bench.come_back()

    bench.spool._drain_signal(TRACES.signal)
    bench.spool._clear_content()

    assert bench.spool.drain()
    said = bench.server.rows("SELECT DISTINCT startsWith(Key, 'logs.'), Text FROM span_content ORDER BY ALL")
    assert said == [(0, SECRET), (1, SECRET)]
    assert bench.local.rows("SELECT (SELECT count() FROM span_contents), (SELECT count() FROM content_messages)") == [
        (0, 0)
    ]


@pytest.mark.parametrize("limit", [1, 10**9])
def test_content_moves_in_parts_of_bounded_size(
    make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr("agentvigil.storage.spool._CONTENT_BYTES", limit)
    inserted = Counter[str]()
    bench = make_bench()
    bench.stand_in.stop()
    for number in range(3):
        assert bench.write(requests_named(f"during {number}")) == [STORED] * 3
    bench.come_back()
    insert = bench.server.insert_native
    monkeypatch.setattr(
        bench.server, "insert_native", lambda table, rows: (inserted.update([table]), insert(table, rows))
    )

    assert bench.spool.drain()

    assert len(contents(bench.server)["said"]) == 3 + 9
    assert inserted["span_contents"] == inserted["content_messages"] == (6 if limit == 1 else 2)


def test_what_waits_holds_no_content(make_bench: Callable[..., Bench]) -> None:
    """The spool is a disk like any other."""
    bench = make_bench()
    bench.stand_in.stop()
    bench.write(requests_named("during", ContentPolicy.OFF))
    bench.stand_in.start()

    found = {table: sum(SECRET in row for row in rows) for table, rows in contents(bench.local).items()}

    assert set(found.values()) == {0}
    assert row_counts(bench.local) == times(1)


def test_without_room_senders_are_turned_away(make_bench: Callable[..., Bench]) -> None:
    """A bound that is reached is said, not exceeded; senders keep their data then."""
    bench = make_bench(max_bytes=1)
    bench.stand_in.stop()

    assert bench.write(requests_named("first")) == [STORED, UNAVAILABLE, UNAVAILABLE]

    bench.come_back()
    assert bench.spool.drain()
    assert row_counts(bench.server)["otel_traces"] == 3


def test_a_request_whose_answer_was_lost_is_not_doubled(
    make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the server and in the spool: the server is asked before anything is sent to it."""
    bench = make_bench()
    run = bench.stand_in._insert
    inserts = 0

    def insert_and_leave(*arguments: Any) -> bytes:
        nonlocal inserts
        inserts += 1
        run(*arguments)
        raise ConnectionAbortedError("the server goes away before it answers")

    def nobody(*_: Any) -> bytes:
        raise QueryFailed(0, "ConnectionError", "")

    monkeypatch.setattr(bench.stand_in, "_insert", insert_and_leave)
    # Nor does it say what has landed.
    ask = bench.server.rows
    monkeypatch.setattr(bench.server, "rows", nobody)

    assert bench.write(requests_named("lost")) == [STORED] * 3

    monkeypatch.undo()
    assert bench.server.rows == ask
    assert inserts == 1  # the first signal found out that the server is away
    assert row_counts(bench.local) == times(1)
    assert bench.spool.drain()
    assert row_counts(bench.server) == times(1)


def test_a_move_that_breaks_off_is_taken_up_again(
    make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server leaves again after each of a dozen inserts; in the end everything is there once."""
    bench = make_bench()
    bench.stand_in.stop()
    for name in ("a", "b", "c"):
        assert bench.write(requests_named(name)) == [STORED] * 3
    bench.come_back()
    insert = bench.server.insert_native
    left = 0

    def insert_and_leave(table: str, rows: bytes) -> None:
        nonlocal left
        insert(table, rows)
        left += 1
        if left < 12:
            raise QueryFailed(209, "SOCKET_TIMEOUT", "")

    monkeypatch.setattr(bench.server, "insert_native", insert_and_leave)
    for _ in range(40):
        try:
            if bench.spool.drain():
                break
        except QueryFailed:
            continue

    assert left > 12
    assert row_counts(bench.local) == times(0)
    assert row_counts(bench.server) == times(3)


def test_thousands_of_requests_are_moved(make_bench: Callable[..., Bench]) -> None:
    """Ten minutes are many requests: in batches, and in statements that a server takes."""
    bench = make_bench()
    bench.stand_in.stop()
    now = time.time_ns()
    group = [
        admitted(a_log_request(str(number), 1), otlp=LOGS, received_at_ns=now + number * 10**6)
        for number in range(2500)
    ]
    assert bench.writers[LOGS].write(group) == [STORED] * len(group)
    bench.come_back()

    assert bench.spool.drain()

    assert bench.server.rows("SELECT count(), uniqExact(RequestHash) FROM otel_logs") == [(2500, 2500)]
    assert row_counts(bench.local) == times(0)


def test_one_request_that_the_server_refuses_does_not_hold_up_the_others(make_bench: Callable[..., Bench]) -> None:
    """It stays in the spool, where an operator finds it named in the log."""
    bench = make_bench()
    bench.stand_in.stop()
    for name in ("good", "bad", "fine"):
        assert bench.write(requests_named(name)) == [STORED] * 3
    bench.come_back()
    bench.server.command("ALTER TABLE otel_metrics_sum ADD CONSTRAINT no_bad CHECK MetricName != 'bad'")

    assert not bench.spool.drain()

    left = {table: count for table, count in ONE_OF_EACH.items() if "metrics" in table}
    assert row_counts(bench.local) == {**times(0), **left}
    assert row_counts(bench.server) == {table: 3 * count - left.get(table, 0) for table, count in ONE_OF_EACH.items()}
    # As it was: to make another store for the next test takes seconds.
    bench.server.command("ALTER TABLE otel_metrics_sum DROP CONSTRAINT no_bad")


def test_a_new_process_knows_what_waits(make_bench: Callable[..., Bench]) -> None:
    """A sender whose answer was lost with the process before sends again, and is told that it is stored."""
    bench = make_bench()
    bench.stand_in.stop()
    waiting = requests_named("waiting")
    bench.write(waiting)
    bench.come_back()

    known = {otlp: writer.recover(900, 100) for otlp, writer in bench.writers.items()}

    assert known == {otlp: [request.request_hash] for otlp, request in waiting.items()}


def test_the_spool_empties_itself(make_bench: Callable[..., Bench]) -> None:
    """Its thread notices that the server is back, without anybody's help."""
    bench = make_bench()
    bench.stand_in.stop()
    bench.write(requests_named("during"))
    bench.spool.start()
    try:
        assert bench.spool.server_is_away
        bench.stand_in.start()
        until(lambda: not bench.spool.server_is_away, "the server to be found back")
        until(lambda: row_counts(bench.server) == times(1), "the rows")
        until(lambda: row_counts(bench.local) == times(0), "an empty spool")
    finally:
        bench.spool.stop()


class Senders:
    """One sender for each signal; each sends one request after the other and keeps it until it is acknowledged."""

    def __init__(self, address: str) -> None:
        self.acknowledged: Counter[OtlpSignal] = Counter()
        self._address = address
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(otlp,)) for otlp in OTLP_SIGNALS]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self) -> None:
        enough = {otlp: self.acknowledged[otlp] + 1 for otlp in OTLP_SIGNALS}
        until(lambda: all(self.acknowledged[otlp] >= count for otlp, count in enough.items()), "acknowledgements")

    def _send(self, otlp: OtlpSignal) -> None:
        sender = OtlpSender(self._address, otlp)
        # Views take seconds of the processor for each, and the slowest signal decides how long all send.
        while not self._ended.wait(0.5):
            body = BODIES[otlp](uuid.uuid4().hex)
            while True:
                try:
                    sender.send(body)
                    break
                except grpc.RpcError as exc:
                    assert exc.code() in RETRYABLE, exc  # a thread's assertion fails the test
                    time.sleep(0.05)
            self.acknowledged[otlp] += 1
        sender.close()


@pytest.mark.timeout(120 + 2 * OUTAGE_S)
def test_trouble_of_the_spool_itself_keeps_nobody_from_the_server(
    make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can not be moved waits; what is new goes to a server that takes it."""
    bench = make_bench()
    bench.stand_in.stop()
    bench.write(requests_named("waiting"))
    bench.stand_in.start()
    broken = threading.Semaphore(0)

    def fail(*_: Any) -> bytes:
        broken.release()
        raise QueryFailed(243, "NOT_ENOUGH_SPACE", "")

    monkeypatch.setattr(bench.local, "native", fail)
    bench.spool.start()
    try:
        for _ in range(3):
            assert broken.acquire(timeout=60)
            assert not bench.spool.server_is_away
        assert bench.write(requests_named("new")) == [STORED] * 3
        assert row_counts(bench.server) == times(1)
        assert row_counts(bench.local) == times(1)

        monkeypatch.undo()
        until(lambda: row_counts(bench.server) == times(2), "what waited")
    finally:
        bench.spool.stop()


def test_the_server_program_rides_out_an_outage_and_a_kill(
    tmp_path: Path, engine: EmbeddedStore, start_server: Callable[..., Server]
) -> None:
    """As operators have it: an outage begins, the receiver is killed in it, both come back, and senders never stop."""
    database = f"outage_{uuid.uuid4().hex[:8]}"
    stand_in = ClickHouseStandIn(engine.open_handle, tmp_path / "sent.proto")
    stand_in.start()
    url = f"http://127.0.0.1:{stand_in.port}"
    server = start_server(
        tmp_path / "data",
        *("--clickhouse", url, "--database", database, "--spool-max-bytes", str(2**30)),
        *("--otlp-grpc", f"127.0.0.1:{free_port()}"),
    )
    with Senders(server.addresses["otlp_grpc"]) as senders:
        senders.wait_for_more()
        stand_in.stop()
        senders.wait_for_more()
        time.sleep(OUTAGE_S)
        in_outage = sum(senders.acknowledged.values())
        senders.wait_for_more()
        server.kill()
        stand_in.start()
        server.start()
        senders.wait_for_more()
    sent = {otlp: senders.acknowledged[otlp] for otlp in OTLP_SIGNALS}
    expected = {table: sent[OTLP_OF[table]] * rows for table, rows in ONE_OF_EACH.items()}
    store = ServerStore(url, database)
    until(lambda: row_counts(store) == expected, "all rows, once", pause_s=0.1)
    assert server.stop() == 0, server.output()
    assert row_counts(store) == expected
    assert SECRET not in server.output()
    print(f"{in_outage} requests acknowledged until {OUTAGE_S:g} s of outage were over, {sum(sent.values())} in all")
    store.close()
    stand_in.stop()
    engine.command("DROP DATABASE {name:Identifier}", {"name": database})


def test_a_writer_that_was_relieved_does_not_remove_what_the_spool_moves(make_bench: Callable[..., Bench]) -> None:
    """Two that clean up after one failure would take each other's rows."""
    bench = make_bench()
    writer = RequestWriter(bench.server, TRACES.signal, partial(clean, TRACES))
    request = requests_named("doubtful")[TRACES]
    bench.stand_in.stop()
    assert writer.write([request]) == [UNAVAILABLE]
    assert writer._in_doubt
    writer.release([request.request_hash])
    bench.stand_in.start()
    assert not writer._in_doubt
