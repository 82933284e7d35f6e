"""Prices over HTTP, for ``agentvigil prices`` while a server runs and for whoever has its key.

Times are ISO 8601, in UTC if they do not say; prices and costs are texts, in USD. Mount it behind the API's key.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from agentvigil.storage.errors import StorageError
from agentvigil.storage.prices.book import PriceBook, Recost
from agentvigil.storage.prices.errors import PriceError


class Overrides(BaseModel):
    """The user's own prices, or the names of some; the fields are those of a price file, see docs/prices.md."""

    prices: list[dict[str, Any]] = Field(max_length=100_000)


class RecostRequest(BaseModel):
    """Which spans to give new costs."""

    since: datetime | None = None
    until: datetime | None = None
    provider: str = ""
    model: str = ""


def prices_router(book: PriceBook) -> APIRouter:
    """Return the routes under ``/v1/prices``."""
    router = APIRouter(prefix="/v1/prices", tags=["prices"])

    @router.get("")
    def listed(provider: str = "", model: str = "", source: str = "") -> JSONResponse:
        """List the prices in use whose provider and model contain these texts."""
        return _answer(lambda: {"prices": book.listed(provider, model, source)})

    @router.put("/overrides")
    def set_overrides(overrides: Overrides) -> JSONResponse:
        """Set the user's own prices, all or none."""
        return _answer(lambda: {"prices": book.set(overrides.prices)})

    @router.post("/overrides/remove")
    def unset_overrides(overrides: Overrides) -> JSONResponse:
        """Take the user's own prices of these names back."""
        return _answer(lambda: {"removed": book.unset(overrides.prices)})

    @router.get("/diff")
    def diff() -> JSONResponse:
        """List the user's own prices beside the package's."""
        return _answer(lambda: {"prices": book.diff()})

    @router.get("/unpriced")
    def unpriced(since: datetime | None = Query(default=None)) -> JSONResponse:  # noqa: B008 - fastapi's way
        """List models of paid calls that have no price."""
        return _answer(lambda: {"models": book.unpriced(_in_utc(since))})

    @router.post("/recost")
    def recost(wanted: RecostRequest) -> StreamingResponse:
        """Give stored spans the list costs of now; a line of JSON for each partition that was changed.

        The last line has ``done``, or ``error`` if it could not go on.
        """
        request = Recost(_in_utc(wanted.since), _in_utc(wanted.until), wanted.provider, wanted.model)
        return StreamingResponse(_lines(book, request), media_type="application/x-ndjson")

    return router


def _lines(book: PriceBook, wanted: Recost) -> Iterator[str]:
    try:
        for step in book.recost(wanted):
            yield json.dumps(step) + "\n"
    except StorageError as exc:
        yield json.dumps({"error": str(exc)}) + "\n"
    else:
        yield json.dumps({"done": True}) + "\n"


def _answer(action: Callable[[], object]) -> JSONResponse:
    try:
        return JSONResponse(action())
    except PriceError as exc:
        return _problem(400, "Bad Request", exc)
    except StorageError as exc:
        return _problem(503, "Service Unavailable", exc)


def _problem(status: int, title: str, error: StorageError) -> JSONResponse:
    body = {"title": title, "status": status, "detail": str(error)}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


def _in_utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
