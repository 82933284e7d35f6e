"""Spans about the server itself, sent by OTLP to wherever ``--own-traces-endpoint`` says.

The provider is ours alone and never the global one. Its queue is bounded and drops when it is full; an endpoint that
does not answer costs one warning until it answers again.
"""

import logging
import threading
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Tracer

from agentvigil.receiver.checking import OWN_SCOPE
from agentvigil.semconv import __version__

_LOG: Final = logging.getLogger("agentvigil")
_GRPC_PORT: Final = 4317
_LAST_WORD_S: Final = 3.0
_GRPC_SCHEMES: Final = {"grpc": "http", "grpcs": "https"}


class OwnTraces:
    """Sends the spans of ``tracer`` to ``endpoint`` until :meth:`stop`.

    ``grpc://`` and ``grpcs://`` are OTLP over gRPC, and so is port 4317 with any scheme; everything else is OTLP over
    HTTP in protobuf, at ``/v1/traces`` unless the URL has a path. The variables of OpenTelemetry for headers,
    certificates, time-outs, sampling and the queue hold as in any program.
    """

    def __init__(self, endpoint: str) -> None:
        self._exporter = _OneWarning(_exporter(endpoint), endpoint)
        resource = Resource.create({"service.name": "agentvigil", "service.version": __version__})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self.tracer: Tracer = self._provider.get_tracer(OWN_SCOPE, __version__)

    def stop(self) -> None:
        """Send what waits and end; blocks for some seconds at most, and not at all if nobody answered the last time."""
        self._exporter.hurry()
        give_up = threading.Timer(_LAST_WORD_S, self._exporter.shutdown)
        give_up.daemon = True
        give_up.start()
        self._provider.shutdown()
        give_up.cancel()


class _OneWarning(SpanExporter):
    """Says once that the endpoint does not answer, and once that it does again."""

    def __init__(self, exporter: SpanExporter, endpoint: str) -> None:
        self._inner, self._endpoint = exporter, endpoint
        self._is_failing = self._is_stopped = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self._is_stopped:
            return SpanExportResult.FAILURE
        result = self._inner.export(spans)
        failed = result is not SpanExportResult.SUCCESS
        if failed and not self._is_failing:
            _LOG.warning(
                "the server's own traces do not reach %s and are dropped until they do; everything else goes on "
                "(--log-level debug shows why)",
                self._endpoint,
            )
        elif self._is_failing and not failed:
            _LOG.info("the server's own traces reach %s again", self._endpoint)
        self._is_failing = failed
        return result

    def hurry(self) -> None:
        """Try no more where nobody answered the last time; ends an attempt that is under way."""
        if self._is_failing:
            self.shutdown()

    def shutdown(self) -> None:
        if not self._is_stopped:
            self._is_stopped = True
            self._inner.shutdown()


def _exporter(endpoint: str) -> SpanExporter:
    url = urlsplit(endpoint)
    if url.scheme in _GRPC_SCHEMES or url.port == _GRPC_PORT:
        return GrpcSpanExporter(endpoint=f"{_GRPC_SCHEMES.get(url.scheme, url.scheme)}://{url.netloc}")
    path = url.path if url.path.strip("/") else "/v1/traces"
    return HttpSpanExporter(endpoint=url._replace(path=path).geturl())
