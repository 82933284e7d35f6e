"""The same telemetry becomes the same rows, whichever protocol, encoding and compression it came by."""

import base64
import gzip
import http.client
import json
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Final

import grpc
import pytest
from backports import zstd
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status
from otlp_requests import VALUES, a_metric, a_point, a_record, an_exemplar, logs_of, metrics_of, resource
from own_receiver import PATIENCE_S, Receiver
from trace_requests import attributes, writer_of

from agentvigil.receiver.content_policies import ContentPolicies
from agentvigil.receiver.ingest import IngestConfig
from agentvigil.receiver.otlp import LOGS, METRICS, OTLP_SIGNALS, TRACES, OtlpSignal
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.migrations import migrate

NOW: Final = time.time_ns()
IDS: Final = {"trace_id": bytes(range(16)), "span_id": bytes(range(8, 16))}
EVERY_VALUE: Final = {
    **{name: value for name, (value, _) in VALUES.items()},
    "bytes": AnyValue(bytes_value=b"\0\xff binary"),
    "map": AnyValue(kvlist_value=KeyValueList(values=attributes({"b": 1, "a": ["x", 2.5], "none": None}))),
    "mixed": ["text", 1, True, 2.5, None, [], ["nested"]],
    "input.value": "what somebody said",
}


def traces(road: str) -> Message:
    span = Span(
        **IDS,
        parent_span_id=b"\1" * 8,
        trace_state="a=b",
        flags=0x301,
        name="chat é",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=NOW - 5,
        end_time_unix_nano=NOW,
        attributes=attributes(EVERY_VALUE),
        dropped_attributes_count=1,
        events=[Span.Event(time_unix_nano=NOW - 1, name="event", attributes=attributes(EVERY_VALUE))],
        dropped_events_count=2,
        links=[Span.Link(**IDS, trace_state="c=d", attributes=attributes(EVERY_VALUE))],
        dropped_links_count=3,
        status=Status(code=Status.STATUS_CODE_ERROR, message="it failed"),
    )
    scope_spans = ScopeSpans(scope=SCOPE, spans=[span], schema_url="https://scope.test")
    of_resource = ResourceSpans(resource=resource(road=road), scope_spans=[scope_spans], schema_url="https://r.test")
    return ExportTraceServiceRequest(resource_spans=[of_resource])


def logs(road: str) -> Message:
    bodies = [value for name, value in EVERY_VALUE.items() if name != "input.value"]
    records = [
        a_record(
            body,
            EVERY_VALUE if number == 0 else {"number": number},
            time_unix_nano=NOW - number,
            observed_time_unix_nano=NOW,
            severity_number=9 + number % 4,
            severity_text="INFO",
            event_name="an.event",
            flags=1,
            dropped_attributes_count=number,
            **IDS,
        )
        for number, body in enumerate(bodies)
    ]
    return logs_of(*records, scope=SCOPE, road=road)


def metrics(road: str) -> Message:
    exemplars = [
        an_exemplar(EVERY_VALUE, time_unix_nano=NOW, as_double=0.5, **IDS),
        an_exemplar(time_unix_nano=NOW, as_int=-7),
    ]
    common = {"pairs": EVERY_VALUE, "time_unix_nano": NOW, "start_time_unix_nano": NOW - 10**9, "flags": 1}
    numbers = [
        a_point(kind, **common, **number, exemplars=exemplars)
        for kind in ("gauge",)
        for number in ({"as_double": 1.5}, {"as_int": -(2**60)}, {"as_int": 0}, {})
    ]
    histogram = a_point(
        "histogram",
        **common,
        count=3,
        sum=4.5,
        bucket_counts=[0, 1, 2**40],
        explicit_bounds=[0.0, -1.5],
        min=-1.0,
        max=2.0,
        exemplars=exemplars,
    )
    exponential = a_point(
        "exponential_histogram",
        **common,
        count=2**63,
        scale=-3,
        zero_count=1,
        zero_threshold=0.25,
        positive={"offset": -2, "bucket_counts": [1, 0, 2**50]},
        negative={"offset": 3, "bucket_counts": [5]},
    )
    summary = a_point("summary", **common, count=4, sum=-1.0, quantile_values=[{"quantile": 0.5, "value": 2.0}])
    return metrics_of(
        a_metric("gauge", *numbers, name="g", description="about", unit="{token}"),
        a_metric("sum", *numbers, aggregation_temporality=2, is_monotonic=True),
        a_metric("histogram", histogram, a_point("histogram", **common), aggregation_temporality=1),
        a_metric("exponential_histogram", exponential, aggregation_temporality=2),
        a_metric("summary", summary),
        scope=SCOPE,
        road=road,
    )


SCOPE: Final = InstrumentationScope(name="scope", version="1.2", attributes=attributes({"s": 1, "input": "secret"}))
REQUESTS: Final[dict[OtlpSignal, Callable[[str], Message]]] = {TRACES: traces, LOGS: logs, METRICS: metrics}

# JSON as others write it, made by another road than ours

_ID_KEYS: Final = {"traceId", "spanId", "parentSpanId"}
_WHOLE_NUMBERS: Final = {"intValue", "asInt", "count", "zeroCount", "bucketCounts"}


def document_of(message: Message, *, enum_names: bool, numbers_as_text: bool) -> bytes:
    document = MessageToDict(message, use_integers_for_enums=not enum_names)
    return json.dumps(_respelled("", document, numbers_as_text=numbers_as_text)).encode()


def _respelled(key: str, value: Any, *, numbers_as_text: bool) -> Any:
    if isinstance(value, dict):
        return {name: _respelled(name, of_name, numbers_as_text=numbers_as_text) for name, of_name in value.items()}
    if isinstance(value, list):
        return [_respelled(key, item, numbers_as_text=numbers_as_text) for item in value]
    if key in _ID_KEYS:
        return base64.b64decode(value).hex()
    if not numbers_as_text and isinstance(value, str) and (key in _WHOLE_NUMBERS or key.endswith("UnixNano")):
        return int(value)
    return value


# Roads

Send = Callable[[Receiver, OtlpSignal, Message], Message]


def over_grpc(compression: grpc.Compression) -> Send:
    def send(receiver: Receiver, otlp: OtlpSignal, message: Message) -> Message:
        with grpc.insecure_channel(f"127.0.0.1:{receiver.grpc_port}") as channel:
            export = channel.unary_unary(f"/{otlp.grpc_service}/Export")
            answer = export(message.SerializeToString(), timeout=PATIENCE_S, compression=compression)
        return otlp.response.FromString(answer)

    return send


def raw_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(body) + compressor.flush()


COMPRESSIONS: Final[dict[str, tuple[str, Callable[[bytes], bytes]]]] = {
    "plain": ("identity", bytes),
    "gzip": ("gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "zstd": ("zstd", zstd.compress),
}


def over_http(content_type: str, body_of: Callable[[Message], bytes], compression: str) -> Send:
    encoding, compress = COMPRESSIONS[compression]

    def send(receiver: Receiver, otlp: OtlpSignal, message: Message) -> Message:
        headers = {"content-type": content_type, "content-encoding": encoding}
        connection = http.client.HTTPConnection("127.0.0.1", receiver.http_port, timeout=PATIENCE_S)
        with closing(connection):
            connection.request("POST", otlp.http_path, compress(body_of(message)), headers)
            response = connection.getresponse()
            answer = response.read()
        assert (response.status, response.headers["content-type"]) == (200, content_type), answer
        if content_type == "application/json":
            assert json.loads(answer) == {}
            return otlp.response()
        return otlp.response.FromString(answer)

    return send


def json_body(*, enum_names: bool, numbers_as_text: bool) -> Callable[[Message], bytes]:
    return lambda message: document_of(message, enum_names=enum_names, numbers_as_text=numbers_as_text)


ROADS: Final[dict[str, Send]] = {
    **{f"grpc {compression.name}": over_grpc(compression) for compression in grpc.Compression},
    **{
        f"http protobuf {name}": over_http("application/x-protobuf", lambda message: message.SerializeToString(), name)
        for name in COMPRESSIONS
    },
    **{
        f"http json {name}": over_http("application/json", json_body(enum_names=False, numbers_as_text=True), name)
        for name in COMPRESSIONS
    },
    "http json with names of enumerations and bare numbers": over_http(
        "application/json", json_body(enum_names=True, numbers_as_text=False), "plain"
    ),
}
REFERENCE: Final = next(iter(ROADS))


@pytest.fixture(scope="module")
def roads_store(data_directory: DataDirectory, engine: EmbeddedStore) -> Iterator[EmbeddedStore]:
    """A store into which every signal came by every road."""
    store = EmbeddedStore(data_directory, "test_round_trips")
    migrate(store)
    config = IngestConfig(content_policies=ContentPolicies({"default": ContentPolicy.FULL}))
    writers = {otlp: writer_of(store, otlp) for otlp in OTLP_SIGNALS}
    with Receiver(writers, config=config, clock_ns=lambda: NOW) as receiver:
        for road, send in ROADS.items():
            for otlp, request in REQUESTS.items():
                assert not send(receiver, otlp, request(road)).HasField("partial_success")  # type: ignore[attr-defined]
    yield store
    store.command("DROP DATABASE test_round_trips")
    store.close()


def rows_by(store: EmbeddedStore, table: str, road: str) -> list[str]:
    """Every column of the rows that came by ``road``, as text, but for what differs on purpose."""
    rows = store.rows(
        "SELECT COLUMNS('.*') EXCEPT (ResourceAttributes, RequestHash), "
        "mapFilter((key, value) -> key != 'road', ResourceAttributes) FROM {table:Identifier} "
        "WHERE ResourceAttributes['road'] = {road:String} ORDER BY ALL",
        {"table": table, "road": road},
    )
    return list(map(repr, rows))


@pytest.mark.parametrize("otlp", OTLP_SIGNALS, ids=[otlp.signal.name for otlp in OTLP_SIGNALS])
@pytest.mark.parametrize("road", [road for road in ROADS if road != REFERENCE])
def test_every_road_gives_the_same_rows(roads_store: EmbeddedStore, otlp: OtlpSignal, road: str) -> None:
    """A team that changes its exporter's protocol must not find its telemetry changed."""
    for destination in otlp.signal.destinations:
        reference = rows_by(roads_store, destination.table, REFERENCE)
        assert reference
        assert rows_by(roads_store, destination.table, road) == reference


def test_no_road_carries_content(roads_store: EmbeddedStore) -> None:
    """Whatever the encoding was, keys are known by then."""
    for otlp in OTLP_SIGNALS:
        for destination in otlp.signal.destinations:
            for road in ROADS:
                rows = rows_by(roads_store, destination.table, road)
                assert not any("what somebody said" in row or "secret" in row for row in rows)
