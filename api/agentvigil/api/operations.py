"""What operators and their machines ask: is it alive, is it ready, how is it doing."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel, Field

from agentvigil.api.access import ReadsAll
from agentvigil.semconv import __version__


class Check(BaseModel):
    """One thing that must be right for telemetry to be stored."""

    name: str = Field(examples=["disk"], description="`store`, `schema`, `disk` or `running`")
    ok: bool = Field(examples=[True])
    detail: str = Field(examples=["80313 MiB free, 1024 MiB kept"], description="what was found")


class Health(BaseModel):
    """How the server is."""

    status: str = Field(examples=["ok"], description="`ok`, or `failing` as soon as one check fails")
    live: bool = Field(examples=[True], description="it answers, so restarting it would not help")
    ready: bool = Field(examples=[True], description="telemetry is stored now: every check is right")
    version: str = Field(examples=[__version__])
    checks: list[Check]


class Live(BaseModel):
    """The process answers."""

    live: bool = Field(examples=[True])
    version: str = Field(examples=[__version__])


class Ready(BaseModel):
    """Whether telemetry is stored now."""

    ready: bool = Field(examples=[True])
    reasons: list[str] = Field(examples=[[]], description="why not, empty when it is")


_FAILING: Final = {
    "status": "failing",
    "live": True,
    "ready": False,
    "version": __version__,
    "checks": [
        {"name": "store", "ok": True, "detail": "answered in 3 ms"},
        {"name": "disk", "ok": False, "detail": "512 MiB free, 1024 MiB kept"},
    ],
}
_NOT_READY: Final = {"ready": False, "reasons": ["disk: 512 MiB free, 1024 MiB kept"]}
_METRICS_EXAMPLE: Final = (
    "# HELP agentvigil_receiver_items_stored_total Spans, log records and data points acknowledged as stored.\n"
    "# TYPE agentvigil_receiver_items_stored_total counter\n"
    'agentvigil_receiver_items_stored_total{signal="traces"} 52341.0\n'
)


def operations_router(checks: Callable[[], Sequence[Check]], registry: CollectorRegistry) -> APIRouter:
    """Return the routes. ``checks`` may block. Probes have no key; ``/metrics`` needs one that reads all projects."""
    router = APIRouter(tags=["operations"])

    @router.get("/health", response_model=Health, responses=_unless(Health, "A check fails.", _FAILING))
    def health() -> JSONResponse:
        """Say how the server is, with every check; 503 if telemetry is not stored now."""
        results = list(checks())
        ready = all(check.ok for check in results)
        body = Health(status="ok" if ready else "failing", live=True, ready=ready, version=__version__, checks=results)
        return JSONResponse(body.model_dump(), status_code=200 if ready else 503)

    @router.get("/health/live", response_model=Live)
    async def live() -> Live:
        """Say that the process answers; whoever gets no answer should restart it."""
        return Live(live=True, version=__version__)

    @router.get("/health/ready", response_model=Ready, responses=_unless(Ready, "It is not ready.", _NOT_READY))
    def ready() -> JSONResponse:
        """Say whether telemetry is stored now; 503, with the reasons, if it should be sent elsewhere for the moment."""
        reasons = [f"{check.name}: {check.detail}" for check in checks() if not check.ok]
        body = Ready(ready=not reasons, reasons=reasons)
        return JSONResponse(body.model_dump(), status_code=503 if reasons else 200)

    @router.get(
        "/metrics",
        response_class=PlainTextResponse,
        responses={200: {"content": {"text/plain": {"example": _METRICS_EXAMPLE}}}},
    )
    def metrics(_: ReadsAll) -> Response:
        """Give the server's own metrics in Prometheus' text format."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _unless(model: type[BaseModel], description: str, example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {503: {"model": model, "description": description, "content": {"application/json": {"example": example}}}}
