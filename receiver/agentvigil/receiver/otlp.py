"""What OTLP says about each signal: messages, places, and the modules that know the messages from inside.

https://opentelemetry.io/docs/specs/otlp/
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from agentvigil.receiver.around import values_around
from agentvigil.receiver.checking import Checked
from agentvigil.receiver.log_messages import check_logs, log_values
from agentvigil.receiver.metric_messages import check_metrics, metric_values
from agentvigil.receiver.nested import ATTRIBUTE_VALUE, LOG_BODY
from agentvigil.receiver.trace_messages import check_traces, trace_values
from agentvigil.storage import signals
from agentvigil.storage.signals import Signal


@dataclass(frozen=True, slots=True)
class OtlpSignal:
    """One signal on the wire.

    ``check`` counts a parsed request and takes out what is not valid; ``values`` yields every value in it that may have
    to be rewritten, ``values_around`` those of resources and scopes alone, and ``value_tags`` are the tags that stand
    before them on the wire. ``rejected_field`` is the field of a partial success that counts what was taken out.
    """

    signal: Signal
    request: type[Message]
    response: type[Message]
    grpc_service: str
    http_path: str
    rejected_field: str
    value_tags: tuple[int, ...]
    check: Callable[[Any], Checked]
    values: Callable[[Any], Iterator[AnyValue]]
    values_around: Callable[[Any], Iterator[AnyValue]]


TRACES: Final = OtlpSignal(
    signals.TRACES,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
    "opentelemetry.proto.collector.trace.v1.TraceService",
    "/v1/traces",
    "rejected_spans",
    (ATTRIBUTE_VALUE,),
    check_traces,
    trace_values,
    partial(values_around, resources="resource_spans", scopes="scope_spans"),
)
LOGS: Final = OtlpSignal(
    signals.LOGS,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
    "opentelemetry.proto.collector.logs.v1.LogsService",
    "/v1/logs",
    "rejected_log_records",
    (ATTRIBUTE_VALUE, LOG_BODY),
    check_logs,
    log_values,
    partial(values_around, resources="resource_logs", scopes="scope_logs"),
)
METRICS: Final = OtlpSignal(
    signals.METRICS,
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
    "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "/v1/metrics",
    "rejected_data_points",
    (ATTRIBUTE_VALUE,),
    check_metrics,
    metric_values,
    partial(values_around, resources="resource_metrics", scopes="scope_metrics"),
)

OTLP_SIGNALS: Final = (TRACES, LOGS, METRICS)
