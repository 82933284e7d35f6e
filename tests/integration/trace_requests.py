"""Builds OTLP requests, takes them into a store, and reads back what became of them."""

import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from agentvigil.receiver.admission import admit, clean
from agentvigil.receiver.otlp import TRACES, OtlpSignal
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.envelope import ExportRequest, Limits
from agentvigil.storage.request_writer import Outcome, RequestWriter
from agentvigil.storage.store import Store

S: Final = 10**9
DAY: Final = 86_400 * S
NOW: Final = int(time.time()) * S
"""When the requests of these tests are received; the real time, since the store drops what is past its retention."""

REQUEST_COLUMNS: Final = {"RequestHash", "RequestSpans", "IngestedAt"}


def a_span(number: int = 1, **fields: Any) -> Span:
    """Return the ``number``-th span of a trace, which took a millisecond just before ``NOW``."""
    start = NOW - S + number * 1_000
    defaults: dict[str, Any] = {
        "trace_id": b"\xaa" * 15 + b"\1",
        "span_id": number.to_bytes(8, "big"),
        "name": f"span {number}",
        "start_time_unix_nano": start,
        "end_time_unix_nano": start + 1_000_000,
    }
    return Span(**{**defaults, **fields})


def value(content: object) -> AnyValue:
    match content:
        case AnyValue():
            return content
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=content)
        case int():
            return AnyValue(int_value=content)
        case float():
            return AnyValue(double_value=content)
        case str():
            return AnyValue(string_value=content)
        case bytes():
            return AnyValue(bytes_value=content)
        case list():
            return AnyValue(array_value=ArrayValue(values=map(value, content)))
    raise TypeError(content)


def attributes(pairs: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value(content)) for key, content in pairs.items()]


def a_request(*spans: Span, service: str = "test") -> bytes:
    """Serialise ``spans`` as one export request."""
    resource = Resource(attributes=attributes({"service.name": service}))
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=resource, scope_spans=[ScopeSpans(spans=spans)])]
    ).SerializeToString()


def admitted(
    body: bytes,
    *,
    received_at_ns: int = NOW,
    keep_days: int = 90,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    project: str = "default",
    otlp: OtlpSignal = TRACES,
    policy: ContentPolicy = ContentPolicy.FULL,
) -> ExportRequest:
    found = admit(otlp, body, project, policy)
    return ExportRequest(
        otlp.signal,
        found.destinations,
        found.body,
        found.items,
        found.request_hash,
        project,
        received_at_ns,
        keep_days,
        limits,
        policy,
        b"key of the tests",
    )


def writer_of(store: Store, otlp: OtlpSignal = TRACES) -> RequestWriter:
    return RequestWriter(store, otlp.signal, partial(clean, otlp))


def take(store: Store, *requests: ExportRequest, otlp: OtlpSignal = TRACES) -> None:
    """Store all ``requests`` as one group."""
    assert writer_of(store, otlp).write(requests) == [Outcome.STORED] * len(requests)


def rows_of(store: Store, order: str = "Timestamp, SpanId", without: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return every row of otel_traces with every column, times as nanoseconds and hashes as hex."""
    columns = store.rows(
        "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = 'otel_traces' "
        "AND default_kind != 'EPHEMERAL' AND name NOT IN {without:Array(String)} ORDER BY position",
        {"without": list(without)},
    )
    expressions = [_expression(name, type_) for name, type_ in columns]
    found = store.rows(f"SELECT {', '.join(expressions)} FROM otel_traces ORDER BY {order}")
    return [dict(zip([name for name, _ in columns], row, strict=True)) for row in found]


def _expression(name: str, type_: str) -> str:
    quoted = f"`{name}`"
    if type_.startswith("Array(DateTime64(9)"):
        return f"arrayMap(t -> toUnixTimestamp64Nano(t), {quoted})"
    if type_.startswith("DateTime64(9)"):
        return f"toUnixTimestamp64Nano({quoted})"
    if type_.startswith("DateTime64(3)"):
        return f"toUnixTimestamp64Milli({quoted})"
    if type_.startswith("FixedString"):
        return f"lower(hex({quoted}))"
    return quoted
