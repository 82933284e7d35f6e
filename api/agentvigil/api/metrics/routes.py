"""``/v1/metrics``."""

from typing import Annotated

from fastapi import APIRouter, Query

from agentvigil.api.access import Reads
from agentvigil.api.metrics.asked import SeriesAsked
from agentvigil.api.metrics.models import Metrics
from agentvigil.api.metrics.reading import MetricsReading


def metrics_router(metrics: MetricsReading) -> APIRouter:
    """Return the route ``/v1/metrics``."""
    router = APIRouter(prefix="/v1/metrics", tags=["metrics"])

    @router.get("", response_model=Metrics)
    def get_metrics(asker: Reads, asked: Annotated[SeriesAsked, Query()]) -> Metrics:
        """Tell metrics over time, of the last 24 hours unless `since` and `until` say otherwise.

        Runs are summed, or their calls of models and tools where `metric` or `group_by` asks for those. Filters choose
        runs; with `group_by=model` or `tool` the filter of that name chooses among the calls as well.
        """
        return metrics.of(asker.project, asked)

    return router
