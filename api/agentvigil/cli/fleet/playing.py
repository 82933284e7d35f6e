"""Plays planned runs through the OpenTelemetry SDK: real tracers, real batches, a real exporter.

Spans carry explicit times, so a run of 40 seconds is written at once and dated as if it had just ended.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, Status, StatusCode, Tracer, set_span_in_context

from agentvigil.cli.fleet.agents import Deployment
from agentvigil.cli.fleet.plan import PlannedSpan
from agentvigil.cli.fleet.script import PlannedRun
from agentvigil.semconv import attributes as a

# The SDK's batch processor drops spans silently beyond 2,048 and starts to export at 512.
_BACKLOG_SPANS: Final = 1_024


class CountingExporter(SpanExporter):
    """Passes batches on, and counts what was delivered and what was not."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.delivered_spans = 0
        self.lost_spans = 0
        self.failed_exports = 0
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            if result is SpanExportResult.SUCCESS:
                self.delivered_spans += len(spans)
            else:
                self.lost_spans += len(spans)
                self.failed_exports += 1
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class _Process:
    """One deployed process: a resource, a tracer, a batch processor, an exporter."""

    def __init__(self, deployment: Deployment, exporter: SpanExporter) -> None:
        self.exporter = CountingExporter(exporter)
        self.ended_spans = 0
        self.provider = TracerProvider(
            resource=Resource.create(
                {
                    a.SERVICE_NAME: deployment.service,
                    a.SERVICE_VERSION: deployment.version,
                    a.DEPLOYMENT_ENVIRONMENT_NAME: deployment.environment,
                }
            ),
            shutdown_on_exit=False,
        )
        self.provider.add_span_processor(BatchSpanProcessor(self.exporter, schedule_delay_millis=1_000))
        self.tracer: Tracer = self.provider.get_tracer("agentvigil.cli.fleet")

    @property
    def waiting_spans(self) -> int:
        return self.ended_spans - self.exporter.delivered_spans - self.exporter.lost_spans

    def play(self, span: PlannedSpan, began_ns: int, parent: Span | None = None) -> None:
        context = None if parent is None else set_span_in_context(parent)
        live = self.tracer.start_span(
            span.name, context, span.kind, span.attributes, start_time=began_ns + span.start_ns
        )
        for child in span.children:
            self.play(child, began_ns, live)
        if span.error is not None:
            live.set_status(Status(StatusCode.ERROR, span.error))
        live.end(began_ns + span.end_ns)
        self.ended_spans += 1


class Player:
    """Plays runs, each in the process of its deployment; ``new_exporter`` is asked once per process."""

    def __init__(self, new_exporter: Callable[[], SpanExporter]) -> None:
        self._new_exporter = new_exporter
        self._processes: dict[Deployment, _Process] = {}

    def play(self, run: PlannedRun, ended_ns: int) -> None:
        """Write the run's spans so that it ends at ``ended_ns`` (Unix time)."""
        process = self._processes.get(run.deployment)
        if process is None:
            process = self._processes[run.deployment] = _Process(run.deployment, self._new_exporter())
        process.play(run.root, ended_ns - run.root.end_ns)

    @property
    def is_behind(self) -> bool:
        """Whether some process has so many spans waiting that its SDK would soon drop some."""
        return any(process.waiting_spans > _BACKLOG_SPANS for process in self._processes.values())

    @property
    def delivered_spans(self) -> int:
        return sum(process.exporter.delivered_spans for process in self._processes.values())

    @property
    def undelivered_spans(self) -> int:
        """Spans that were refused, lost, or still waiting when ``close`` ran out of time."""
        return sum(process.ended_spans for process in self._processes.values()) - self.delivered_spans

    @property
    def failed_exports(self) -> int:
        return sum(process.exporter.failed_exports for process in self._processes.values())

    def close(self, timeout_s: float) -> None:
        """Deliver what is waiting, for at most about ``timeout_s``; afterwards retries are cut short.

        The SDK's own flush has no limit of time, and its processes here would be closed one after the other.
        """
        closing = [
            threading.Thread(target=process.provider.shutdown, daemon=True) for process in self._processes.values()
        ]
        for thread in closing:
            thread.start()
        deadline = time.monotonic() + timeout_s
        for thread in closing:
            thread.join(max(0.0, deadline - time.monotonic()))
        for thread, process in zip(closing, self._processes.values(), strict=True):
            if thread.is_alive():
                process.exporter.shutdown()
        deadline = time.monotonic() + 1.0
        for thread in closing:
            thread.join(max(0.0, deadline - time.monotonic()))
