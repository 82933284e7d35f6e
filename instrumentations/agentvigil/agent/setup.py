"""Setting OpenTelemetry up, for programs that have not done so."""

import logging
import os
import threading
from importlib import metadata
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider, set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from agentvigil.agent.ending import flush_at_every_end
from agentvigil.agent.exporting import InParts, log_bytes, span_bytes, span_limits
from agentvigil.instrumentations.telemetry.guard import guarded, report
from agentvigil.instrumentations.telemetry.identity import install_identity
from agentvigil.semconv import names

_LOG: Final = logging.getLogger("agentvigil.agent")
_DEFAULT_ENDPOINT: Final = "http://127.0.0.1:4318"
_ENTRY_POINTS: Final = "opentelemetry_instrumentor"
_TIMEOUT_S: Final = 5
"""For one export, with all its tries. A program that ends while nobody listens waits half of it for traces and half of
it for metrics; with OpenTelemetry's own 10 s it would be some 12 s."""
_TIMEOUT_VARIABLES: Final = frozenset(
    f"OTEL_EXPORTER_OTLP_{signal}TIMEOUT" for signal in ("", "TRACES_", "METRICS_", "LOGS_")
)
_OURS: Final = "agentvigil_"
"""Beginning of the names of the instrumentors that ``init`` switches on."""

_lock: Final = threading.Lock()


@guarded(otherwise=None)
def init(
    service_name: str | None = None,
    *,
    endpoint: str | None = None,
    key: str | None = None,
    service_version: str | None = None,
    environment: str | None = None,
    instrument: bool = True,
) -> None:
    """Send traces, metrics and events to AgentVigil, or to any other OTLP endpoint, and instrument what is installed.

    They are sent in the background: in batches, in requests of 4 MB at most, compressed where they leave this machine,
    tried again while the endpoint is away, from a queue that holds 2,048 spans. What is left is sent when the program
    ends, when it gets SIGTERM and has no handler for it, and when a worker of ``multiprocessing`` ends.

    Where the program has a tracer provider already, that stays, and only instrumentors are switched on. A second call
    does nothing. What is not given comes from OpenTelemetry's own variables: ``OTEL_SERVICE_NAME``,
    ``OTEL_EXPORTER_OTLP_ENDPOINT``, ``OTEL_EXPORTER_OTLP_HEADERS``, ``OTEL_RESOURCE_ATTRIBUTES`` and so on.

    Args:
        service_name: what the program is called.
        endpoint: base URL of OTLP over HTTP; ``http://127.0.0.1:4318`` is where ``agentvigil up`` listens.
        key: the ingest key of a server that has one.
        service_version: which version of the program this is.
        environment: such as ``production``.
        instrument: false leaves instrumentors to the program.
    """
    with _lock:
        if hasattr(trace.get_tracer_provider(), "add_span_processor"):
            _LOG.debug("init: the program has a tracer provider; it stays")
        else:
            _set_providers(_resource(service_name, service_version, environment), endpoint, key)
            flush_at_every_end(flush, _TIMEOUT_S)
        install_identity()
    if instrument:
        _instrument()


@guarded(otherwise=False)
def flush(timeout_s: float = 10.0) -> bool:
    """Send what waits to be sent, and say whether all of it was in time. Programs that end do so by themselves."""
    providers: tuple[Any, ...] = (trace.get_tracer_provider(), get_logger_provider(), metrics.get_meter_provider())
    flushes = [provider.force_flush for provider in providers if hasattr(provider, "force_flush")]
    results = [flush_one(int(timeout_s * 1_000)) for flush_one in flushes]
    return all(results)


def _resource(service_name: str | None, service_version: str | None, environment: str | None) -> Resource:
    said = {
        names.SERVICE_NAME: service_name,
        names.SERVICE_VERSION: service_version,
        names.DEPLOYMENT_ENVIRONMENT_NAME: environment,
    }
    return Resource.create({name: value for name, value in said.items() if value})


def _set_providers(resource: Resource, endpoint: str | None, key: str | None) -> None:
    # Over HTTP, since gRPC's threads do not survive a fork, and agents are often served by workers that are forked.
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    base = endpoint or (None if _environment_says_endpoint() else _DEFAULT_ENDPOINT)
    headers = {"Authorization": f"Bearer {key}"} if key else None
    timeout_s = None if _TIMEOUT_VARIABLES & os.environ.keys() else _TIMEOUT_S

    def where(path: str) -> dict[str, Any]:
        url = None if base is None else f"{base.rstrip('/')}/v1/{path}"
        compression = Compression.Gzip if _deserves_compression(url, path) else None
        return {"endpoint": url, "headers": headers, "timeout": timeout_s, "compression": compression}

    tracer_provider = TracerProvider(resource=resource, span_limits=span_limits())
    span_exporter: Any = InParts(OTLPSpanExporter(**where("traces")), span_bytes)
    tracer_provider.add_span_processor(BatchSpanProcessor(span_exporter))
    trace.set_tracer_provider(tracer_provider)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(**where("metrics")))
    metrics.set_meter_provider(MeterProvider(metric_readers=[reader], resource=resource))
    logger_provider = LoggerProvider(resource=resource)
    log_exporter: Any = InParts(OTLPLogExporter(**where("logs")), log_bytes)
    logger_provider.add_log_record_processor(BatchLogRecordProcessor(log_exporter))
    set_logger_provider(logger_provider)


def _deserves_compression(url: str | None, path: str) -> bool:
    """Say whether to compress: what leaves this machine, if OpenTelemetry's variables do not say how."""
    if any(name.startswith("OTEL_EXPORTER_OTLP_") and name.endswith("COMPRESSION") for name in os.environ):
        return False
    variables = (f"OTEL_EXPORTER_OTLP_{path.upper()}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    said = url or next((os.environ[name] for name in variables if os.environ.get(name)), "")
    host = urlsplit(said).hostname
    return host is not None and host not in ("localhost", "::1") and not host.startswith("127.")


def _environment_says_endpoint() -> bool:
    return any(name.startswith("OTEL_EXPORTER_OTLP_") and name.endswith("ENDPOINT") for name in os.environ)


def _instrument() -> None:
    disabled = {name.strip() for name in os.environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "").split(",")}
    if "*" in disabled:
        return
    for entry_point in metadata.entry_points(group=_ENTRY_POINTS):
        if not entry_point.name.startswith(_OURS) or entry_point.name in disabled:
            continue
        try:
            instrumentor = entry_point.load()()
            if not instrumentor.is_instrumented_by_opentelemetry:
                instrumentor.instrument()
        except Exception as exc:  # noqa: BLE001 - the next one has to have its turn
            report(f"instrumenting {entry_point.name}", exc)
