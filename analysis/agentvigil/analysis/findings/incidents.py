"""Which findings are of one incident: what happened once is told once, however many features and agents show it.

A finding is placed when it begins, and stays, so that whoever follows a link to an incident finds it again:

1. What began at about the same time, in the same environment, with the same agent, is one incident. It has the id of
   the finding that began it.
2. If a model moved, as found over all its agents or as found with three or more of them, whatever has that model and
   began then is one incident over all those agents. Only then findings go from one incident to another.

"About the same time" means that the intervals in which the two changes lie are at most six hours apart. The intervals
say how sure a detector is of the time; the hours are for those that say a moment only.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from agentvigil.analysis.findings.finding import Finding
from agentvigil.analysis.findings.model import SubjectType
from agentvigil.analysis.findings.severity import rank

APART: Final = timedelta(hours=6)
LEAST_AGENTS: Final = 3
"""So many agents with one model, and it is the model."""


@dataclass(frozen=True, slots=True)
class Member:
    """What is known of a finding where incidents are made."""

    finding_id: str
    project: str
    environment: str
    agent: str
    """Its agent, else what it is about instead: several agents together are none of them."""
    models: frozenset[str]
    is_of_model: bool
    """Whether it is about a model itself, over all its agents."""
    began_from: datetime
    began_to: datetime
    incident_id: str = ""

    @classmethod
    def of(cls, finding: Finding) -> "Member":
        """Return what incidents need to know of ``finding``; what has no beginning began with its window."""
        seen = finding.seen
        return cls(
            finding_id=finding.id,
            project=seen.project,
            environment=seen.environment,
            agent=seen.agent or f"{seen.subject_type}:{seen.subject}",
            models=finding.models,
            is_of_model=seen.subject_type is SubjectType.MODEL,
            began_from=seen.changed_from or seen.changed_at or seen.window_start,
            began_to=seen.changed_to or seen.changed_at or seen.window_end,
            incident_id=finding.incident_id,
        )

    def is_near(self, other: "Member") -> bool:
        """Whether both began at about the same time, in one project."""
        return (
            self.project == other.project
            and self.began_from <= other.began_to + APART
            and other.began_from <= self.began_to + APART
        )


def incidents_with(new: Member, known: Iterable[Member]) -> Mapping[str, str]:
    """Return the ids of incidents, by those of findings: that of ``new``, and of others that go to another one.

    ``known`` are findings that are placed already, in any order; those of other times and projects do not matter.
    """
    near = sorted(
        (member for member in known if member.finding_id != new.finding_id and member.is_near(new)),
        key=lambda member: (abs(member.began_from - new.began_from), member.finding_id),
    )
    for model in sorted(new.models):
        with_model = [member for member in near if model in member.models]
        if joined := _model_incident(model, new, with_model):
            return joined
    own = next(
        (one for one in near if (one.environment, one.agent) == (new.environment, new.agent) and one.incident_id), None
    )
    return {new.finding_id: own.incident_id if own else new.finding_id}


def lead(findings: Sequence[Finding]) -> Finding:
    """Return the finding that an incident is told by; the others are its symptoms: what is about a model first, then
    the most severe, then what began first."""
    return min(findings, key=_importance)


def _model_incident(model: str, new: Member, near: Sequence[Member]) -> Mapping[str, str]:
    """Return who goes to the incident of ``model`` at the time of ``new``, nobody if it is none."""
    everybody = [*near, new]
    agents = {member.agent for member in everybody if not member.is_of_model}
    if not any(member.is_of_model for member in everybody) and len(agents) < LEAST_AGENTS:
        return {}
    known = {member.incident_id for member in near}
    named_before = sorted(_model_incident_id(model, member) for member in near)
    incident_id = next((one for one in named_before if one in known), "") or _model_incident_id(model, everybody[0])
    return {member.finding_id: incident_id for member in everybody if member.incident_id != incident_id}


def _model_incident_id(model: str, first: Member) -> str:
    return hashlib.sha256(f"{model}\n{first.finding_id}".encode()).hexdigest()[:32]


def _importance(finding: Finding) -> tuple[int, int, datetime, datetime, str]:
    seen = finding.seen
    return (
        0 if seen.subject_type is SubjectType.MODEL else 1,
        -rank(finding.severity),
        seen.changed_at or seen.window_start,
        finding.found_at,
        finding.id,
    )
