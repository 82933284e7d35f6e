"""All routes of the API over one store."""

from fastapi import APIRouter

from agentvigil.api.prices import prices_router
from agentvigil.api.reading import Reader
from agentvigil.api.runs.reading import Runs
from agentvigil.api.runs.routes import runs_router
from agentvigil.storage.prices.book import PriceBook
from agentvigil.storage.store import Store


def routers_of(store: Store) -> list[APIRouter]:
    """Return every router under ``/v1``, reading from ``store``."""
    reader = Reader(store)
    return [runs_router(Runs(reader)), prices_router(PriceBook(store))]
