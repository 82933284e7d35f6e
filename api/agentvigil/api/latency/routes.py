"""``/v1/agents/{name}/latency``; stands before the routes of agents, whose names may have slashes."""

from typing import Annotated

from fastapi import APIRouter, Query

import agentvigil.api.names_in_paths  # noqa: F401 - makes {name:text} known
from agentvigil.api.access import Reads
from agentvigil.api.agents.routes import AgentName
from agentvigil.api.latency.asked import LatencyAsked
from agentvigil.api.latency.models import Latency
from agentvigil.api.latency.reading import LatencyReading
from agentvigil.api.problems import described


def latency_router(latency: LatencyReading) -> APIRouter:
    """Return the route ``/v1/agents/{name}/latency``."""
    router = APIRouter(prefix="/v1/agents", tags=["agents"])

    @router.get("/{name:text}/latency", response_model=Latency, responses=described(404))
    def get_latency(asker: Reads, name: AgentName, asked: Annotated[LatencyAsked, Query()]) -> Latency:
        """Tell how long the runs of an agent take, which steps that is, and what grew since the time before.

        Of the last 7 days unless `since` and `until` say otherwise, compared with the 7 days before.
        """
        return latency.of(asker.project, name, asked)

    return router
