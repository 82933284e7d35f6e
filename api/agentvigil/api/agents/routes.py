"""``/v1/agents``: agents, their series, their versions.

Names may have slashes. So the longer routes stand first, and an agent whose own name ends like one of them is only told
by ``/v1/agents?agent=`` and ``/v1/metrics?agent=``.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query

import agentvigil.api.names_in_paths  # noqa: F401 - makes {name:text} known
from agentvigil.api.access import Reads
from agentvigil.api.agents.asked import AgentList, DiffAsked, VersionList
from agentvigil.api.agents.diff_models import VersionDiff
from agentvigil.api.agents.models import AgentDetail, AgentPage, VersionPage
from agentvigil.api.agents.reading import Agents
from agentvigil.api.metrics.asked import AgentSeriesAsked, SeriesAsked
from agentvigil.api.metrics.models import Metrics
from agentvigil.api.metrics.reading import MetricsReading
from agentvigil.api.problems import described
from agentvigil.api.runs.filters import AgentRunFilters
from agentvigil.api.sessions.filters import SessionList, SessionsOfAgent
from agentvigil.api.sessions.models import Session, SessionPage
from agentvigil.api.sessions.reading import Sessions

AgentName = Annotated[str, Path(max_length=1000, examples=["support-agent"], description="name of the agent")]


def agents_router(agents: Agents, metrics: MetricsReading, sessions: Sessions) -> APIRouter:
    """Return the routes under ``/v1/agents``."""
    router = APIRouter(prefix="/v1/agents", tags=["agents"])

    @router.get("", response_model=AgentPage)
    def list_agents(asker: Reads, asked: Annotated[AgentList, Query()]) -> AgentPage:
        """List the agents that ran, in the last 30 days unless `since` says otherwise, by runs unless `sort` does.

        Pages go on over the time of the first one.
        """
        return agents.page(asker.project, asked)

    @router.get("/{name:text}/versions/diff", response_model=VersionDiff, responses=described(404))
    def diff_versions(asker: Reads, name: AgentName, asked: Annotated[DiffAsked, Query()]) -> VersionDiff:
        """Tell what changed between two versions of an agent, and which of it is hardly chance."""
        return agents.diff(asker.project, name, asked)

    @router.get("/{name:text}/versions", response_model=VersionPage, responses=described(404))
    def list_versions(asker: Reads, name: AgentName, asked: Annotated[VersionList, Query()]) -> VersionPage:
        """List the versions of an agent in the order in which they were first seen."""
        return agents.versions(asker.project, name, asked)

    @router.get("/{name:text}/metrics", response_model=Metrics, responses=described(404))
    def get_metrics(asker: Reads, name: AgentName, asked: Annotated[AgentSeriesAsked, Query()]) -> Metrics:
        """Tell metrics of one agent over time, as `/v1/metrics` does."""
        agents.check(asker.project, name)
        return metrics.of(asker.project, SeriesAsked.model_validate(asked.model_dump() | {"agent": [name]}))

    @router.get("/{name:text}/sessions", response_model=SessionPage, responses=described(404))
    def list_sessions(asker: Reads, name: AgentName, asked: Annotated[SessionsOfAgent, Query()]) -> SessionPage:
        """List the sessions that an agent took part in, as `/v1/sessions` does."""
        agents.check(asker.project, name)
        wanted = SessionList.model_validate(asked.model_dump() | {"agent": [name]})
        rows, next_cursor = sessions.page(asker.project, wanted)
        return SessionPage(items=[Session.of(asker.project, row) for row in rows], next_cursor=next_cursor)

    @router.get("/{name:text}", response_model=AgentDetail, responses=described(404))
    def get_agent(asker: Reads, name: AgentName, asked: Annotated[AgentRunFilters, Query()]) -> AgentDetail:
        """Tell one agent: what its runs are together, what they fail of, which versions ran."""
        return agents.one(asker.project, name, asked)

    return router
