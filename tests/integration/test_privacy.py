"""What people said reaches no disk under the default policy, also when the process is killed while it stores.

A canary is sent as the value of every key that is content, and then searched in every column and in every byte of
every file the server may have written. So that bytes can be searched at all, the tables are made without compression
first; that the search would find something is proved by a second canary under a key that is no content.
"""

import base64
import contextlib
import gzip
import itertools
import os
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import ResourceLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import ResourceMetrics
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans
from server_process import OtlpSender, Server, free_port, insert_under_way, run_cli, run_statements, until

from agentvigil.receiver.otlp import LOGS, METRICS, OTLP_SIGNALS, TRACES, OtlpSignal
from agentvigil.semconv.content import CONTENT_KEYS, CONTENT_NUMBERED_PREFIXES, CONTENT_PREFIXES, is_content
from agentvigil.storage.signals import SUMMARY

KILLS: Final = 3
SECRET: Final = f"what-somebody-said-{uuid.uuid4().hex}"
MARKER: Final = f"what-may-be-stored-{uuid.uuid4().hex}"
KEYS: Final = (
    *CONTENT_KEYS,
    *(prefix + suffix for prefix in CONTENT_PREFIXES for suffix in ("0", "0.message.content", "x")),
    *(prefix + suffix for prefix in CONTENT_NUMBERED_PREFIXES for suffix in ("0", "0.content", "12.role")),
)


def spellings(text: str) -> list[bytes]:
    """``text`` as it may stand in a file: plain, in base64 as bytes values are stored, in hex, in UTF-16."""
    plain = text.encode()
    # From the second and third byte on, for text that does not start where a group of three bytes does.
    encoded = [base64.b64encode(plain[skip:])[:-4] for skip in range(3)]
    return [plain, *encoded, plain.hex().encode(), plain.hex().upper().encode(), text.encode("utf-16-le")]


def _map_of(values: Mapping[str, AnyValue]) -> AnyValue:
    return AnyValue(kvlist_value={"values": [KeyValue(key=key, value=value) for key, value in values.items()]})


def _array_of(*values: AnyValue) -> AnyValue:
    return AnyValue(array_value={"values": values})


def values_of(text: str) -> list[AnyValue]:
    """``text`` in every kind of value, flat and nested."""
    string, octets = AnyValue(string_value=text), AnyValue(bytes_value=text.encode())
    message = _map_of({"role": AnyValue(string_value="user"), "content": string, "parts": _array_of(string, octets)})
    return [string, octets, _array_of(string, octets), message, _array_of(message, _array_of(string))]


def resource_spans(value: AnyValue, trace_id: bytes) -> ResourceSpans:
    """One span with ``value`` under every content key, everywhere that attributes are."""
    attributes = content_attributes(value)
    now = time.time_ns()
    spans = ResourceSpans()
    spans.resource.attributes.extend(attributes)
    spans.resource.attributes.add(key="service.name").value.string_value = "privacy-test"
    scope_spans = spans.scope_spans.add()
    scope_spans.scope.name = "tests"
    scope_spans.scope.attributes.extend(attributes)
    for day in range(2):
        span = scope_spans.spans.add(
            trace_id=trace_id,
            span_id=(day + 1).to_bytes(8, "big"),
            name="chat",
            kind=3,
            start_time_unix_nano=now - day * 86_400 * 10**9,
            end_time_unix_nano=now,
        )
        span.attributes.extend(attributes)
        for name in ("gen_ai.user.message", "gen_ai.client.inference.operation.details"):
            span.events.add(name=name, time_unix_nano=now).attributes.extend(attributes)
        span.links.add(trace_id=bytes(15) + b"\x01", span_id=bytes(7) + b"\x01").attributes.extend(attributes)
    return spans


def resource_logs(value: AnyValue, trace_id: bytes) -> ResourceLogs:
    """Records with ``value`` under every content key, and as bodies: of GenAI events, and as a part of a map."""
    attributes = content_attributes(value)
    now = time.time_ns()
    logs = ResourceLogs()
    logs.resource.attributes.extend(attributes)
    scope_logs = logs.scope_logs.add()
    scope_logs.scope.name = "tests"
    scope_logs.scope.attributes.extend(attributes)
    records = scope_logs.log_records
    records.add(trace_id=trace_id, time_unix_nano=now).attributes.extend(attributes)
    records.add(trace_id=trace_id, time_unix_nano=now, event_name="gen_ai.user.message").body.CopyFrom(value)
    named = records.add(trace_id=trace_id, time_unix_nano=now)
    named.attributes.add(key="event.name").value.string_value = "gen_ai.choice"
    named.body.CopyFrom(value)
    called = records.add(trace_id=trace_id, time_unix_nano=now)
    called.attributes.add(key="gen_ai.system").value.string_value = "openai"
    called.body.CopyFrom(value)
    mapped = records.add(trace_id=trace_id, time_unix_nano=now)
    mapped.body.CopyFrom(_map_of({"input": value, "output": value, "marker": AnyValue(string_value=MARKER)}))
    return logs


def resource_metrics(value: AnyValue, trace_id: bytes) -> ResourceMetrics:
    """Data points of every kind, with exemplars, that have ``value`` under every content key."""
    attributes = content_attributes(value)
    metrics = ResourceMetrics()
    metrics.resource.attributes.extend(attributes)
    scope_metrics = metrics.scope_metrics.add()
    scope_metrics.scope.name = "tests"
    scope_metrics.scope.attributes.extend(attributes)
    for kind in ("gauge", "sum", "histogram", "exponential_histogram", "summary"):
        point = getattr(scope_metrics.metrics.add(name=kind), kind).data_points.add(time_unix_nano=time.time_ns())
        point.attributes.extend(attributes)
        if kind != "summary":
            exemplar = point.exemplars.add(trace_id=trace_id, time_unix_nano=time.time_ns())
            exemplar.filtered_attributes.extend(attributes)
    return metrics


def content_attributes(value: AnyValue) -> list[KeyValue]:
    content = [KeyValue(key=key, value=value) for key in KEYS]
    return [*content, KeyValue(key="app.marker", value=AnyValue(string_value=MARKER))]


def request_with(trace_id: bytes, otlp: OtlpSignal = TRACES) -> bytes:
    """A serialised request that holds the secret in every way there is, and the marker beside it."""
    values = values_of(SECRET)
    if otlp is LOGS:
        logs = ExportLogsServiceRequest(resource_logs=[resource_logs(value, trace_id) for value in values])
        return logs.SerializeToString()
    if otlp is METRICS:
        metrics = ExportMetricsServiceRequest(resource_metrics=[resource_metrics(value, trace_id) for value in values])
        return metrics.SerializeToString()
    return ExportTraceServiceRequest(
        resource_spans=[resource_spans(value, trace_id) for value in values]
    ).SerializeToString()


def _field(number: int, octets: bytes) -> bytes:
    """A length-delimited field of protobuf's wire format."""

    def varint(value: int) -> bytes:
        return (bytes([value & 0x7F | 0x80]) + varint(value >> 7)) if value > 0x7F else bytes([value])

    return varint(number << 3 | 2) + varint(len(octets)) + octets


def poisoned_requests(trace_id: bytes) -> dict[str, bytes]:
    """Requests in which something is wrong after the secret, and what is wrong with them."""
    good = request_with(trace_id)
    secret = SECRET.encode()
    # resource_spans { scope_spans { spans { ... } } } with what no encoder writes into the innermost.
    span = _field(1, trace_id) + _field(2, bytes(7) + b"\x01")

    def with_span(*octets: bytes) -> bytes:
        return good + _field(1, _field(2, _field(2, span + b"".join(octets))))

    key = _field(1, b"input.value")
    attribute = _field(9, key + _field(2, _field(1, secret)))
    return {
        "cut off": good[:-7],
        "ends in a tag": good + b"\x0a",
        "no protobuf": secret + good,
        "text that is not UTF-8": with_span(_field(9, key + _field(2, _field(1, secret + b"\xff\xfe")))),
        "a kind that is a string": with_span(attribute, _field(6, secret)),
        "a start that is a string": with_span(attribute, _field(7, secret)),
        "a status that is a number": with_span(attribute, b"\x78\x01"),
        "a value that is a number": with_span(_field(9, key + b"\x10\x01"), attribute),
        "a number that is a string": with_span(_field(9, key + _field(2, _field(3, secret)))),
        "an unknown field": with_span(attribute, _field(99, secret)),
        "no ids": good + _field(1, _field(2, _field(2, attribute))),
        "nothing but a span without ids": _field(1, _field(2, _field(2, attribute))),
    }


@dataclass
class Senders:
    """Threads that send the secret until they are told to end; ``acknowledged`` counts what was stored."""

    address: str
    acknowledged: Counter[str] = field(default_factory=Counter)
    _end: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._threads = [
            threading.Thread(target=self._send, args=shape, daemon=True)
            for shape in enumerate((TRACES, TRACES, LOGS, METRICS))
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(30)

    def _send(self, number: int, otlp: OtlpSignal) -> None:
        placeholder = b"trace id to come"
        body = request_with(placeholder, otlp)
        sender = OtlpSender(self.address, otlp)
        for count in itertools.count(1):
            if self._end.is_set():
                break
            try:
                sender.send(body.replace(placeholder, (number << 64 | count).to_bytes(16, "big")))
                self.acknowledged[otlp.signal.name] += 1
            except grpc.RpcError:
                time.sleep(0.02)
        sender.close()


def make_uncompressed(data: Path) -> None:
    """Rebuild the schema in ``data`` so that everything ClickHouse writes there can be read by eye."""
    assert run_cli("migrate", "--data", str(data)).returncode == 0
    ((columns,),) = (
        run_statements(
            data,
            "SELECT table, name FROM system.columns "
            "WHERE database = currentDatabase() AND default_kind != 'ALIAS' AND table IN "
            "(SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')",
        ),
    )
    codecs: dict[str, list[str]] = {}
    for table, column in columns:
        codecs.setdefault(table, []).append(f"MODIFY COLUMN `{column}` CODEC(NONE)")
    run_statements(
        data,
        *(f"ALTER TABLE {table} {', '.join(changes)}" for table, changes in codecs.items()),
        *(
            f"ALTER TABLE {table} MODIFY SETTING compress_marks = 0, compress_primary_key = 0, "
            "marks_compression_codec = 'NONE', primary_key_compression_codec = 'NONE', "
            "default_compression_codec = 'NONE'"
            for table in codecs
        ),
    )


def files_with(needles: Iterable[bytes], *folders: Path) -> list[str]:
    """Names of the files under ``folders`` that have one of ``needles`` in their name or their bytes."""
    needles = list(needles)
    found = []
    # Not with Path.rglob, which fails on folders that are merged away meanwhile.
    for folder, _, names in itertools.chain.from_iterable(map(os.walk, folders)):
        for path in (Path(folder, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                octets = str(path).encode() + b"\n" + path.read_bytes()
                if any(needle in octets for needle in needles):
                    found.append(str(path))
    return found


def columns_with(data: Path, text: str) -> list[str]:
    """Columns of any table that hold ``text``, as ``table.column``."""
    (columns,) = run_statements(
        data,
        "SELECT table, name FROM system.columns WHERE database = currentDatabase() "
        "AND (type LIKE '%String%' OR type LIKE '%Map%' OR type LIKE '%Array%')",
    )
    assert len(columns) > 30
    needles = ", ".join(f"unhex('{needle.hex()}')" for needle in spellings(text))
    counts = run_statements(
        data,
        *(
            f"SELECT countIf(multiSearchAny(toString(`{column}`), [{needles}])) FROM {table}"
            for table, column in columns
        ),
    )
    return [f"{table}.{column}" for (table, column), [[count]] in zip(columns, counts, strict=True) if count]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every place the server may write to: its data, its temporary files, where it was started, its home, its log."""
    root = tmp_path_factory.mktemp("privacy")
    places = {name: root / name for name in ("data", "tmp", "cwd", "home", "log")}
    for place in places.values():
        place.mkdir()
    return places


@pytest.fixture(scope="module")
def uncompressed(folders: dict[str, Path]) -> Iterator[Server]:
    """A server whose tables are not compressed, and that writes nowhere but to ``folders``."""
    make_uncompressed(folders["data"])
    server = Server(
        folders["data"],
        folders["log"],
        *("--otlp-grpc", f"127.0.0.1:{free_port()}", "--log-level", "debug"),
        variables={"TMPDIR": str(folders["tmp"]), "HOME": str(folders["home"])},
        cwd=folders["cwd"],
    )
    yield server
    server.kill()


@pytest.fixture
def server(uncompressed: Server) -> Server:
    """That server, running."""
    if not uncompressed.is_running:
        uncompressed.start()
    return uncompressed


def test_every_key_of_this_test_is_content() -> None:
    """Else the search below would look for what may well be stored."""
    assert [key for key in KEYS if not is_content(key)] == []


def test_kills_while_storing_leave_no_content_on_any_disk(server: Server, folders: dict[str, Path]) -> None:
    """Nobody may have to trust a dead process: what it was sent must not be readable from what it left behind."""
    left_behind = []
    with Senders(server.addresses["otlp_grpc"]) as senders:
        for _ in range(KILLS):
            enough = {otlp.signal.name: senders.acknowledged[otlp.signal.name] + 2 for otlp in OTLP_SIGNALS}
            until(
                lambda enough=enough: all(senders.acknowledged[name] >= count for name, count in enough.items()),  # type: ignore[misc]
                30,
                "acknowledgements",
            )
            until(lambda: insert_under_way(folders["data"]), 10, "an insert", pause_s=0)
            server.kill()
            # Before the next start, which clears away what was not finished.
            left_behind += files_with(spellings(SECRET), *folders.values())
            server.start()
    assert server.stop() == 0
    left_behind += files_with(spellings(SECRET), *folders.values())
    marked = files_with([MARKER.encode()], folders["data"])

    assert left_behind == []
    elsewhere = [name for name in ("tmp", "cwd", "home") if any(folders[name].iterdir())]
    assert elsewhere == [], "the server writes only to its data directory"
    assert [name for name in marked if name.endswith(".bin")], "the search does not find what is there"
    assert columns_with(folders["data"], SECRET) == []
    attributes = {
        TRACES: ("SpanAttributes", "Events.Attributes", "Links.Attributes"),
        LOGS: ("LogAttributes", "Body"),
        METRICS: ("Attributes", "Exemplars.FilteredAttributes"),
    }
    assert set(columns_with(folders["data"], MARKER)) >= {
        f"{destination.table}.{column}"
        for otlp, columns in attributes.items()
        for destination in otlp.signal.destinations
        for column in ("ResourceAttributes", "ScopeAttributes", *columns)
        if (destination, column) != (SUMMARY, "Exemplars.FilteredAttributes")
    }


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_what_is_wrong_with_a_request_is_told_without_its_content(
    protocol: str, server: Server, folders: dict[str, Path]
) -> None:
    """Errors are where content leaks: ClickHouse quotes the data it fails on, and answers end up in senders' logs."""
    send = _send_grpc if protocol == "grpc" else _send_http
    told = {}
    for wrong, body in poisoned_requests(uuid.uuid4().bytes).items():
        told[wrong] = send(server, body)
    # The server is well, and takes the next request.
    OtlpSender(server.addresses["otlp_grpc"]).send(request_with(uuid.uuid4().bytes))

    needles = spellings(SECRET)
    print(*(f"{wrong}: {answer[:60]!r}" for wrong, answer in told.items()), sep="\n")
    assert {wrong: answer for wrong, answer in told.items() if any(needle in answer for needle in needles)} == {}
    assert [needle for needle in needles if needle in server.output().encode()] == []
    assert files_with(needles, *folders.values()) == []


def _send_grpc(server: Server, body: bytes) -> bytes:
    sender = OtlpSender(server.addresses["otlp_grpc"])
    try:
        return b"OK " + sender.send(body).SerializeToString()
    except grpc.RpcError as exc:
        return f"{exc.code()} {exc.details()} {exc.trailing_metadata()}".encode()
    finally:
        sender.close()


def _send_http(server: Server, body: bytes) -> bytes:
    request = urllib.request.Request(
        f"http://{server.addresses['otlp_http']}/v1/traces",
        data=gzip.compress(body),
        headers={"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return b"OK " + response.read()
    except urllib.error.HTTPError as exc:
        return str(exc.code).encode() + str(exc.headers).encode() + exc.read()
