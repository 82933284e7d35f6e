"""Everything a caller of the API can be told when the answer is no, in one shape: problem details.

https://www.rfc-editor.org/rfc/rfc9457
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from agentvigil.storage.access import AccessError, LabelInvalid
from agentvigil.storage.errors import QueryFailed, StorageError

_LOG: Final = logging.getLogger("agentvigil.api")
MEDIA_TYPE: Final = "application/problem+json"

_TIMEOUT: Final = 159
_TOO_MUCH: Final = frozenset({158, 241, 307, 396})
"""Rows, memory, bytes, rows or bytes: limits of a single query."""


class FieldProblem(BaseModel):
    """What is wrong with one part of a request."""

    where: str = Field(examples=["query.limit"], description="`query`, `path`, `body` or `header`, and the name")
    detail: str = Field(examples=["Input should be less than or equal to 1000"])


class Problem(BaseModel):
    """Why a request was not done, and what to do about it."""

    type: str = Field(examples=["urn:agentvigil:problem:not-found"], description="the kind of problem, for programs")
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["project default has no run 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"])
    hint: str = Field("", examples=["look it up with GET /v1/runs"], description="what to do")
    request_id: str = Field("", description="also in the header X-Request-Id and in the server's log")
    errors: list[FieldProblem] = Field(default=[], description="one by one, where several parts are wrong")


class ApiError(Exception):
    """A request that was not done. ``detail`` says what happened, with which value; ``hint`` what to do."""

    status: ClassVar[int]
    title: ClassVar[str]

    def __init__(self, detail: str, hint: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail, self.hint, self.headers = detail, hint, dict(headers or {})


class BadCursor(ApiError):
    """The cursor is not one of ours, or belongs to another query."""

    status, title = 400, "Bad cursor"


class Unauthenticated(ApiError):
    """The key is missing or wrong."""

    status, title = 401, "Unauthorized"


class Forbidden(ApiError):
    """The key does not allow this, or the project's policy does not."""

    status, title = 403, "Forbidden"


class NotFound(ApiError):
    """There is no such thing in the project."""

    status, title = 404, "Not found"


class Conflict(ApiError):
    """What should be made is there already, or what should be changed is not in a state for it."""

    status, title = 409, "Conflict"


class Invalid(ApiError):
    """A value can not be, for a reason that its type does not show."""

    status, title = 422, "Invalid request"


class TooManyRequests(ApiError):
    """The key has used up its requests for now."""

    status, title = 429, "Too many requests"


class TooMuch(ApiError):
    """The answer would cost more than one request may."""

    status, title = 400, "Too much for one request"


class Unavailable(ApiError):
    """The store is away, or busy for too long."""

    status, title = 503, "Service unavailable"


class BadRequest(ApiError):
    """What was asked for can not be done, whoever asks."""

    status, title = 400, "Bad request"


_TITLES: Final = {
    kind.status: kind.title
    for kind in (Unauthenticated, Forbidden, NotFound, Conflict, Invalid, TooManyRequests, Unavailable, BadRequest)
}
ALWAYS: Final = (400, 401, 403, 422, 429, 503)
"""What every route under ``/v1`` may answer."""


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what FastAPI's ``responses`` need to document these problems."""
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {status: {"description": _TITLES[status], "content": {MEDIA_TYPE: reference}} for status in statuses}


def answer_problems(app: FastAPI) -> None:
    """Let ``app`` answer everything that goes wrong in this shape."""

    @app.exception_handler(ApiError)
    def of_ours(request: Request, error: ApiError) -> JSONResponse:
        return problem_response(request, error)

    @app.exception_handler(StorageError)
    def of_the_store(request: Request, error: StorageError) -> JSONResponse:
        return problem_response(request, _meaning(error))

    @app.exception_handler(AccessError)
    def of_access(request: Request, error: AccessError) -> JSONResponse:
        meaning = Invalid if isinstance(error, LabelInvalid) else Forbidden
        return problem_response(request, meaning(str(error)))

    @app.exception_handler(RequestValidationError)
    def of_values(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            FieldProblem(where=".".join(map(str, one["loc"]))[:200], detail=str(one["msg"])[:500])
            for one in error.errors()
        ]
        detail = "; ".join(f"{one.where}: {one.detail}" for one in errors[:5])
        hint = "GET /openapi.json lists what each request takes"
        return _response(request, Invalid.status, Invalid.title, detail, hint, errors=errors)

    @app.exception_handler(HTTPException)
    def of_http(request: Request, error: HTTPException) -> JSONResponse:
        detail = str(error.detail)
        if error.status_code == 404:
            detail = f"nothing is at {request.url.path[:200]}"
        elif error.status_code == 405:
            detail = f"{request.method} is not for {request.url.path[:200]}"
        hint = "GET /openapi.json lists what there is" if error.status_code in (404, 405) else ""
        title = "Method not allowed" if error.status_code == 405 else str(error.detail)
        return _response(request, error.status_code, title, detail, hint, headers=error.headers)

    @app.exception_handler(Exception)
    def of_nobody(request: Request, error: Exception) -> JSONResponse:
        _LOG.error("a request failed for a reason nobody foresaw", exc_info=error)
        detail = "the server failed on this request; its log says why, under the request's id"
        return _response(request, 500, "Internal server error", detail, "please report it")


def problem_response(request: Request, error: ApiError) -> JSONResponse:
    """Return the answer that ``error`` is, for what stands before the routes."""
    return _response(request, error.status, error.title, error.detail, error.hint, headers=error.headers)


def _meaning(error: StorageError) -> ApiError:
    """Return what an error of the store means to a caller. ClickHouse's own words stay here: they may quote data."""
    if isinstance(error, QueryFailed) and error.code == _TIMEOUT:
        return TooMuch("the answer took longer than a request may", "narrow the time range, or add a filter")
    if isinstance(error, QueryFailed) and error.code in _TOO_MUCH:
        return TooMuch("the answer needs more rows or memory than a request may", "narrow the time range")
    _LOG.warning("the store did not answer: %s", error)
    return Unavailable(
        str(error), "try again; GET /health says whether the store is there", headers={"Retry-After": "2"}
    )


def _response(
    request: Request,
    status: int,
    title: str,
    detail: str,
    hint: str = "",
    *,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    request.scope.setdefault("state", {})["problem"] = title
    problem = Problem(
        type=f"urn:agentvigil:problem:{title.lower().replace(' ', '-')}",
        title=title,
        status=status,
        detail=detail,
        hint=hint,
        request_id=str(request.scope.get("state", {}).get("request_id", "")),
        errors=list(errors),
    )
    return JSONResponse(
        problem.model_dump(exclude_defaults=True), status_code=status, headers=headers, media_type=MEDIA_TYPE
    )
