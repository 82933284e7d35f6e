"""The yardstick: an OTLP receiver written the straightforward way, to have something to compare with.

What a competent engineer writes in a day with the same parts (grpcio, protobuf, clickhouse-connect, embedded
ClickHouse): decode the request with the protobuf classes, walk its spans in Python, build a row of the OpenTelemetry
Collector's ``otel_traces`` table per span, insert. It is meant to be fair, so it has what such an engineer would
add on the second day:

* a group commit: one writer thread inserts all requests that arrived while the last insert ran, then answers them;
* the column types are asked for once, not before every insert;
* a bound on what waits, beyond which it answers RESOURCE_EXHAUSTED.

It also does less: one table without skip indexes, no typed columns, no rollups, no check for duplicates, no privacy
filter, no keys, no validation, gRPC only. A request is acknowledged after its insert returned.

``--null`` answers every request at once and keeps nothing, over gRPC and HTTP. It measures the sender.
"""

import argparse
import base64
import http.server
import json
import os
import signal
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import clickhouse_connect
import grpc
import null_http
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

MAX_MESSAGE_BYTES: Final = 16 * 2**20
MAX_WAITING_ROWS: Final = 200_000
MAX_INSERT_ROWS: Final = 50_000
HANDLER_THREADS: Final = 64

# Column names, types and codecs of the Collector's exporter, without its skip indexes:
# https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/clickhouseexporter
CREATE_TABLE: Final = """
CREATE TABLE IF NOT EXISTS otel_traces
(
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    TraceState String CODEC(ZSTD(1)),
    SpanName LowCardinality(String) CODEC(ZSTD(1)),
    SpanKind LowCardinality(String) CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion String CODEC(ZSTD(1)),
    SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    Duration UInt64 CODEC(ZSTD(1)),
    StatusCode LowCardinality(String) CODEC(ZSTD(1)),
    StatusMessage String CODEC(ZSTD(1)),
    Events Nested
    (
        Timestamp DateTime64(9),
        Name LowCardinality(String),
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    Links Nested
    (
        TraceId String,
        SpanId String,
        TraceState String,
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp), Timestamp)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1
"""

SPAN_KINDS: Final = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
STATUS_CODES: Final = ("Unset", "Ok", "Error")

Row = tuple[Any, ...]


def text(value: AnyValue) -> str:
    """An attribute value as the Collector writes it: strings as they are, arrays and maps as JSON."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "int_value":
            return str(value.int_value)
        case "double_value":
            return str(value.double_value)
        case "bool_value":
            return "true" if value.bool_value else "false"
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "array_value" | "kvlist_value":
            return json.dumps(plain(value), separators=(",", ":"))
        case _:
            return ""


def plain(value: AnyValue) -> Any:
    """An attribute value as the Python value that JSON would have."""
    match value.WhichOneof("value"):
        case "array_value":
            return [plain(element) for element in value.array_value.values]
        case "kvlist_value":
            return {pair.key: plain(pair.value) for pair in value.kvlist_value.values}
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case None:
            return None
        case name:
            return getattr(value, name)


def strings(attributes: Any) -> dict[str, str]:
    """Attributes as the Collector stores them: all values text."""
    return {attribute.key: text(attribute.value) for attribute in attributes}


def rows_of(request: ExportTraceServiceRequest) -> list[Row]:
    """One row of ``otel_traces`` per span."""
    rows: list[Row] = []
    for resource_spans in request.resource_spans:
        resource = strings(resource_spans.resource.attributes)
        service = resource.get("service.name", "")
        for scope_spans in resource_spans.scope_spans:
            scope = scope_spans.scope
            for span in scope_spans.spans:
                start = span.start_time_unix_nano
                rows.append(
                    (
                        start,
                        span.trace_id.hex(),
                        span.span_id.hex(),
                        span.parent_span_id.hex(),
                        span.trace_state,
                        span.name,
                        SPAN_KINDS[span.kind],
                        service,
                        resource,
                        scope.name,
                        scope.version,
                        strings(span.attributes),
                        max(0, span.end_time_unix_nano - start),
                        STATUS_CODES[span.status.code],
                        span.status.message,
                        [event.time_unix_nano for event in span.events],
                        [event.name for event in span.events],
                        [strings(event.attributes) for event in span.events],
                        [link.trace_id.hex() for link in span.links],
                        [link.span_id.hex() for link in span.links],
                        [link.trace_state for link in span.links],
                        [strings(link.attributes) for link in span.links],
                    )
                )
    return rows


class FullError(Exception):
    """More rows wait for the writer than it may hold."""


class Writer:
    """Group commit: one thread inserts whatever arrived while its last insert ran, then answers all of it."""

    def __init__(self, dsn: str) -> None:
        self._client: Client = clickhouse_connect.get_client(dsn=dsn)
        self._client.command(CREATE_TABLE)
        described = self._client.query("DESCRIBE TABLE otel_traces").result_rows
        self._names = [column[0] for column in described]
        self._types = [get_from_name(column[1]) for column in described]
        self._lock = threading.Condition()
        self._waiting: list[tuple[list[Row], Future[None]]] = []
        self._waiting_rows = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="writer")
        self._thread.start()

    def insert(self, rows: list[Row]) -> None:
        """Return once the rows are stored.

        Raises:
            FullError: if too many rows wait already; nothing was taken.
        """
        stored: Future[None] = Future()
        with self._lock:
            if self._stopping or self._waiting_rows > MAX_WAITING_ROWS:
                raise FullError
            self._waiting.append((rows, stored))
            self._waiting_rows += len(rows)
            self._lock.notify()
        stored.result()

    def close(self) -> None:
        """Insert what waits, then stop."""
        with self._lock:
            self._stopping = True
            self._lock.notify()
        self._thread.join()
        self._client.close()

    def _take(self) -> list[tuple[list[Row], Future[None]]]:
        with self._lock:
            while not self._waiting and not self._stopping:
                self._lock.wait()
            taken, rows = 0, 0
            while taken < len(self._waiting) and rows < MAX_INSERT_ROWS:
                rows += len(self._waiting[taken][0])
                taken += 1
            group, self._waiting = self._waiting[:taken], self._waiting[taken:]
            self._waiting_rows -= rows
            return group

    def _run(self) -> None:
        while group := self._take():
            batch = [row for rows, _ in group for row in rows]
            try:
                if batch:
                    self._client.insert("otel_traces", batch, self._names, column_types=self._types)
            except Exception as error:  # noqa: BLE001 - whatever it was, the senders must hear of it
                for _, stored in group:
                    stored.set_exception(error)
            else:
                for _, stored in group:
                    stored.set_result(None)


class TraceService(trace_service_pb2_grpc.TraceServiceServicer):
    """The OTLP service: decode, insert, answer."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def Export(  # noqa: N802 - gRPC's name
        self, request: ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> ExportTraceServiceResponse:
        try:
            self._writer.insert(rows_of(request))
        except FullError:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{MAX_WAITING_ROWS} rows wait to be stored")
        return ExportTraceServiceResponse()


class NullService(grpc.GenericRpcHandler):
    """Answers every request with an empty response, undecoded."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:  # noqa: ARG002
        return grpc.unary_unary_rpc_method_handler(lambda _request, _context: b"")


class QueryHandler(http.server.BaseHTTPRequestHandler):
    """Just enough of ClickHouse's HTTP interface to count rows: a query in a POST body, its result as text."""

    dsn = ""

    def do_POST(self) -> None:
        sql = self.rfile.read(int(self.headers["Content-Length"])).decode()
        client = clickhouse_connect.get_client(dsn=self.dsn)
        try:
            status, answer = 200, client.raw_query(sql, fmt="TabSeparated")
        except DatabaseError as error:
            status, answer = 400, str(error).encode()
        finally:
            client.close()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_args: object) -> None:
        """Stay silent: a query is not news."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the yardstick receiver until SIGTERM.")
    parser.add_argument("--data", metavar="DIR", help="directory of the embedded ClickHouse")
    parser.add_argument("--otlp-grpc", default="127.0.0.1:0", metavar="HOST:PORT")
    parser.add_argument("--clickhouse-http", default="127.0.0.1:0", metavar="HOST:PORT")
    parser.add_argument("--null", action="store_true", help="acknowledge everything, keep nothing")
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready")
    args = parser.parse_args()
    if not args.null and not args.data:
        parser.error("--data is required")

    server = grpc.server(
        ThreadPoolExecutor(HANDLER_THREADS),
        options=[("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.so_reuseport", 0)],
    )
    host = args.otlp_grpc.rpartition(":")[0]
    ready: dict[str, object] = {"status": "ready", "pid": os.getpid()}
    ready["otlp_grpc"] = f"{host}:{server.add_insecure_port(args.otlp_grpc)}"
    writer = None
    if args.null:
        server.add_generic_rpc_handlers((NullService(),))
        ready["otlp_http"] = f"127.0.0.1:{null_http.serve('127.0.0.1', 0)}"
    else:
        dsn = f"chdb://{Path(args.data).absolute()}/clickhouse"
        writer = Writer(dsn)
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(TraceService(writer), server)
        QueryHandler.dsn = dsn
        http_host, _, http_port = args.clickhouse_http.rpartition(":")
        queries = http.server.ThreadingHTTPServer((http_host, int(http_port)), QueryHandler)
        threading.Thread(target=queries.serve_forever, daemon=True).start()
        ready["clickhouse_http"] = f"{http_host}:{queries.server_address[1]}"
    server.start()

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    print(json.dumps(ready) if args.json else f"yardstick: OTLP on {ready['otlp_grpc']}", flush=True)
    # A wait without end is not woken by a signal that the system delivered to one of ClickHouse's threads.
    while not stop.wait(0.2):
        pass
    server.stop(grace=10).wait()
    if writer:
        writer.close()


if __name__ == "__main__":
    main()
