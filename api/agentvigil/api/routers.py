"""All routes of the API over one store."""

from fastapi import APIRouter

from agentvigil.api.agents.reading import Agents
from agentvigil.api.agents.routes import agents_router
from agentvigil.api.metrics.reading import MetricsReading
from agentvigil.api.metrics.routes import metrics_router
from agentvigil.api.prices import prices_router
from agentvigil.api.reading import Reader
from agentvigil.api.runs.reading import Runs
from agentvigil.api.runs.routes import runs_router
from agentvigil.api.stats.reading import StatsReading
from agentvigil.api.stats.routes import stats_router
from agentvigil.storage.prices.book import PriceBook
from agentvigil.storage.store import Store


def routers_of(store: Store) -> list[APIRouter]:
    """Return every router under ``/v1``, reading from ``store``."""
    reader = Reader(store)
    metrics = MetricsReading(reader)
    return [
        runs_router(Runs(reader)),
        stats_router(StatsReading(reader)),
        metrics_router(metrics),
        agents_router(Agents(reader), metrics),
        prices_router(PriceBook(store)),
    ]
