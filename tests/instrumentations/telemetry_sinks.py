"""Where the telemetry of a test goes: real providers of OpenTelemetry's SDK that keep everything in memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor

try:
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter
except ImportError:  # before 1.39 it had another name
    from opentelemetry.sdk._logs.export import InMemoryLogExporter as InMemoryLogRecordExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agentvigil.instrumentations.telemetry import Telemetry


class Sinks:
    """Providers, and what they were given."""

    def __init__(self) -> None:
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self._logs = InMemoryLogRecordExporter()
        self.tracer_provider, self.logger_provider = TracerProvider(), LoggerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self._logs))
        self.meter_provider = MeterProvider(metric_readers=[self._reader])

    @property
    def providers(self) -> dict[str, Any]:
        """What an instrumentor's ``instrument`` takes."""
        return {
            "tracer_provider": self.tracer_provider,
            "meter_provider": self.meter_provider,
            "logger_provider": self.logger_provider,
        }

    def clear(self) -> None:
        """Forget spans and log records."""
        self._exporter.clear()
        self._logs.clear()

    @contextmanager
    def fed_by(self, *instrumentors: BaseInstrumentor) -> Iterator["Sinks"]:
        """Let instrumentors send here while the block goes on."""
        for instrumentor in instrumentors:
            instrumentor.instrument(**self.providers)
        try:
            yield self
        finally:
            for instrumentor in instrumentors:
                instrumentor.uninstrument()

    def telemetry(self, scope: str = "agentvigil.tests") -> Telemetry:
        return Telemetry(scope, **self.providers)

    def spans(self) -> list[ReadableSpan]:
        """Spans that have ended, in the order in which they began."""
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def span(self, name: str = "") -> ReadableSpan:
        """The only span, or the only one called ``name``."""
        (span,) = [span for span in self.spans() if not name or span.name == name]
        return span

    def tree(self) -> list[tuple[str, str]]:
        """Name of each span with that of its parent, in the order in which they began."""
        names = {span.context.span_id: span.name for span in self.spans()}
        return [(span.name, names.get(span.parent.span_id, "?") if span.parent else "") for span in self.spans()]

    def logs(self) -> list[Any]:
        """Log records."""
        return [data.log_record for data in self._logs.get_finished_logs()]

    def metrics(self) -> dict[str, list[Any]]:
        """Data points by the name of the metric."""
        data = self._reader.get_metrics_data()
        found: dict[str, list[Any]] = {}
        for of_resource in data.resource_metrics if data is not None else ():
            for of_scope in of_resource.scope_metrics:
                for metric in of_scope.metrics:
                    found.setdefault(metric.name, []).extend(metric.data.data_points)
        return found

    def everything(self) -> str:
        """All that was said anywhere, as one text: to look for what must not be in it."""
        spans = [span.to_json() for span in self.spans()]
        logs = [f"{record.body} {record.attributes}" for record in self.logs()]
        return "\n".join([*spans, *logs, str(self.metrics())])


def said(span: ReadableSpan) -> dict[str, Any]:
    """The attributes of ``span``, with its measured times made constant."""
    attributes: Mapping[str, Any] = span.attributes or {}
    return {key: 0.0 if key == "gen_ai.response.time_to_first_chunk" else value for key, value in attributes.items()}
