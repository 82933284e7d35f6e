"""Observations that come in together, and what becomes of the findings that they meet."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime

from agentvigil.analysis.findings.finding import Finding, stable_key_of
from agentvigil.analysis.findings.incidents import Member, incidents_with
from agentvigil.analysis.findings.lifecycle import Change, Outcome, Placed, in_incident, place
from agentvigil.analysis.findings.model import Observation

Key = tuple[str, str]
"""A project and a stable key."""


class Batch:
    """Takes in observations one after the other, in memory.

    ``known`` are all findings of their stable keys, ``muted`` those of the keys that are muted, ``members`` what began
    at the times of the observations, and ``load`` gives whole findings by their ids.
    """

    def __init__(
        self,
        known: Iterable[Finding],
        muted: Collection[Key],
        members: Iterable[Member],
        load: Callable[[Collection[str]], Iterable[Finding]],
        now: datetime,
        keep_days: int = 90,
    ) -> None:
        self._findings = {finding.id: finding for finding in known}
        self._muted, self._load, self._now, self._keep_days = muted, load, now, keep_days
        self._members = {member.finding_id: member for member in members}
        self._changes: dict[str, Change] = {}

    @property
    def changes(self) -> list[Change]:
        """What is to be written: each finding once."""
        return list(self._changes.values())

    def take(self, observation: Observation) -> Placed:
        """Return what becomes of ``observation``."""
        key = (observation.project, stable_key_of(observation))
        known = [one for one in self._findings.values() if (one.seen.project, one.stable_key) == key]
        placed = place(observation, known, is_muted=key in self._muted, now=self._now, keep_days=self._keep_days)
        if placed.change is None:
            return placed
        self._keep(placed.change)
        finding = placed.change.finding
        if placed.outcome is Outcome.NEW:
            self._put_in_incident(finding)
        return replace(placed, finding=self._findings[finding.id])

    def _put_in_incident(self, finding: Finding) -> None:
        member = Member.of(finding)
        incidents = incidents_with(member, self._members.values())
        self._members[member.finding_id] = member
        if unknown := incidents.keys() - self._findings.keys():
            self._findings |= {one.id: one for one in self._load(sorted(unknown))}
        for finding_id, incident_id in incidents.items():
            self._members[finding_id] = replace(self._members[finding_id], incident_id=incident_id)
            if (one := self._findings.get(finding_id)) is not None:
                self._keep(in_incident(Change(one), incident_id, self._now))

    def _keep(self, change: Change) -> None:
        before = self._changes.get(change.finding.id)
        events = (*before.events, *change.events) if before else change.events
        self._changes[change.finding.id] = Change(change.finding, events)
        self._findings[change.finding.id] = change.finding
