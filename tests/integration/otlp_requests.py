"""Builds OTLP log and metric requests, puts them into a store as the receiver would, and reads back their rows."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Exemplar,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
    Summary,
    SummaryDataPoint,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from trace_requests import NOW, S, attributes, value

from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.envelope import ExportRequest, Limits, wrap
from agentvigil.storage.signals import Destination, Signal
from agentvigil.storage.store import Store

VALUES: Final[dict[str, tuple[Any, str]]] = {
    "empty text": ("", ""),
    "nothing": (None, ""),
    "text": ("text", "text"),
    "unicode": ("é 日本 😀 \u2028\ufeff", "é 日本 😀 \u2028\ufeff"),
    "control": ("\0\1\n\x7f", "\0\1\n\x7f"),
    "quotes": ("'\"\\`", "'\"\\`"),
    "zero": (0, "0"),
    "minus one": (-1, "-1"),
    "largest": (2**63 - 1, "9223372036854775807"),
    "smallest": (-(2**63), "-9223372036854775808"),
    "false": (False, "false"),
    "true": (True, "true"),
    "double zero": (0.0, "0"),
    "double": (0.1, "0.1"),
    "whole double": (3.0, "3"),
    "large double": (1e21, "1e+21"),
    "not a number": (float("nan"), "NaN"),
    "infinite": (float("-inf"), "-Infinity"),
    "array": (["a", "", '"/\\'], '["a","","\\"/\\\\"]'),
    "empty array": ([], "[]"),
}
"""By name, a value of each kind that the store reads, and its text."""


def resource(**pairs: Any) -> Resource:
    return Resource(attributes=attributes({"service.name": "test", **pairs}))


def a_record(body: object = None, pairs: dict[str, Any] | None = None, **fields: Any) -> LogRecord:
    """Return a record of the second before ``NOW``; its ``event_name`` can tell it from others."""
    if body is not None:
        fields["body"] = value(body)
    return LogRecord(attributes=attributes(pairs or {}), **{"time_unix_nano": NOW - S, **fields})


def logs_of(*records: LogRecord, scope: InstrumentationScope | None = None, **pairs: Any) -> ExportLogsServiceRequest:
    """Return one request of ``records``; ``pairs`` are attributes of its resource."""
    scope_logs = ScopeLogs(scope=scope, log_records=records)
    return ExportLogsServiceRequest(resource_logs=[ResourceLogs(resource=resource(**pairs), scope_logs=[scope_logs])])


DATA_POINT: Final[dict[str, Any]] = {
    "gauge": NumberDataPoint,
    "sum": NumberDataPoint,
    "histogram": HistogramDataPoint,
    "exponential_histogram": ExponentialHistogramDataPoint,
    "summary": SummaryDataPoint,
}
"""By name of ``Metric``'s field, the message of its data points."""

DATA: Final[dict[str, Any]] = {
    "gauge": Gauge,
    "sum": Sum,
    "histogram": Histogram,
    "exponential_histogram": ExponentialHistogram,
    "summary": Summary,
}


def a_point(kind: str, pairs: dict[str, Any] | None = None, **fields: Any) -> Any:
    """Return a data point of ``kind`` of the second before ``NOW``."""
    return DATA_POINT[kind](attributes=attributes(pairs or {}), **{"time_unix_nano": NOW - S, **fields})


def a_metric(kind: str, *points: Any, name: str = "", **fields: Any) -> Metric:
    """Return a metric of ``kind``, called like it; ``fields`` are those of its kind's message."""
    of_metric = {field: fields.pop(field) for field in ("description", "unit") if field in fields}
    return Metric(name=name or kind, **of_metric, **{kind: DATA[kind](data_points=points, **fields)})


def an_exemplar(pairs: dict[str, Any] | None = None, **fields: Any) -> Exemplar:
    return Exemplar(filtered_attributes=attributes(pairs or {}), **fields)


def metrics_of(
    *metrics: Metric, scope: InstrumentationScope | None = None, **pairs: Any
) -> ExportMetricsServiceRequest:
    """Return one request of ``metrics``; ``pairs`` are attributes of its resource."""
    scope_metrics = ScopeMetrics(scope=scope, metrics=metrics)
    return ExportMetricsServiceRequest(
        resource_metrics=[ResourceMetrics(resource=resource(**pairs), scope_metrics=[scope_metrics])]
    )


def insert(
    store: Store,
    signal: Signal,
    *requests: Any,
    received_at_ns: int = NOW,
    keep_days: int = 90,
    attribute_limit: int = 128,
    project: str = "default",
    items: int = 1,
    policy: ContentPolicy = ContentPolicy.FULL,
) -> None:
    """Put ``requests`` as one group into every destination of ``signal``; values stay whole without a ``policy``."""
    envelopes = [
        wrap(
            ExportRequest(
                signal,
                signal.destinations,
                request.SerializeToString(),
                items,
                request_hash(request),
                project,
                received_at_ns,
                keep_days,
                Limits(attributes=attribute_limit),
                policy,
                b"key of the tests",
            )
        )
        for request in requests
    ]
    for destination in signal.destinations:
        store.insert_protobuf(destination.arrival, signal.message, envelopes)


def request_hash(request: Any) -> bytes:
    return hashlib.md5(request.SerializeToString()).digest()


def rows_of(store: Store, destination: Destination, order: str = "") -> list[dict[str, Any]]:
    """Return every row of a table with every column, times as nanoseconds and hashes as hex."""
    columns = columns_of(store, destination)
    expressions = [_expression(name, type_) for name, type_, _ in columns]
    ordered = f" ORDER BY {order}" if order else ""
    found = store.rows(f"SELECT {', '.join(expressions)} FROM {destination.table}{ordered}")
    return [dict(zip([name for name, _, _ in columns], row, strict=True)) for row in found]


def only_row(store: Store, destination: Destination) -> dict[str, Any]:
    (row,) = rows_of(store, destination)
    return row


def columns_of(store: Store, destination: Destination) -> Sequence[Sequence[Any]]:
    """Return name, type and kind of default of every column, in order."""
    return store.rows(
        "SELECT name, type, default_kind FROM system.columns "
        "WHERE database = currentDatabase() AND table = {table:String} ORDER BY position",
        {"table": destination.table},
    )


def keys_of(store: Store, destination: Destination) -> Sequence[Any]:
    """Return a table's sorting key and partition key."""
    return store.rows(
        "SELECT sorting_key, partition_key FROM system.tables "
        "WHERE database = currentDatabase() AND name = {table:String}",
        {"table": destination.table},
    )[0]


def _expression(name: str, type_: str) -> str:
    quoted = f"`{name}`"
    if type_.startswith("Array(DateTime64(9)"):
        return f"arrayMap(t -> toUnixTimestamp64Nano(t), {quoted})"
    if type_.startswith("DateTime64(9)"):
        return f"toUnixTimestamp64Nano({quoted})"
    if type_.startswith("DateTime64(3)"):
        return f"toUnixTimestamp64Milli({quoted})"
    if type_ == "DateTime":
        return f"toUnixTimestamp({quoted})"
    if type_.startswith("FixedString"):
        return f"lower(hex({quoted}))"
    return quoted
