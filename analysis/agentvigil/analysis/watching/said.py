"""What people and findings say of the agents of a project, as far as detectors go by it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Final, TypeVar

from agentvigil.analysis.baselines.book import BaselineBook
from agentvigil.analysis.baselines.choosing import Incident, Pin
from agentvigil.analysis.features.cells import Subject, hour_of
from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.finding import Finding
from agentvigil.analysis.findings.model import Kind, Resolution
from agentvigil.analysis.watching.choosing import Circumstances
from agentvigil.analysis.watching.pools import PoolKey, pool_key_of
from agentvigil.analysis.watching.renewing import Accepted

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Said:
    """Pinned baselines, drifts, and findings that are the new normal, as of one moment."""

    pins: dict[Subject, list[Pin]]
    drifts: list[Finding]
    """Those that nobody resolved."""
    ended: list[Finding]
    """Drifts that are resolved, for whatever reason."""
    normals: list[Finding]
    pooled: list[Finding]
    """What moved in several agents together and nobody resolved."""

    @cached_property
    def circumstances(self) -> Circumstances:
        """What baselines are chosen by."""
        incidents = _by_subject((one, Incident(_began(one))) for one in self.drifts)
        return Circumstances(self.pins, incidents, self.accepted)

    @cached_property
    def accepted(self) -> dict[Subject, Accepted]:
        """What is as it should be since it moved, by subject."""
        found: dict[Subject, dict[str, int]] = {}
        for one in self.normals:
            seen, subject = one.seen, subject_of(one)
            if seen.agent and seen.changed_at is not None:
                # From when it surely was so: what was before must not be in the new level.
                since, hours = hour_of(seen.changed_to or seen.changed_at), found.setdefault(subject, {})
                hours[seen.feature] = max(since, hours.get(seen.feature, 0))
        moved_on: dict[Subject, dict[str, int]] = {}
        for one in self.drifts:
            moved_on.setdefault(subject_of(one), {})[one.seen.feature] = _began(one)
        return {
            subject: Accepted(
                hours,
                {
                    feature: since
                    for feature, since in moved_on.get(subject, {}).items()
                    if since > hours.get(feature, since)
                },
            )
            for subject, hours in found.items()
        }

    @cached_property
    def pool_keys(self) -> set[PoolKey]:
        """What moved in several agents together."""
        return {key for one in self.pooled if (key := pool_key_of(one.seen)) is not None}

    @cached_property
    def accepted_pools(self) -> dict[PoolKey, int]:
        """The hours from which on what several agents have together is as it should be."""
        found: dict[PoolKey, int] = {}
        for one in self.normals:
            if (key := pool_key_of(one.seen)) is not None:
                found[key] = max(_began(one), found.get(key, 0))
        return found

    @cached_property
    def drifting(self) -> set[tuple[Subject, str]]:
        """Subjects and features with an unresolved drift."""
        return {(subject_of(one), one.seen.feature) for one in self.drifts}


def read_said(findings: FindingsBook, baselines: BaselineBook, project: str) -> Said:
    """Return what is said of the agents of ``project`` now.

    Raises:
        StorageError: if the store does not answer.
    """
    pins: dict[Subject, list[Pin]] = {}
    for pinned in baselines.listed(project):
        pins.setdefault(pinned.subject, []).append(pinned.pin)
    unresolved = findings.unresolved(project)
    drifts = [one for one in unresolved if one.seen.kind is Kind.DRIFT]
    pooled = [one for one in unresolved if pool_key_of(one.seen) is not None]
    resolved = findings.resolutions_since(_EPOCH, project)
    ended = [one for one in resolved if one.seen.kind is Kind.DRIFT]
    normals = [one for one in resolved if one.resolution is Resolution.NEW_NORMAL]
    return Said(pins, drifts, ended, normals, pooled)


def subject_of(finding: Finding) -> Subject:
    """Return whose runs a finding is about."""
    return Subject(finding.seen.project, finding.seen.environment, finding.seen.agent)


def _began(finding: Finding) -> int:
    return hour_of(finding.earliest_change or finding.seen.changed_at or finding.seen.window_start)


def _by_subject(pairs: Iterable[tuple[Finding, _T]]) -> dict[Subject, list[_T]]:
    found: dict[Subject, list[_T]] = {}
    for finding, value in pairs:
        found.setdefault(subject_of(finding), []).append(value)
    return found
