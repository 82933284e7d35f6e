"""The API on port 8787: what programs, links of dashboards and web pages ask."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry

from agentvigil.api.access import guarded, needs_of
from agentvigil.api.entity_tags import EntityTags
from agentvigil.api.operations import Check, operations_router
from agentvigil.api.problems import ALWAYS, Problem, answer_problems, described
from agentvigil.api.rate_limits import RateLimits
from agentvigil.semconv import __version__
from agentvigil.storage.access import Access

_DESCRIPTION: Final = """Runs, steps, failures, traces, sessions, agents and costs of AI agents.

Times are ISO 8601 in UTC, durations milliseconds, money US dollars as a decimal number in a text. What is not known is
null, never 0. Whatever goes wrong is told as problem details (RFC 9457), with what to do about it.
"""
_EXPOSED: Final = ("ETag", "Retry-After", "X-Request-Id", "Content-Disposition")


def api_app(
    checks: Callable[[], Sequence[Check]],
    registry: CollectorRegistry,
    access: Access,
    routers: Iterable[APIRouter],
    *,
    requests_per_minute: int = 0,
    cors_origins: Collection[str] = (),
) -> FastAPI:
    """Return the API of ``routers``. ``checks`` may block; who may ask what, ``access`` says.

    Of each key ``requests_per_minute`` are answered, 0 is any number. Pages of ``cors_origins`` may ask from a browser.

    Raises:
        RuntimeError: if a route does not say which scope it needs.
    """
    app = FastAPI(title="AgentVigil", version=__version__, description=_DESCRIPTION, docs_url=None, redoc_url=None)
    app.state.access, app.state.cors_origins = access, frozenset(cors_origins)
    answer_problems(app)

    operations = operations_router(checks, registry)
    app.include_router(operations)
    app.state.guarded_routes = [route for route in operations.routes if isinstance(route, APIRoute) and needs_of(route)]
    for router in routers:
        app.include_router(guarded(router), responses=described(*ALWAYS))
        app.state.guarded_routes += router.routes
    app.add_middleware(EntityTags)
    app.add_middleware(RateLimits, access=access, requests_per_minute=requests_per_minute)
    if cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(cors_origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "If-None-Match", "X-Request-Id"],
            expose_headers=_EXPOSED,
            max_age=3600,
        )
    _complete_openapi(app)
    return app


def _complete_openapi(app: FastAPI) -> None:
    """Let the document hold the shape of problems, which no route returns by itself."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        document = make()
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(schema.pop("$defs", {}))
        schemas["Problem"] = schema
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way to complete it
