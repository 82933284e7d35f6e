"""Acknowledged means stored, once, whatever happens to the process: servers under load are killed and stopped.

AGENTVIGIL_TEST_KILLS=100 makes the kill test a soak test; AGENTVIGIL_TEST_SEED repeats one that failed.
"""

import itertools
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from server_process import OtlpSender, Server, free_port, insert_under_way, run_statements, until

from agentvigil.receiver.otlp import LOGS, METRICS, TRACES, OtlpSignal

StartServer = Callable[..., Server]

KILLS: Final = int(os.environ.get("AGENTVIGIL_TEST_KILLS", "1"))
SEED: Final = int(os.environ.get("AGENTVIGIL_TEST_SEED", str(random.SystemRandom().randrange(2**32))))
DAY_S: Final = 86_400
SHAPES: Final = (
    *((TRACES, 512, 2), (TRACES, 8, 1), (TRACES, 512, 1), (TRACES, 8, 2)),
    *((LOGS, 512, 2), (LOGS, 8, 1), (LOGS, 512, 1)),
    *((METRICS, 500, 2), (METRICS, 10, 1), (METRICS, 500, 1)),
)
"""Signal, rows of a request and days they spread over, one sender each; every day is a partition, committed by itself,
and the metrics of a request go to five tables."""

RETRYABLE: Final = {
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}
"""What makes a sender keep its data: https://opentelemetry.io/docs/specs/otlp/#failures."""

_ID: Final = b"sixteen to come."
"""Stands in a template for the id of a request: its trace id, or an attribute of its data points."""

_METRIC_TABLES: Final = tuple(destination.table for destination in METRICS.signal.destinations)
_STORED: Final = {
    "traces": "SELECT unhex(TraceId), toUInt32(count()), toUInt32(uniqExact(SpanId)), toUInt32(any(RequestSpans)) "
    "FROM otel_traces GROUP BY TraceId",
    "logs": "SELECT unhex(TraceId), toUInt32(count()), toUInt32(uniqExact(SpanId)), toUInt32(any(RequestLogRecords)) "
    "FROM otel_logs GROUP BY TraceId",
    "metrics": "SELECT Attributes['id'] AS id, toUInt32(count()), toUInt32(uniqExact(Attributes['index'])), "
    "toUInt32(any(RequestDataPoints)) "
    f"FROM ({' UNION ALL '.join(f'SELECT Attributes, RequestDataPoints FROM {table}' for table in _METRIC_TABLES)}) "
    "GROUP BY id",
}
"""By signal: the ids of requests, with their rows, their distinct rows, and the rows they ought to have."""
_NOT_IN_INDEX: Final = """
SELECT count()
FROM (
    SELECT TraceId, toDateTime(min(Timestamp)) AS first, toDateTime(max(Timestamp)) AS last
    FROM otel_traces
    GROUP BY TraceId
) AS spans
LEFT JOIN (
    SELECT TraceId, min(Start) AS first, max(End) AS last
    FROM otel_traces_trace_id_ts
    GROUP BY TraceId
) AS traces USING TraceId
WHERE traces.first != spans.first OR traces.last != spans.last
"""
"""Traces that a reader who narrows a lookup by the index of traces, as Grafana does, would not see or see in part."""


def template(otlp: OtlpSignal, items: int, days: int) -> bytes:
    """A serialised request whose id is to be replaced."""
    build = {TRACES: _traces, LOGS: _logs, METRICS: _metrics}[otlp]
    now = int(time.time())
    request = build([(index, (now - index % days * DAY_S) * 10**9 + index) for index in range(items)])
    return bytes(request.SerializeToString())


def _traces(items: list[tuple[int, int]]) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.add(key="service.name").value.string_value = "kill-test"
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "tests"
    for index, time_ns in items:
        span = scope_spans.spans.add(
            trace_id=_ID,
            span_id=(index + 1).to_bytes(8, "big"),
            name=f"chat model-{index % 3}",
            kind=3,
            start_time_unix_nano=time_ns,
            end_time_unix_nano=time_ns + 10**9,
        )
        span.attributes.add(key="gen_ai.operation.name").value.string_value = "chat"
        span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = index
        span.attributes.add(key="gen_ai.request.model").value.string_value = f"model-{index % 3}"
    return request


def _logs(items: list[tuple[int, int]]) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for index, time_ns in items:
        record = records.add(trace_id=_ID, span_id=(index + 1).to_bytes(8, "big"), time_unix_nano=time_ns)
        record.body.string_value = f"line {index}"
    return request


def _metrics(items: list[tuple[int, int]]) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    kinds = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
    points = [getattr(metrics.add(name=f"a {kind}"), kind).data_points for kind in kinds]
    for index, time_ns in items:
        point = points[index % len(kinds)].add(time_unix_nano=time_ns)
        point.attributes.add(key="id").value.string_value = _ID.decode()
        point.attributes.add(key="index").value.int_value = index
    return request


class Load:
    """Senders that send as fast as they are answered, each keeping a request until it is acknowledged.

    ``acknowledged`` and ``given_up`` map signal and id of a request to its rows; given up is only what was under way
    when the load was told to end at once.
    """

    def __init__(self, address: str) -> None:
        self.acknowledged: dict[tuple[str, str], int] = {}
        self.given_up: dict[tuple[str, str], int] = {}
        self.retries = 0
        self._address = address
        self._last_requests = threading.Event()
        self._give_up = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(number, *shape), name=f"sender-{number}", daemon=True)
            for number, shape in enumerate(SHAPES)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end(at_once=True)

    def end(self, *, at_once: bool) -> None:
        """End the load: when what is under way is acknowledged, or at once."""
        self._last_requests.set()
        if at_once:
            self._give_up.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), f"{thread.name} waits for an acknowledgement that does not come"

    def wait_for_more(self, requests: int) -> None:
        """Return when so many more requests are acknowledged than now."""
        enough = len(self.acknowledged) + requests
        until(lambda: len(self.acknowledged) >= enough, f"{requests} acknowledgements")

    def _send(self, number: int, otlp: OtlpSignal, items: int, days: int) -> None:
        body = template(otlp, items, days)
        sender = OtlpSender(self._address, otlp)
        for count in itertools.count(1):
            if self._last_requests.is_set():
                break
            request_id = f"{number:04}{count:012}"
            stored = self._deliver(sender, body.replace(_ID, request_id.encode()))
            (self.acknowledged if stored else self.given_up)[otlp.signal.name, request_id] = items
        sender.close()

    def _deliver(self, sender: OtlpSender, body: bytes) -> bool:
        while True:
            try:
                response = sender.send(body)
            except grpc.RpcError as exc:
                assert exc.code() in RETRYABLE, exc  # a thread's assertion fails the test
                if self._give_up.is_set():
                    return False
                self.retries += 1
                time.sleep(0.1)  # ten who try again without a pause would take the server's time to start
            else:
                assert not response.HasField("partial_success")
                return True


def what_is_stored(data: Path) -> tuple[dict[tuple[str, str], list[int]], int]:
    """Counts of every request in ``data``, and how many of the traces are not in their index as they should be."""
    *by_signal, not_in_index = run_statements(data, *_STORED.values(), _NOT_IN_INDEX)
    stored = {
        (signal, request_id): counts
        for signal, rows in zip(_STORED, by_signal, strict=True)
        for request_id, *counts in rows
    }
    return stored, not_in_index[0][0]


@contextmanager
def loaded_server(start_server: StartServer, data: Path) -> Iterator[tuple[Server, Load]]:
    # A fixed port, so that senders find the server again.
    server = start_server(data, "--otlp-grpc", f"127.0.0.1:{free_port()}")
    with Load(server.addresses["otlp_grpc"]) as load:
        load.wait_for_more(len(SHAPES))
        yield server, load


@pytest.mark.timeout(300 + 15 * KILLS)
def test_kills_lose_nothing_acknowledged_and_store_nothing_twice(tmp_path: Path, start_server: StartServer) -> None:
    """Machines lose power and containers are killed; what a sender was told is stored must be there, once and whole."""
    print(f"AGENTVIGIL_TEST_SEED={SEED}")
    chance = random.Random(SEED)
    data = tmp_path / "data"
    cut_off = 0
    with loaded_server(start_server, data) as (server, load):
        for kill in range(KILLS):
            time.sleep(chance.uniform(0, 1.5))
            if kill % 2 == 0:
                until(lambda: insert_under_way(data), "an insert", pause_s=0)
                time.sleep(chance.uniform(0, 0.02))
            server.kill()
            cut_off += insert_under_way(data)
            server.start()
            load.wait_for_more(len(SHAPES))
        load.end(at_once=False)
        assert server.stop(signal.SIGINT) == 0, server.output()

    stored, not_in_index = what_is_stored(data)

    recoveries = server.output().count("stored in part")
    print(
        f"{KILLS} kills, {cut_off} of them while a part was written; {len(stored)} requests, {load.retries} retries, "
        f"{recoveries} times requests were there in part"
    )
    wrong = {key: counts for key, counts in stored.items() if set(counts) != {load.acknowledged.get(key)}}
    assert not wrong, f"[rows, distinct rows, rows of the request] of requests: {wrong}"
    assert len(stored) == len(load.acknowledged)
    assert not load.given_up
    assert not_in_index == 0


@pytest.mark.long
def test_a_stop_under_load_keeps_everything_acknowledged(tmp_path: Path, start_server: StartServer) -> None:
    """A deployment restarts the server at any moment; it says that it is going instead of dropping requests."""
    with loaded_server(start_server, tmp_path / "data") as (server, load):
        load.wait_for_more(len(SHAPES))
        exit_code = server.stop()
        load.end(at_once=True)

    stored, _ = what_is_stored(tmp_path / "data")

    assert exit_code == 0, server.output()
    assert "Traceback" not in server.output()
    assert {key: stored[key][0] for key in load.acknowledged if key in stored} == load.acknowledged
    # What was under way may be stored although its answer got lost, but then it is whole.
    sent = load.acknowledged | load.given_up
    assert not {key: counts for key, counts in stored.items() if set(counts) != {sent[key]}}


@pytest.mark.long
def test_a_start_takes_back_requests_stored_in_part(tmp_path: Path, start_server: StartServer) -> None:
    """A kill between two commits leaves one partition of a request; its sender got no answer and sends it again."""
    data = tmp_path / "data"
    cut, whole = (
        template(TRACES, spans, 2).replace(_ID, request_id) for spans, request_id in ((512, b"a" * 16), (8, b"b" * 16))
    )
    server = start_server(data)
    sender = OtlpSender(server.addresses["otlp_grpc"])
    sender.send(cut)
    sender.send(whole)
    sender.close()
    assert server.stop() == 0
    yesterday = datetime.fromtimestamp(time.time() - DAY_S, tz=UTC).date()
    before, not_in_index = run_statements(
        data,
        f"DELETE FROM otel_traces WHERE RequestSpans = 512 AND toDate(Timestamp) = '{yesterday}'",
        _STORED["traces"],
        _NOT_IN_INDEX,
    )
    assert sorted(counts for _, *counts in before) == [[8, 8, 8], [256, 256, 512]]
    assert not_in_index == [[0]]

    server.start()
    sender = OtlpSender(server.addresses["otlp_grpc"])
    for body in (cut, cut, whole):
        sender.send(body)
    sender.close()
    assert server.stop() == 0
    after, not_in_index = run_statements(data, _STORED["traces"], _NOT_IN_INDEX)

    assert sorted(counts for _, *counts in after) == [[8, 8, 8], [512, 512, 512]]
    assert not_in_index == [[0]]
    assert server.output().count("removing 1 requests of traces that an earlier process stored in part") == 1
