"""The API on port 8787; so far what operators need: ``/health`` and ``/metrics``."""

from collections.abc import Callable
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel, Field

from agentvigil.receiver.errors import Unauthenticated
from agentvigil.receiver.keys import check_key
from agentvigil.semconv import __version__


class Check(BaseModel):
    """One thing that must be right for telemetry to be stored."""

    name: str = Field(examples=["disk"])
    ok: bool
    detail: str = Field(examples=["80313 MiB free, 1024 MiB kept"])


class Health(BaseModel):
    """Answer of ``/health``."""

    status: str = Field(examples=["ok"], description="`ok`, or `failing` as soon as one check fails")
    version: str = Field(examples=[__version__])
    checks: list[Check]


_OPEN_PATHS: Final = ("/health",)


def api_app(checks: Callable[[], list[Check]], registry: CollectorRegistry, key: str | None) -> FastAPI:
    """Return the API. ``checks`` may block; with a ``key``, everything but ``/health`` needs it as bearer token."""
    app = FastAPI(title="AgentVigil", version=__version__, docs_url=None, redoc_url=None)

    @app.middleware("http")
    async def authenticate(request: Request, call_next):  # type: ignore[no-untyped-def] # starlette's own signature
        if request.url.path not in _OPEN_PATHS:
            try:
                check_key(request.headers.get("authorization"), key)
            except Unauthenticated:
                return JSONResponse(
                    {
                        "title": "Unauthorized",
                        "status": 401,
                        "detail": "send 'Authorization: Bearer KEY' with the value of AGENTVIGIL_INGEST_KEY",
                    },
                    status_code=401,
                    headers={"WWW-Authenticate": "Bearer"},
                    media_type="application/problem+json",
                )
        return await call_next(request)

    @app.get("/health", response_model=Health, responses={503: {"model": Health}})
    def health() -> JSONResponse:
        """Say whether telemetry is stored now; 503 if not."""
        results = checks()
        healthy = all(check.ok for check in results)
        body = Health(status="ok" if healthy else "failing", version=__version__, checks=results)
        return JSONResponse(body.model_dump(), status_code=200 if healthy else 503)

    @app.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> Response:
        """The server's own metrics in Prometheus' text format."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return app
