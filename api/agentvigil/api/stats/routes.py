"""``/v1/stats``."""

from typing import Annotated

from fastapi import APIRouter, Query

from agentvigil.api.access import Reads
from agentvigil.api.runs.filters import RunFilters
from agentvigil.api.stats.models import Stats
from agentvigil.api.stats.reading import StatsReading


def stats_router(stats: StatsReading) -> APIRouter:
    """Return the route ``/v1/stats``."""
    router = APIRouter(prefix="/v1/stats", tags=["metrics"])

    @router.get("", response_model=Stats)
    def get_stats(asker: Reads, asked: Annotated[RunFilters, Query()]) -> Stats:
        """Sum up the runs of a time: the last 24 hours, unless `since` and `until` say otherwise."""
        return stats.of(asker.project, asked)

    return router
