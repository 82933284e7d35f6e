"""What becomes of findings: pure functions from what is and what happens to what is then.

A finding is open, acknowledged or resolved. Detectors make and update findings, people acknowledge, resolve and reopen
them, time closes them. Detectors replay: after a pause or a crash, or when an older time is analysed again, they say
what they said before. Hence the rules by which an observation finds its place among the findings of its stable key:

1. A key has at most one unresolved finding. What is newer than all that is known of the key belongs to it.
2. What began within the time of a resolved finding is that finding again, and changes nothing: whoever resolved it
   knew.
3. What an unresolved finding has seen already, up to the end of the same data, changes nothing either.
4. Anything else is new, unless the key is muted.

The severity of an unresolved finding only rises. A mute is of a key and not of a finding: an unresolved finding goes on
being updated, so that its numbers are right whenever it is looked at, and nobody is told.

Each change makes a new version. What a person does counts a thousand, what a detector does one: when both change the
same version at the same time, from two processes, the person's word stays, and the detector repeats its own an hour
later.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from agentvigil.analysis.findings.errors import NotInState
from agentvigil.analysis.findings.finding import (
    JUDGEMENT_OF,
    Event,
    Finding,
    What,
    earliest,
    finding_id_of,
    is_run,
    stable_key_of,
)
from agentvigil.analysis.findings.model import Observation, Resolution, State
from agentvigil.analysis.findings.severity import worst
from agentvigil.analysis.findings.told_details import models_of

QUIET: Final = timedelta(hours=48)
"""So long inside the margin, and a finding is closed."""

FALSE_ALARM_MUTE: Final = timedelta(days=30)
"""So long nothing more is heard of what was a false alarm."""

_DETECTORS_STEP: Final = 1
_PERSONS_STEP: Final = 1000


class Outcome(StrEnum):
    """What became of an observation."""

    NEW = "new"
    """It began a finding."""
    UPDATED = "updated"
    """It is the newest of an unresolved finding."""
    MUTED = "muted"
    """Nobody is to be told. It began no finding; an unresolved one was updated."""
    KNOWN = "known"
    """It changed nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """A finding after something happened to it, and the steps to tell of."""

    finding: Finding
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """An observation, and the place that was found for it."""

    outcome: Outcome
    change: Change | None = None
    """What is to be written, None for nothing."""
    finding: Finding | None = None
    """The finding that it is of, None if it is of none."""


def place(
    observation: Observation, known: Sequence[Finding], *, is_muted: bool, now: datetime, keep_days: int = 90
) -> Placed:
    """Return what becomes of ``observation``, where ``known`` are all findings of its stable key; a new finding is kept
    for ``keep_days``."""
    unresolved = next((finding for finding in known if not finding.is_resolved), None)
    is_newest = all(observation.seen_at > finding.seen.seen_at for finding in known)
    if unresolved is None or not is_newest:
        again = next((finding for finding in known if finding.is_resolved and finding.covers(observation)), None)
        if again is not None:
            return Placed(Outcome.KNOWN, finding=again)
    if unresolved is not None:
        if observation.seen_at <= unresolved.seen.seen_at:
            return Placed(Outcome.KNOWN, finding=unresolved)
        change = _updated(unresolved, observation, now)
        return Placed(Outcome.MUTED if is_muted else Outcome.UPDATED, change, change.finding)
    if is_muted:
        return Placed(Outcome.MUTED)
    change = _begun(observation, now, keep_days)
    return Placed(Outcome.NEW, change, change.finding)


def in_incident(change: Change, incident_id: str, now: datetime) -> Change:
    """Return ``change`` with its finding in an incident; that a known finding goes to another one is told."""
    finding = change.finding
    if finding.incident_id == incident_id:
        return change
    if finding.incident_id == "":
        return Change(replace(finding, incident_id=incident_id), change.events)
    moved = replace(finding, incident_id=incident_id, version=finding.version + _DETECTORS_STEP)
    return Change(moved, (*change.events, _event(moved, What.INCIDENT, now, value=incident_id)))


def acknowledged(finding: Finding, key_id: str, now: datetime) -> Change | None:
    """Return ``finding`` when somebody says that they look after it; None if somebody did already.

    Raises:
        NotInState: if it is resolved.
    """
    if finding.is_resolved:
        raise NotInState(f"finding {finding.id} is resolved, so there is nothing to look after; reopen it first")
    if finding.state is State.ACKNOWLEDGED:
        return None
    after = replace(_by_person(finding), state=State.ACKNOWLEDGED, acknowledged_at=now)
    return Change(after, (_event(after, What.ACKNOWLEDGED, now, key_id),))


def resolved(finding: Finding, resolution: Resolution, key_id: str, now: datetime) -> Change | None:
    """Return ``finding`` when somebody says what it was and that it is over; None if that was said before.

    A resolved one may get another resolution: that it went back to normal by itself does not say what it was.
    """
    if finding.is_resolved and finding.resolution is resolution:
        return None
    before = _by_person(finding) if key_id else replace(finding, version=finding.version + _DETECTORS_STEP)
    after = replace(
        before,
        state=State.RESOLVED,
        resolution=resolution,
        resolved_at=finding.resolved_at or now,
        judgement=JUDGEMENT_OF.get(resolution),
    )
    return Change(after, (_event(after, What.RESOLVED, now, key_id, resolution),))


def reopened(finding: Finding, known: Sequence[Finding], key_id: str, now: datetime) -> Change | None:
    """Return ``finding`` when it was resolved too early; None if it is not resolved.

    Raises:
        NotInState: if another of ``known``, the findings of its stable key, is unresolved.
    """
    if not finding.is_resolved:
        return None
    if other := next((one for one in known if not one.is_resolved), None):
        raise NotInState(f"the same was found again as {other.id}, which is {other.state}; go on with that one")
    after = replace(
        _by_person(finding),
        state=State.OPEN,
        resolution=None,
        resolved_at=None,
        acknowledged_at=None,
        inside_since=None,
        judgement=None,
        reopened_times=finding.reopened_times + 1,
    )
    return Change(after, (_event(after, What.REOPENED, now, key_id),))


def told_of_mute(finding: Finding, until: datetime | None, key_id: str, now: datetime) -> Change:
    """Return ``finding`` when its key is muted, which its history tells; nothing else of it changes."""
    after = _by_person(finding)
    return Change(after, (_event(after, What.MUTED, now, key_id, until.isoformat() if until else ""),))


def told_of_unmute(finding: Finding, key_id: str, now: datetime) -> Change:
    """Return ``finding`` when its key is muted no more."""
    after = _by_person(finding)
    return Change(after, (_event(after, What.UNMUTED, now, key_id),))


def is_back(finding: Finding, now: datetime) -> bool:
    """Say whether ``finding`` has been inside the margin for so long that it is closed if it is still."""
    return finding.inside_since is not None and now - finding.inside_since >= QUIET


def refreshed(finding: Finding, seen: Observation, now: datetime) -> Change | None:
    """Return ``finding`` with newer numbers of what it is of; None if it is over, or inside the margin, or they are not
    newer.

    It was looked at, not found again: nothing is said of whether it is back.
    """
    if finding.is_resolved or finding.inside_since is not None or seen.seen_at <= finding.seen.seen_at:
        return None
    return _updated(finding, seen, now)


def summed_up(closed: Change, seen: Observation) -> Change:
    """Return a finding that was just closed with its last numbers, which ``seen`` has; it is as severe as it was."""
    return replace(closed, finding=_with_last(closed.finding, seen))


def summed_up_later(finding: Finding, seen: Observation) -> Change | None:
    """Return ``finding``, which somebody resolved, with its last numbers; None if it is open again, or had those."""
    if not finding.is_resolved or seen.window_end <= finding.seen.window_end:
        return None
    return Change(replace(_with_last(finding, seen), version=finding.version + _DETECTORS_STEP))


def quiet(finding: Finding, *, is_inside: bool, now: datetime) -> Change | None:
    """Return ``finding``, which is unresolved, when its stream is inside the margin at ``now`` or outside of it; None
    where that changes nothing. After 48 hours inside it is closed.

    A single run is over when it is found: it is closed 48 hours after, unless somebody opened it again.
    """
    if is_run(finding.seen):
        is_over = now - finding.seen.seen_at >= QUIET and not finding.reopened_times
        return resolved(finding, Resolution.BACK_TO_NORMAL, "", now) if is_over else None
    if is_inside and is_back(finding, now):
        return resolved(finding, Resolution.BACK_TO_NORMAL, "", now)
    inside_since = (finding.inside_since or now) if is_inside else None
    if inside_since == finding.inside_since:
        return None
    return Change(replace(finding, inside_since=inside_since, version=finding.version + _DETECTORS_STEP))


def _with_last(finding: Finding, seen: Observation) -> Finding:
    before = finding.seen
    return replace(finding, seen=replace(seen, severity=before.severity, seen_at=max(before.seen_at, seen.seen_at)))


def _begun(observation: Observation, now: datetime, keep_days: int) -> Change:
    finding = Finding(
        id=finding_id_of(observation),
        stable_key=stable_key_of(observation),
        seen=observation,
        found_at=now,
        models=models_of(observation),
        earliest_change=earliest(observation.changed_from, observation.changed_at),
        keep_days=keep_days,
    )
    return Change(finding, (_event(finding, What.FOUND, now, value=observation.severity),))


def _updated(finding: Finding, observation: Observation, now: datetime) -> Change:
    severity = worst(finding.severity, observation.severity)
    after = replace(
        finding,
        seen=replace(observation, severity=severity),
        version=finding.version + _DETECTORS_STEP,
        models=models_of(observation) or finding.models,
        earliest_change=earliest(finding.earliest_change, observation.changed_from, observation.changed_at),
        inside_since=None,
    )
    if severity is finding.severity:
        return Change(after)
    return Change(after, (_event(after, What.SEVERITY, now, value=severity),))


def _by_person(finding: Finding) -> Finding:
    return replace(finding, version=finding.version + _PERSONS_STEP)


def _event(finding: Finding, what: What, now: datetime, key_id: str = "", value: str = "") -> Event:
    return Event(
        project=finding.seen.project,
        finding_id=finding.id,
        version=finding.version,
        what=what,
        at=now,
        key_id=key_id,
        value=str(value),
        found_at=finding.found_at,
        keep_days=finding.keep_days,
    )
