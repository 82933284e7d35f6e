"""What the API tells about each of its requests: a count and a time for Prometheus, a span, a line in the log.

Everything speaks of the route's template (``/v1/runs/{run_id}``) and never of the path, the query or the body, which
may be long, secret, or what somebody made up to fill a memory with labels.
"""

import logging
import time
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.trace import NoOpTracer, Span, SpanKind, StatusCode, Tracer
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOG: Final = logging.getLogger("agentvigil.api.access")
_SECONDS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_ROUTE: Final = "none"
_CLIENT_LEFT: Final = 499
"""nginx's status for who hung up before there was an answer."""

UNTRACED: Final = frozenset({"/health", "/health/live", "/health/ready", "/metrics"})
"""Probes and Prometheus ask all day long, and nobody wants to read about it."""


class ApiMetrics:
    """The API's metrics, registered in ``registry``; ``docs/metrics.md`` lists them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "agentvigil_api_requests",
            "Requests to the API, by how they were answered.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "agentvigil_api_request_seconds",
            "Time from a request's head to the last byte of its answer.",
            ["route"],
            registry=registry,
            buckets=_SECONDS,
        )

    def answered(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count one request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(duration_s)


class ApiTelemetry:
    """Watches every request to ``app``, a FastAPI application, from its head to the last byte of its answer.

    A span is the root of a trace of its own, whatever the caller sends along: nobody else decides what is sampled here,
    and no trace of an agent grows by our spans.
    """

    def __init__(self, app: ASGIApp, metrics: ApiMetrics, tracer: Tracer | None = None) -> None:
        self._app, self._metrics, self._tracer = app, metrics, tracer or NoOpTracer()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        started = time.monotonic()
        method = scope["method"] if scope["method"] in _METHODS else "other"
        tracer = NoOpTracer() if scope["path"] in UNTRACED else self._tracer
        failure: Exception | None = None
        with tracer.start_as_current_span(
            method, Context(), SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                await self._app(scope, receive, answer.send)
            except Exception as exc:
                failure = exc
                raise
            finally:
                status = answer.status or (500 if failure else _CLIENT_LEFT)
                request = _Request(method, _route_of(scope), status, time.monotonic() - started)
                self._metrics.answered(request.method, request.route, request.status, request.duration_s)
                _describe(span, request, failure)
                _log(request, scope, failure)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    route: str
    status: int
    duration_s: float


class _Answer:
    """Passes an answer on and remembers its status, 0 until there is one."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


def _route_of(scope: Scope) -> str:
    """Return the template that the router found, which it leaves in the scope.

    A route of a router that was included knows only its own part; FastAPI keeps the whole beside it.
    """
    route: Any = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    return str(getattr(route, "path", _NO_ROUTE))


def _describe(span: Span, request: _Request, failure: Exception | None) -> None:
    if not span.is_recording():
        return
    span.update_name(f"{request.method} {request.route}")
    span.set_attributes(
        {
            "http.request.method": request.method,
            "http.route": request.route,
            "http.response.status_code": request.status,
        }
    )
    if request.status >= 500:
        span.set_status(StatusCode.ERROR)
        span.set_attribute("error.type", type(failure).__name__ if failure else str(request.status))


def _log(request: _Request, scope: Scope, failure: Exception | None) -> None:
    level = logging.WARNING if request.status >= 500 else logging.DEBUG
    if not _LOG.isEnabledFor(level):
        return
    reason = type(failure).__name__ if failure else str(scope.get("state", {}).get("problem", ""))
    duration_ms = round(request.duration_s * 1000, 1)
    _LOG.log(
        level,
        "%s %s %d in %.1f ms%s",
        request.method,
        request.route,
        request.status,
        duration_ms,
        f": {reason}" if reason else "",
        extra={
            "method": request.method,
            "route": request.route,
            "status": request.status,
            "duration_ms": duration_ms,
        },
    )
