"""Prices over HTTP, for ``agentvigil prices`` while a server runs and for whoever has its key.

Times are ISO 8601, in UTC if they do not say; prices and costs are texts, in USD. All projects share the prices.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from agentvigil.api.access import AdministersAll, Reads
from agentvigil.api.asked import Asked, Label
from agentvigil.api.problems import BadRequest
from agentvigil.api.times import GivenTime
from agentvigil.storage.errors import StorageError
from agentvigil.storage.prices.book import PriceBook, Recost
from agentvigil.storage.prices.errors import PriceError


class NewlineJson(StreamingResponse):
    """A JSON object in each line: https://github.com/ndjson/ndjson-spec."""

    media_type = "application/x-ndjson"


class PriceFilters(Asked):
    """Which prices are asked for, by parts of names."""

    provider: str = Field("", max_length=200)
    model: str = Field("", max_length=500)
    source: str = Field("", max_length=200)


class UnpricedFilters(Asked):
    """Which calls are looked at."""

    project: Label | None = Field(None, description="for keys of every project: only this one")
    since: GivenTime | None = Field(None, description="only calls since then")


class PriceList(BaseModel):
    """Prices, in USD for a million tokens; the fields are those of a price file, see docs/prices.md."""

    prices: list[dict[str, Any]]


class Removed(BaseModel):
    """How many prices were taken back."""

    removed: int


class UnpricedModel(BaseModel):
    """A model of paid calls that has no price."""

    provider: str
    model: str
    calls: int
    input_tokens: int | None
    output_tokens: int | None
    first_seen: datetime
    last_seen: datetime


class UnpricedModels(BaseModel):
    """Most calls first."""

    models: list[UnpricedModel]


class Overrides(BaseModel):
    """The user's own prices, or the names of some; the fields are those of a price file, see docs/prices.md."""

    prices: list[dict[str, Any]] = Field(max_length=100_000)


class RecostRequest(BaseModel):
    """Which spans to give new costs."""

    since: GivenTime | None = Field(None, description="only calls since then")
    until: GivenTime | None = Field(None, description="only calls before then")
    provider: str = Field("", max_length=200, description="only calls of this provider, as it stands in otel_traces")
    model: str = Field("", max_length=500, description="only calls that asked for or were answered by this model")


def prices_router(book: PriceBook) -> APIRouter:
    """Return the routes under ``/v1/prices``."""
    router = APIRouter(prefix="/v1/prices", tags=["prices"])

    @router.get("", response_model=PriceList)
    def list_prices(_: Reads, asked: Annotated[PriceFilters, Query()]) -> JSONResponse:
        """List the prices in use whose provider and model contain these texts."""
        return JSONResponse({"prices": book.listed(asked.provider, asked.model, asked.source)})

    @router.put("/overrides", response_model=PriceList)
    def set_overrides(_: AdministersAll, overrides: Overrides) -> JSONResponse:
        """Set the user's own prices, all or none."""
        with _told():
            return JSONResponse({"prices": book.set(overrides.prices)})

    @router.post("/overrides/remove", response_model=Removed)
    def unset_overrides(_: AdministersAll, overrides: Overrides) -> JSONResponse:
        """Take the user's own prices of these names back."""
        with _told():
            return JSONResponse({"removed": book.unset(overrides.prices)})

    @router.get("/diff", response_model=PriceList)
    def diff(_: Reads, __: Annotated[Asked, Query()]) -> JSONResponse:
        """List the user's own prices beside the package's."""
        return JSONResponse({"prices": book.diff()})

    @router.get("/unpriced", response_model=UnpricedModels)
    def unpriced(asker: Reads, asked: Annotated[UnpricedFilters, Query()]) -> JSONResponse:
        """List models of paid calls that have no price, most calls first: of all projects that the caller may see."""
        return JSONResponse({"models": book.unpriced(asked.since, asker.caller.project or asked.project or "")})

    @router.post("/recost", response_class=NewlineJson)
    def recost(_: AdministersAll, wanted: RecostRequest) -> StreamingResponse:
        """Give stored spans the list costs of now; a line of JSON for each partition that was changed.

        The last line has `done`, or `error` if it could not go on.
        """
        request = Recost(wanted.since, wanted.until, wanted.provider, wanted.model)
        return NewlineJson(_lines(book, request))

    return router


def _lines(book: PriceBook, wanted: Recost) -> Iterator[str]:
    try:
        for step in book.recost(wanted):
            yield json.dumps(step) + "\n"
    except StorageError as exc:
        yield json.dumps({"error": str(exc)}) + "\n"
    else:
        yield json.dumps({"done": True}) + "\n"


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except PriceError as exc:
        raise BadRequest(str(exc), "docs/prices.md says how prices are written") from exc
