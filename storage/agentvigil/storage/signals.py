"""The three signals, and where in the store each of them arrives and stays."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Destination:
    """Where requests arrive, a Null table on a server, and the table in which the rows made of them stay."""

    arrival: str
    table: str


@dataclass(frozen=True, slots=True)
class Signal:
    """A kind of telemetry. ``items`` is what one row is called, ``message`` the envelope in ``otlp.proto``.

    ``count_column`` holds how many rows a request has in all ``destinations`` together; ``index_table`` is filled from
    them by a view. At ``content_arrival`` requests arrive for the content that their projects let be stored.
    """

    name: str
    items: str
    message: str
    count_column: str
    destinations: tuple[Destination, ...]
    index_table: str | None = None
    content_arrival: str | None = None


TRACES: Final = Signal(
    "traces",
    "spans",
    "TracesEnvelope",
    "RequestSpans",
    (Destination("otlp_traces", "otel_traces"),),
    "otel_traces_trace_id_ts",
    "otlp_trace_contents",
)
LOGS: Final = Signal(
    "logs",
    "log records",
    "LogsEnvelope",
    "RequestLogRecords",
    (Destination("otlp_logs", "otel_logs"),),
    content_arrival="otlp_log_contents",
)

GAUGE: Final = Destination("otlp_metrics_gauge", "otel_metrics_gauge")
SUM: Final = Destination("otlp_metrics_sum", "otel_metrics_sum")
HISTOGRAM: Final = Destination("otlp_metrics_histogram", "otel_metrics_histogram")
EXPONENTIAL_HISTOGRAM: Final = Destination("otlp_metrics_exponential_histogram", "otel_metrics_exponential_histogram")
SUMMARY: Final = Destination("otlp_metrics_summary", "otel_metrics_summary")

METRICS: Final = Signal(
    "metrics",
    "data points",
    "MetricsEnvelope",
    "RequestDataPoints",
    (GAUGE, SUM, HISTOGRAM, EXPONENTIAL_HISTOGRAM, SUMMARY),
)
"""Each kind of metric has a table of its own, since their values have nothing in common; one request may have all."""

SIGNALS: Final = (TRACES, LOGS, METRICS)
