"""The findings of a store: taken in from detectors, changed by people, read by both."""

import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from agentvigil.analysis.findings import lifecycle
from agentvigil.analysis.findings.batch import Batch
from agentvigil.analysis.findings.errors import FindingUnknown
from agentvigil.analysis.findings.finding import Event, Finding, Mute, stable_key_of
from agentvigil.analysis.findings.incidents import APART
from agentvigil.analysis.findings.lifecycle import FALSE_ALARM_MUTE, Change, Outcome
from agentvigil.analysis.findings.model import Observation, Resolution, SubjectType
from agentvigil.analysis.findings.rows import EVENT_COLUMNS, finding_of, member_of, row_of, row_of_event, time_of
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_KEEP_DAYS: Final = 90
_SETTINGS: Final = {"do_not_merge_across_partitions_select_final": 1}
"""A finding stays in the partition of when it was found."""


def _load() -> dict[str, str]:
    texts = load_queries("agentvigil.analysis.findings", "queries.sql")
    columns = texts["columns"] + texts["with_details"]
    return {name: sql.replace("{{columns}}", columns) for name, sql in texts.items()}


STATEMENTS: Final = _load()
"""The statements of ``queries.sql``. A row for `finding_of` is made of ``columns`` and ``with_details``, or, for lists,
``without_details``."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of an observation. ``finding`` is as it is now, None where there is none: a muted key begins none."""

    observation: Observation
    outcome: Outcome
    finding: Finding | None


class FindingsBook:
    """The findings in ``store``; new ones are kept for ``keep_days``, one of the retention classes.

    Any thread may call. Every method may raise StorageError: then nothing was changed, or all that was asked for, or of
    several findings some; doing it again does the rest.
    """

    def __init__(self, store: Store, keep_days: int = _KEEP_DAYS) -> None:
        self._store, self._keep_days = store, keep_days
        self._changing = threading.Lock()

    # What detectors say

    def record(self, observations: Iterable[Observation], now: datetime) -> list[Recorded]:
        """Take in what detectors saw, and return what became of each, in the order of the ends of their data.

        The same again, in whichever order and whoever says it, changes nothing.
        """
        ordered = sorted(observations, key=lambda one: (one.seen_at, one.changed_at or one.seen_at, stable_key_of(one)))
        if not ordered:
            return []
        with self._changing:
            batch = self._batch(ordered, now)
            recorded = [
                Recorded(one, placed.outcome, placed.finding) for one in ordered for placed in [batch.take(one)]
            ]
            self._write(batch.changes)
        return recorded

    def refresh(self, observations: Iterable[Observation], now: datetime) -> list[Finding]:
        """Put newer numbers into the findings that go on, and return those.

        Nothing begins, ends or is back by that; the severity may rise. The same again changes nothing.
        """
        seen = {(one.project, stable_key_of(one)): one for one in observations}
        if not seen:
            return []
        with self._changing:
            known = self._of_keys({project for project, _ in seen}, {key for _, key in seen})
            changes = [
                change
                for finding in known
                if (one := seen.get((finding.seen.project, finding.stable_key))) is not None
                if (change := lifecycle.refreshed(finding, one, now)) is not None
            ]
            self._write(changes)
        return [change.finding for change in changes]

    def sum_up(self, last: Iterable[tuple[Finding, Observation]]) -> list[Finding]:
        """Put last numbers into findings that somebody resolved, and return those. The same again changes nothing."""
        last_seen = {(finding.seen.project, finding.id): seen for finding, seen in last}
        if not last_seen:
            return []
        with self._changing:
            projects, ids = ({key[part] for key in last_seen} for part in (0, 1))
            changes = [
                change
                for finding in self._findings("of_ids", projects=sorted(projects), ids=sorted(ids))
                if (seen := last_seen.get((finding.seen.project, finding.id))) is not None
                if (change := lifecycle.summed_up_later(finding, seen)) is not None
            ]
            self._write(changes)
        return [change.finding for change in changes]

    def close_quiet(
        self,
        inside: Collection[str],
        now: datetime,
        *,
        outside: Collection[str] = frozenset(),
        last: Iterable[Observation] = (),
    ) -> list[Finding]:
        """Close what has been ``inside`` the margin for 48 hours, and return those findings. Both are stable keys.

        What is in neither was not looked at, and stays as it is. Findings of single runs are closed 48 hours later.
        ``last`` are the last numbers of some; they count for those that are closed.
        """
        last_seen = {stable_key_of(one): one for one in last}
        with self._changing:
            changes = [
                change
                for finding in self.unresolved()
                if finding.stable_key in inside
                or finding.stable_key in outside
                or finding.seen.subject_type is SubjectType.RUN
                if (change := lifecycle.quiet(finding, is_inside=finding.stable_key in inside, now=now))
            ]
            changes = [
                lifecycle.summed_up(change, last_seen[change.finding.stable_key])
                if change.finding.is_resolved and change.finding.stable_key in last_seen
                else change
                for change in changes
            ]
            self._write(changes)
        return [change.finding for change in changes if change.finding.is_resolved]

    # What people say; ``key_id`` is the id of the key that they showed

    def acknowledge(self, project: str, finding_id: str, key_id: str, now: datetime) -> Finding:
        """Say that somebody looks after a finding, and return it.

        Raises:
            FindingUnknown: if there is none of that id.
            NotInState: if it is resolved.
        """
        with self._changing:
            finding = self.one(project, finding_id)
            return self._after(finding, lifecycle.acknowledged(finding, key_id, now))

    def resolve(self, project: str, finding_id: str, resolution: Resolution, key_id: str, now: datetime) -> Finding:
        """Say what a finding was and that it is over, and return it. A false alarm mutes its key for 30 days.

        Raises:
            FindingUnknown: if there is none of that id.
        """
        with self._changing:
            finding = self.one(project, finding_id)
            change = lifecycle.resolved(finding, resolution, key_id, now)
            if change is None:
                return finding
            if resolution is Resolution.FALSE_ALARM:
                until = now + FALSE_ALARM_MUTE
                if not self._is_muted_at(finding, until):
                    self._put_mute(finding, until, key_id, now)
                    muted = lifecycle.told_of_mute(change.finding, until, key_id, now)
                    change = Change(muted.finding, (*change.events, *muted.events))
            return self._after(finding, change)

    def reopen(self, project: str, finding_id: str, key_id: str, now: datetime) -> Finding:
        """Say that a finding was resolved too early, and return it. If it was called a false alarm, its mute ends.

        Raises:
            FindingUnknown: if there is none of that id.
            NotInState: if the same was found again meanwhile, and is not resolved.
        """
        with self._changing:
            finding = self.one(project, finding_id)
            known = self._of_keys([project], [finding.stable_key])
            change = lifecycle.reopened(finding, known, key_id, now)
            if change is not None and finding.resolution is Resolution.FALSE_ALARM:
                self._remove_mute(project, finding.stable_key)
            return self._after(finding, change)

    def mute(self, project: str, finding_id: str, until: datetime | None, key_id: str, now: datetime) -> Finding:
        """Let nobody hear of what has the stable key of a finding up to ``until``, None for ever; return the finding.

        Raises:
            FindingUnknown: if there is none of that id.
        """
        with self._changing:
            finding = self.one(project, finding_id)
            self._put_mute(finding, until, key_id, now)
            return self._after(finding, lifecycle.told_of_mute(finding, until, key_id, now))

    def unmute(self, project: str, finding_id: str, key_id: str, now: datetime) -> Finding:
        """Take the mute of a finding's stable key back, if there is one, and return the finding.

        Raises:
            FindingUnknown: if there is none of that id.
        """
        with self._changing:
            finding = self.one(project, finding_id)
            if not self.mutes([project], [finding.stable_key]):
                return finding
            self._remove_mute(project, finding.stable_key)
            return self._after(finding, lifecycle.told_of_unmute(finding, key_id, now))

    def remove_mute(self, project: str, stable_key: str) -> bool:
        """Take a mute back, whether or not its finding is still there; say if there was one."""
        with self._changing:
            was_muted = bool(self.mutes([project], [stable_key]))
            if was_muted:
                self._remove_mute(project, stable_key)
            return was_muted

    # What is there

    def one(self, project: str, finding_id: str) -> Finding:
        """Return a finding.

        Raises:
            FindingUnknown: if there is none of that id.
        """
        found = self._findings("of_ids", projects=[project], ids=[finding_id])
        if not found:
            raise FindingUnknown(project, finding_id)
        return found[0]

    def unresolved(self, project: str = "") -> list[Finding]:
        """Return the findings that nobody resolved, of one project or of all. What happens in their time, from
        ``earliest_change`` on, is no baseline."""
        return self._findings("unresolved", project=project)

    def resolutions_since(self, since: datetime, project: str = "") -> list[Finding]:
        """Return the findings that were resolved at or after ``since``, in that order, of one project or of all."""
        return self._findings("resolved_since", project=project, since_ns=_nanoseconds(since))

    def mutes(self, projects: Collection[str], keys: Collection[str]) -> list[Mute]:
        """Return the mutes of stable keys; some may have ended."""
        parameters = {"projects": sorted(projects), "keys": sorted(keys)}
        return [
            Mute(row["Project"], row["StableKey"], None if row["until_ns"] is None else time_of(row["until_ns"]))
            for row in self._store.records(STATEMENTS["mutes"], parameters)
        ]

    def _batch(self, observations: Sequence[Observation], now: datetime) -> Batch:
        projects = sorted({one.project for one in observations})
        keys = sorted({stable_key_of(one) for one in observations})
        began = [one.changed_from or one.changed_at or one.window_start for one in observations]
        ended = [one.changed_to or one.changed_at or one.window_end for one in observations]
        times = {"from_ns": _nanoseconds(min(began) - APART), "to_ns": _nanoseconds(max(ended) + APART)}
        members = self._store.records(STATEMENTS["members"], {"projects": projects, **times}, _SETTINGS)
        return Batch(
            self._of_keys(projects, keys),
            {(mute.project, mute.stable_key) for mute in self.mutes(projects, keys) if mute.holds(now)},
            map(member_of, members),
            lambda ids: self._findings("of_ids", projects=projects, ids=sorted(ids)),
            now,
            self._keep_days,
        )

    def _of_keys(self, projects: Collection[str], keys: Collection[str]) -> list[Finding]:
        return self._findings("of_keys", projects=sorted(projects), keys=sorted(keys))

    def _findings(self, statement: str, **parameters: Any) -> list[Finding]:
        return [finding_of(row) for row in self._store.records(STATEMENTS[statement], parameters, _SETTINGS)]

    def _is_muted_at(self, finding: Finding, time: datetime) -> bool:
        return any(mute.holds(time) for mute in self.mutes([finding.seen.project], [finding.stable_key]))

    def _after(self, before: Finding, change: Change | None) -> Finding:
        if change is None:
            return before
        self._write([change])
        return change.finding

    def _write(self, changes: Sequence[Change]) -> None:
        """Write findings, and then the steps that are told of them: a finding whose history lacks a step is better than
        a step that never was."""
        if not changes:
            return
        rows = [row_of(change.finding) for change in changes]
        self._store.insert_rows("findings", list(rows[0]), [list(row.values()) for row in rows])
        events: list[Event] = [event for change in changes for event in change.events]
        if events:
            rows_of_events = [row_of_event(event) for event in events]
            self._store.insert_rows("finding_events", EVENT_COLUMNS, rows_of_events)

    def _put_mute(self, finding: Finding, until: datetime | None, key_id: str, now: datetime) -> None:
        seen = finding.seen
        self._store.command(
            STATEMENTS["put_mute"],
            {
                "project": seen.project,
                "stable_key": finding.stable_key,
                "until_ms": None if until is None else _milliseconds(until),
                "at_ms": _milliseconds(now),
                "key_id": key_id,
                "finding_id": finding.id,
                "kind": str(seen.kind),
                "detector": seen.detector,
                "environment": seen.environment,
                "subject_type": str(seen.subject_type),
                "subject": seen.subject,
                "agent": seen.agent,
                "feature": seen.feature,
            },
        )

    def _remove_mute(self, project: str, stable_key: str) -> None:
        self._store.command(STATEMENTS["remove_mute"], {"project": project, "stable_key": stable_key})


def _nanoseconds(time: datetime) -> int:
    return _milliseconds(time) * 10**6 + time.microsecond % 1000 * 1000


def _milliseconds(time: datetime) -> int:
    return int(time.replace(microsecond=0).timestamp()) * 1000 + time.microsecond // 1000
