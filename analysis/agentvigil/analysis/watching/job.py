"""Looks through what is counted, project by project, and gives the book of findings what is seen."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from agentvigil.analysis.baselines.book import BaselineBook
from agentvigil.analysis.detection import WATCHED_FEATURES, DetectionConfig
from agentvigil.analysis.features.cells import Subject, hour_of, time_of
from agentvigil.analysis.features.reading import (
    RunCount,
    count_changes,
    count_runs,
    projects_with_runs,
    read_cells,
    read_progress,
)
from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.finding import Finding
from agentvigil.analysis.findings.lifecycle import is_back
from agentvigil.analysis.findings.model import Observation
from agentvigil.analysis.job_service import Lease
from agentvigil.analysis.settling.state import SettlingState
from agentvigil.analysis.watching.budgets import BudgetsOf, BudgetWatch, no_budgets
from agentvigil.analysis.watching.choosing import Chooser
from agentvigil.analysis.watching.daily import look_at_day
from agentvigil.analysis.watching.drift import CLOSING_HOURS, HOURS_PER_DAY, DriftWatch, Reading
from agentvigil.analysis.watching.examples import with_examples
from agentvigil.analysis.watching.keeping import Counted, Kept, keep, load
from agentvigil.analysis.watching.pools import PoolWatch
from agentvigil.analysis.watching.renewing import pending
from agentvigil.analysis.watching.said import Said, read_said
from agentvigil.storage.store import Store

LEASE: Final = "analysis"
_LONGEST_PAST_DAYS: Final = 120
"""Nothing older is looked through."""
_COUNTED_DAYS: Final = 35
"""So far back it is noticed that runs came late."""
_LATE_SHARE: Final = 0.05
_LATE_RUNS: Final = 20
"""An agent is looked through again where more runs than this, and than that share of all, came late."""
_DAYS_PER_STEP: Final = 7
"""Looked through before it is kept how far that is."""


@dataclass(frozen=True, slots=True)
class WatchProgress:
    """How far a project is watched. Hours are since 1970."""

    project: str
    next_hour: int
    end_hour: int
    """Before which all is counted."""
    watched: int
    """Agents that are compared with a baseline."""

    @property
    def is_behind(self) -> bool:
        return self.next_hour < self.end_hour


class WatchJob:
    """Watches all projects of ``store``, some days of each every :meth:`step` while it is behind.

    It may be stopped anywhere. Two processes at once cost double work, no more: they find the same, and what is kept of
    a project is that of the step that began last.
    """

    def __init__(
        self,
        store: Store,
        holder: str,
        config: DetectionConfig = DetectionConfig(),  # noqa: B008 - frozen
        findings: FindingsBook | None = None,
        budgets_of: BudgetsOf = no_budgets,
    ) -> None:
        self._store, self._config = store, config
        self._budgets = BudgetWatch(store, budgets_of)
        self._state = SettlingState(store, holder, LEASE)
        self._findings = findings or FindingsBook(store)
        self._baselines = BaselineBook(store)
        self._watches: dict[str, Kept] = {}
        self._choosers: dict[str, Chooser] = {}
        self._pools: dict[str, PoolWatch] = {}
        self._waiting: dict[str, set[tuple[Subject, str]]] = {}
        """Features that wait for runs to be compared with, as of the last review."""
        self._changes: dict[str, int] = {}
        """How often runs of the hours that were looked at were written, as far as was looked."""
        self._tenure = 0
        self.progress: tuple[WatchProgress, ...] = ()

    @property
    def lease(self) -> Lease:
        """What says that this process does it, and no other."""
        return self._state

    def step(self, now: datetime) -> bool:
        """Look through the next days, a week at most, of each project; say if there is more.

        Does nothing while another process has the lease.

        Raises:
            StorageError: if the store does not answer. The next step does again what this one did not end.
        """
        is_held = self._state.take_lease(now)
        if not is_held or self._tenure != self._state.times_taken:
            # Another may have gone on meanwhile, and kept that.
            self._watches.clear()
            self._pools.clear()
            self._tenure = self._state.times_taken
        if not is_held:
            return False
        self.progress = tuple(
            progress
            for project in projects_with_runs(self._store)
            if (progress := self._look_at(project, now)) is not None
        )
        return any(one.is_behind for one in self.progress)

    def look_over(self, project: str, first_hour: int, end_hour: int, now: datetime) -> Iterator[int]:
        """Look through hours by hand, whether they were looked through or not; yield how many were, piece by piece.

        Agents are compared with what would have been chosen then. Hours that are not counted are looked through as if
        they had no runs. What is kept of the project stays as it is.

        Raises:
            StorageError: if the store does not answer.
        """
        watch = DriftWatch.new(project, first_hour, self._reading(project), self._config)
        said = self._said(project)
        while (began := watch.next_hour) < end_hour:
            if began == first_hour or began % HOURS_PER_DAY == 0:
                self._review(watch, count_runs(self._store, project, 0, began), said)
            self._record(watch.advance(min(end_hour, _next_midnight(began))), now)
            yield watch.next_hour - began
        self._look_at_day(project, end_hour, said, now)

    def stop(self, now: datetime) -> None:
        """Let another process take over.

        Raises:
            StorageError: if the store does not answer.
        """
        self._state.end_lease(now)

    def _look_at(self, project: str, now: datetime) -> WatchProgress | None:
        read = self._reading(project)
        kept = self._watches.get(project) or load(self._store, project, read, self._config)
        if kept is None:
            counts = count_runs(self._store, project)
            if not counts:
                return None
            oldest = hour_of(now) - _LONGEST_PAST_DAYS * HOURS_PER_DAY
            first_hour = max(oldest, min(count.first_hour for count in counts.values()))
            new = DriftWatch.new(project, first_hour, read, self._config)
            kept = Kept(new, Counted(first_hour, first_hour, {}))
        watch, counted = kept.watch, kept.counted
        reached = read_progress(self._store, project, counted.first_hour, now)
        end_hour = min(reached.summed_until, reached.settled_until, hour_of(now))
        changes = count_changes(self._store, project, watch.next_hour)
        is_changed = watch.next_hour <= end_hour and changes != self._changes.get(project)
        if watch.next_hour < end_hour or is_changed:
            # What is kept is as of the step before: trouble in between leaves it so.
            self._watches.pop(project, None)
            before = dict(watch.watched)
            late = self._late(project, counted) if is_changed else []
            if late:
                self._again(watch, late, now)
            self._advance(watch, end_hour, now)
            changed = {subject: one for subject, one in watch.watched.items() if before.get(subject) is not one}
            counted = self._count(project, watch.next_hour)
            self._state.confirm(now)
            kept = keep(self._store, watch, changed, counted, after=kept.version, began=now)
            self._changes[project] = count_changes(self._store, project, watch.next_hour)
        self._watches[project] = kept
        return WatchProgress(project, watch.next_hour, end_hour, len(watch.watched))

    def _advance(self, watch: DriftWatch, end_hour: int, now: datetime) -> None:
        """Look through hours before ``end_hour``, some days at most."""
        said = self._said(watch.project)
        self._rearm(watch, said)
        for _ in range(_DAYS_PER_STEP):
            # Before anything else is chosen to compare with: what is resolved is told as it was told before.
            if self._sum_up(watch, said):
                said = self._said(watch.project)
            if watch.next_hour >= end_hour:
                return
            if watch.next_hour % HOURS_PER_DAY == 0 or self._is_waiting(watch, said):
                self._review(watch, count_runs(self._store, watch.project, 0, watch.next_hour), said)
            day_end = min(end_hour, _next_midnight(watch.next_hour))
            if self._record(watch.advance(day_end), now):
                said = self._said(watch.project)
            is_any_closed = self._close(watch, said)
            if said.drifts or is_any_closed:
                said = self._said(watch.project)
            if is_any_closed:
                self._rearm(watch, said)
            self._refresh(watch, said, now)
            if day_end % HOURS_PER_DAY == 0 and end_hour - day_end < HOURS_PER_DAY:
                self._look_at_day(watch.project, day_end, said, now)
                self._close_pools(watch.project, day_end, said)

    def _again(self, watch: DriftWatch, subjects: Collection[Subject], now: datetime) -> None:
        """Look through agents again, from their first run to where ``watch`` is."""
        said = self._said(watch.project)
        counts = count_runs(self._store, watch.project, 0, watch.next_hour)
        for subject in sorted(set(subjects) & set(counts)):
            first_hour = max(counts[subject].first_hour, watch.next_hour - _LONGEST_PAST_DAYS * HOURS_PER_DAY)
            own = DriftWatch.new(watch.project, first_hour, self._reading(watch.project), self._config)
            while own.next_hour < watch.next_hour:
                if own.next_hour % HOURS_PER_DAY == 0:
                    so_far = count_runs(self._store, watch.project, 0, own.next_hour)
                    self._review(own, {one: count for one, count in so_far.items() if one == subject}, said)
                self._record(own.advance(min(watch.next_hour, _next_midnight(own.next_hour))), now)
            watch.join(own)
        self._look_at_day(watch.project, watch.next_hour // HOURS_PER_DAY * HOURS_PER_DAY, said, now)

    def _review(self, watch: DriftWatch, counts: Mapping[Subject, RunCount], said: Said) -> None:
        chooser = self._choosers.setdefault(watch.project, Chooser(self._learning(watch.project), self._config))
        watch.compare_with(chooser.review(watch.next_hour, counts, watch.watched, said.circumstances))
        self._waiting[watch.project] = _pending(watch, said)
        for subject, feature in self._waiting[watch.project]:
            watch.hush(subject, feature)

    def _is_waiting(self, watch: DriftWatch, said: Said) -> bool:
        """Say whether somebody pinned or accepted something since baselines were chosen."""
        is_pinned = any(
            pin.pinned_at >= one.choice.hours.end and pin.name != one.choice.name
            for subject, one in watch.watched.items()
            for pin in said.pins.get(subject, ())
        )
        # What has too few runs is looked at again at midnight.
        return is_pinned or bool(_pending(watch, said) - self._waiting.get(watch.project, set()))

    def _record(self, observations: Sequence[Observation], now: datetime) -> bool:
        if observations:
            self._findings.record([self._completed(one) for one in observations], now)
        return bool(observations)

    def _close(self, watch: DriftWatch, said: Said) -> bool:
        """Let the book know which drifts are back where they were, as ``watch`` stands; say if any is closed."""
        sides = list(watch.inside(said.drifts))
        if not sides and watch.next_hour % HOURS_PER_DAY:
            # Findings of single runs are over after two days: once a day is enough for them.
            return False
        inside = {finding.stable_key for finding, is_inside in sides if is_inside}
        outside = {finding.stable_key for finding, is_inside in sides if not is_inside}
        until = time_of(watch.next_hour)
        over = [finding for finding, is_inside in sides if is_inside and is_back(finding, until)]
        last = [with_examples(self._store, one) for _, one in watch.further(over, _last_hour_outside)]
        return bool(self._findings.close_quiet(inside, until, outside=outside, last=last))

    def _sum_up(self, watch: DriftWatch, said: Said) -> bool:
        """Put into what somebody resolved how it stood then, once those hours are counted; say if there was any."""
        due = [one for one in said.ended if _is_to_be_summed_up(one, watch.next_hour)]
        last = [(finding, with_examples(self._store, seen)) for finding, seen in watch.further(due, _end_hour)]
        return bool(self._findings.sum_up(last))

    def _refresh(self, watch: DriftWatch, said: Said, now: datetime) -> None:
        """Tell once a day how drifts that go on stand; at midnight, so that it hangs on no process' hours."""
        if watch.next_hour % HOURS_PER_DAY:
            return
        due = [
            one
            for one in said.drifts
            if one.inside_since is None and watch.next_hour - hour_of(one.seen.seen_at) >= HOURS_PER_DAY
        ]
        seen = watch.further(due, lambda _: watch.next_hour)
        self._findings.refresh([self._completed(one) for _, one in seen], now)

    def _completed(self, seen: Observation) -> Observation:
        """Return an observation with what the store knows besides what was counted."""
        return self._budgets.weighed(with_examples(self._store, seen))

    def _rearm(self, watch: DriftWatch, said: Said) -> None:
        """Watch anew what alarmed and is over. What is the new normal waits for a baseline that knows it."""
        for subject, feature in watch.alarmed() - said.drifting - _pending(watch, said):
            watch.rearm(subject, feature)

    def _look_at_day(self, project: str, end_hour: int, said: Said, now: datetime) -> None:
        counts = count_runs(self._store, project, 0, end_hour)
        self._record(look_at_day(self._reading(project), end_hour, counts, said.pins), now)
        # What alarmed once does not alarm again: where the book did not get it, a new watch finds it once more.
        pools = self._pools.pop(project, None) or PoolWatch(self._learning(project), self._config)
        self._record(pools.look(end_hour, counts, said.pool_keys, said.accepted_pools), now)
        self._pools[project] = pools

    def _close_pools(self, project: str, end_hour: int, said: Said) -> None:
        """Let the book know which agents that moved together are back where they were."""
        sides = list(self._pools[project].inside(said.pooled, end_hour))
        inside, outside = ({one.stable_key for one, is_inside in sides if is_inside is side} for side in (True, False))
        self._findings.close_quiet(inside, time_of(end_hour), outside=outside)

    def _late(self, project: str, counted: Counted) -> list[Subject]:
        """Return the agents of which many runs came in for hours that were looked at."""
        if counted.end_hour <= counted.first_hour:
            return []
        found = count_runs(self._store, project, counted.first_hour, counted.end_hour)
        return [
            subject
            for subject, count in found.items()
            if (late := abs(count.runs - counted.runs.get(subject, 0))) > _LATE_RUNS and late > _LATE_SHARE * count.runs
        ]

    def _count(self, project: str, next_hour: int) -> Counted:
        first_hour = next_hour - _COUNTED_DAYS * HOURS_PER_DAY
        counts = count_runs(self._store, project, first_hour, next_hour)
        return Counted(first_hour, next_hour, {subject: count.runs for subject, count in counts.items()})

    def _said(self, project: str) -> Said:
        return read_said(self._findings, self._baselines, project)

    def _reading(self, project: str) -> Reading:
        return partial(read_cells, self._store, project)

    def _learning(self, project: str) -> Reading:
        return partial(read_cells, self._store, project, features=WATCHED_FEATURES, sums=False)


def _next_midnight(hour: int) -> int:
    return (hour // HOURS_PER_DAY + 1) * HOURS_PER_DAY


def _last_hour_outside(finding: Finding) -> int:
    """Return until when a drift that is back surely lasted: it ended in the two days by which it was seen to be so."""
    assert finding.inside_since is not None
    return hour_of(finding.inside_since) - CLOSING_HOURS


def _end_hour(finding: Finding) -> int:
    """Return until when a drift that is resolved is told: to the hour in which it was, or while it surely lasted."""
    assert finding.resolved_at is not None
    resolved = hour_of(finding.resolved_at)
    return resolved if finding.inside_since is None else min(resolved, _last_hour_outside(finding))


def _is_to_be_summed_up(finding: Finding, next_hour: int) -> bool:
    """Say whether a drift was resolved in the day before ``next_hour``, and its numbers are older than that."""
    assert finding.resolved_at is not None
    hours_since = next_hour - hour_of(finding.resolved_at)
    return 0 <= hours_since < HOURS_PER_DAY and _end_hour(finding) > hour_of(finding.seen.window_end)


def _pending(watch: DriftWatch, said: Said) -> set[tuple[Subject, str]]:
    """Return the features that are the new normal and that nothing is known of yet to compare them with."""
    pins = said.circumstances.pins_by_name
    return {
        (subject, feature)
        for subject, accepted in said.accepted.items()
        if (watched := watch.watched.get(subject)) is not None
        for feature in pending(watch.next_hour, watched, accepted, pins(subject))
    }
