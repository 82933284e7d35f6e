"""``/v1/findings``, ``/v1/incidents`` and the findings of an agent.

Whatever changes what others see, or are told, needs scope ``admin``, as with saved queries: a key that an application
sends its spans with must not be able to hide what is found of that application.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

import agentvigil.api.names_in_paths  # noqa: F401 - makes {name:text} known
from agentvigil.analysis.findings.model import Kind
from agentvigil.api.access import Administers, Reads
from agentvigil.api.agents.reading import Agents
from agentvigil.api.agents.routes import AgentName
from agentvigil.api.asked import Asked
from agentvigil.api.findings.acting import FindingActs
from agentvigil.api.findings.asked import AgentFindings, FindingList, IncidentList, Muting, Resolving
from agentvigil.api.findings.models import (
    FindingDetail,
    FindingPage,
    IncidentDetail,
    IncidentPage,
    MutePage,
    PrecisionReport,
    ToldFinding,
)
from agentvigil.api.findings.reading import FindingsReading
from agentvigil.api.problems import described

FindingId = Annotated[
    str, Path(max_length=64, examples=["9f86d081884c7d659a2feaa0c55ad015"], description="id of the finding")
]
StableKey = Annotated[
    str, Path(max_length=64, examples=["9f86d081884c7d659a2feaa0c55ad015"], description="stable key of what is muted")
]
IncidentId = Annotated[
    str, Path(max_length=64, examples=["9f86d081884c7d659a2feaa0c55ad015"], description="id of the incident")
]


def findings_router(reading: FindingsReading, acts: FindingActs, agents: Agents) -> APIRouter:
    """Return the routes for findings. Those of agents stand in the way of no other if these come before
    :func:`~agentvigil.api.agents.routes.agents_router`'s, which take any name."""
    router = APIRouter(prefix="/v1", tags=["findings"])

    @router.get("/findings", response_model=FindingPage)
    def list_findings(asker: Reads, asked: Annotated[FindingList, Query()]) -> FindingPage:
        """List findings, all that are kept and the most urgent first, unless it is said otherwise."""
        return reading.page(asker.project, asked)

    @router.get("/findings/precision", response_model=PrecisionReport)
    def get_precision(asker: Reads, _: Annotated[Asked, Query()]) -> PrecisionReport:
        """Tell how often each detector was right in the last 90 days, as people judged its findings."""
        return reading.precision(asker.project)

    @router.get("/findings/mutes", response_model=MutePage)
    def list_mutes(asker: Reads, _: Annotated[Asked, Query()]) -> MutePage:
        """List what nobody hears of, the newest first."""
        return reading.mutes(asker.project)

    @router.delete("/findings/mutes/{stable_key}", status_code=204, response_class=Response, responses=described(404))
    def remove_mute(asker: Administers, stable_key: StableKey, _: Annotated[Asked, Query()]) -> None:
        """Take a mute back, also one whose finding has gone. Needs scope `admin`."""
        acts.remove_mute(asker, stable_key)

    @router.get("/findings/{finding_id}", response_model=FindingDetail, responses=described(404))
    def get_finding(asker: Reads, finding_id: FindingId, _: Annotated[Asked, Query()]) -> FindingDetail:
        """Tell a finding whole: what moved, since when, what else changed then, which runs show it, its history."""
        return reading.one(asker.project, finding_id)

    @router.post("/findings/{finding_id}/acknowledge", response_model=ToldFinding, responses=described(404, 409))
    def acknowledge(asker: Administers, finding_id: FindingId, _: Annotated[Asked, Query()]) -> ToldFinding:
        """Say that somebody looks after a finding. Again does nothing; needs scope `admin`."""
        return acts.acknowledge(asker, finding_id)

    @router.post("/findings/{finding_id}/resolve", response_model=ToldFinding, responses=described(404))
    def resolve(
        asker: Administers, finding_id: FindingId, resolving: Resolving, _: Annotated[Asked, Query()]
    ) -> ToldFinding:
        """Say what a finding was, and that it is over. A false alarm is muted for 30 days; needs scope `admin`.

        One that is resolved may get another resolution.
        """
        return acts.resolve(asker, finding_id, resolving.resolution)

    @router.post("/findings/{finding_id}/reopen", response_model=ToldFinding, responses=described(404, 409))
    def reopen(asker: Administers, finding_id: FindingId, _: Annotated[Asked, Query()]) -> ToldFinding:
        """Say that a finding was resolved too early. The mute of a false alarm ends; needs scope `admin`."""
        return acts.reopen(asker, finding_id)

    @router.post("/findings/{finding_id}/mute", response_model=ToldFinding, responses=described(404))
    def mute(asker: Administers, finding_id: FindingId, muting: Muting, _: Annotated[Asked, Query()]) -> ToldFinding:
        """Let nobody hear of the same thing up to a time, or for ever. Needs scope `admin`."""
        return acts.mute(asker, finding_id, muting.until)

    @router.post("/findings/{finding_id}/unmute", response_model=ToldFinding, responses=described(404))
    def unmute(asker: Administers, finding_id: FindingId, _: Annotated[Asked, Query()]) -> ToldFinding:
        """Take a mute back. Without one it does nothing; needs scope `admin`."""
        return acts.unmute(asker, finding_id)

    @router.get("/incidents", response_model=IncidentPage)
    def list_incidents(asker: Reads, asked: Annotated[IncidentList, Query()]) -> IncidentPage:
        """List incidents, the newest first: findings that are of one thing, told once."""
        return reading.incidents(asker.project, asked)

    @router.get("/incidents/{incident_id}", response_model=IncidentDetail, responses=described(404))
    def get_incident(asker: Reads, incident_id: IncidentId, _: Annotated[Asked, Query()]) -> IncidentDetail:
        """Tell an incident with its findings, the one that leads first."""
        return reading.incident(asker.project, incident_id)

    @router.post("/incidents/{incident_id}/acknowledge", response_model=IncidentDetail, responses=described(404))
    def acknowledge_incident(
        asker: Administers, incident_id: IncidentId, _: Annotated[Asked, Query()]
    ) -> IncidentDetail:
        """Say that somebody looks after all findings of an incident that are not resolved yet. Needs scope `admin`."""
        return acts.acknowledge_incident(asker, incident_id)

    @router.post("/incidents/{incident_id}/resolve", response_model=IncidentDetail, responses=described(404))
    def resolve_incident(
        asker: Administers, incident_id: IncidentId, resolving: Resolving, _: Annotated[Asked, Query()]
    ) -> IncidentDetail:
        """Say what all findings of an incident were that are not resolved yet. Needs scope `admin`."""
        return acts.resolve_incident(asker, incident_id, resolving.resolution)

    @router.get("/agents/{name:text}/regressions", response_model=FindingPage, responses=described(404))
    def list_regressions(asker: Reads, name: AgentName, asked: Annotated[AgentFindings, Query()]) -> FindingPage:
        """List what got worse from one version of an agent to another, the most urgent first."""
        agents.check(asker.project, name)
        return reading.of_agent(asker.project, name, Kind.REGRESSION, asked)

    @router.get("/agents/{name:text}/anomalies", response_model=FindingPage, responses=described(404))
    def list_anomalies(asker: Reads, name: AgentName, asked: Annotated[AgentFindings, Query()]) -> FindingPage:
        """List runs of an agent that were far from its others, the most urgent first."""
        agents.check(asker.project, name)
        return reading.of_agent(asker.project, name, Kind.ANOMALY, asked)

    @router.get("/agents/{name:text}/drift", response_model=FindingPage, responses=described(404))
    def list_drift(asker: Reads, name: AgentName, asked: Annotated[AgentFindings, Query()]) -> FindingPage:
        """List how an agent drifted from what it was, the most urgent first."""
        agents.check(asker.project, name)
        return reading.of_agent(asker.project, name, Kind.DRIFT, asked)

    return router
