"""Agents that share a model, a version or a tool, watched together: what is too small for any of them alone.

Fortnight by fortnight: the four weeks before one are what its hours are compared with, so all of it can be worked out
again from what is counted, and nothing of it is kept. Once a day the hours since are added. Runs that come late for
days that were added already count from the next fortnight on.

What is found is over when the agents' runs are back where they were before it, whatever fortnight it is by then: the
weeks that they were compared with stand in the finding.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from agentvigil.analysis.detection import DetectionConfig, spread_of_fleet
from agentvigil.analysis.detection.clusters_and_wander import FleetSpread
from agentvigil.analysis.detection.observations import moved_of
from agentvigil.analysis.detection.pool_margin import departure, is_inside
from agentvigil.analysis.detection.pool_observations import as_pooled, pool_observation_of
from agentvigil.analysis.detection.pooling import (
    MIN_MEMBER_RUNS,
    MIN_MEMBERS,
    Dimension,
    Pool,
    PoolAlarm,
    PooledMonitor,
    fit_pools,
)
from agentvigil.analysis.failure_modes.model_update import silent_update
from agentvigil.analysis.features.cells import Cells, Subject, hour_of
from agentvigil.analysis.features.reading import RunCount
from agentvigil.analysis.findings.finding import Finding
from agentvigil.analysis.findings.model import Observation, SubjectType
from agentvigil.analysis.watching.batches import AT_ONCE, in_batches
from agentvigil.analysis.watching.drift import CLOSING_HOURS, HOURS_PER_DAY, Reading

_FORTNIGHT: Final = 14 * HOURS_PER_DAY
_BASELINE_HOURS: Final = 2 * _FORTNIGHT
_MOST_AGENTS: Final = 200
"""Watched together, those with most runs: one with 12 tools and 12 input classes takes a megabyte, nearly all for the
pools of its tools, 0.2 s of CPU when a fortnight begins, and 0.1 s a day."""
_DIMENSIONS: Final = {
    SubjectType.MODEL: Dimension.MODEL,
    SubjectType.VERSION: Dimension.VERSION,
    SubjectType.TOOL: Dimension.TOOL,
}


class PoolKey(NamedTuple):
    """A feature of a pool."""

    environment: str
    dimension: Dimension
    value: str
    feature: str


def pool_key_of(seen: Observation) -> PoolKey | None:
    """Return which feature of which pool was seen to have moved; None where it was something else."""
    if seen.agent or "looked_at" not in seen.details or seen.subject_type not in _DIMENSIONS:
        return None
    return PoolKey(seen.environment, _DIMENSIONS[seen.subject_type], seen.subject, seen.feature)


class PoolWatch:
    """The pools of one project. After a look that raised, or whose observations were lost, a new watch is needed."""

    def __init__(self, read: Reading, config: DetectionConfig) -> None:
        self._read, self._config = read, config
        self._first_hour: int | None = None
        self._next_hour = 0
        self._subjects: list[Subject] = []
        self._old_enough = 0
        self._monitors: dict[Dimension, PooledMonitor] = {}
        self._alarmed: set[PoolKey] = set()
        """What was told, or would have been, and is not looked for again."""
        self._found: dict[str, Pool] = {}
        """By the id of the finding."""

    def look(
        self,
        end_hour: int,
        counts: Mapping[Subject, RunCount],
        open_keys: Collection[PoolKey] = (),
        accepted: Mapping[PoolKey, int] | None = None,
    ) -> list[Observation]:
        """Return what left its baseline until ``end_hour`` (a midnight) that was not returned before.

        ``counts`` are all runs of the agents of the project. What is open, or is accepted from an hour on that the
        baseline does not begin with, is not looked for; what was and is so no more is looked for anew.

        Raises:
            StorageError: if the store does not answer.
        """
        first_hour = (end_hour - 1) // _FORTNIGHT * _FORTNIGHT
        if first_hour != self._first_hour or end_hour < self._next_hour:
            self._begin(first_hour, counts)
        learned_from = first_hour - _BASELINE_HOURS
        silent = {*open_keys, *(key for key, since in (accepted or {}).items() if since > learned_from)}
        for key in self._alarmed - silent:
            self._monitors[key.dimension].rearm(key.environment, key.value, key.feature)
        self._alarmed &= silent
        observations: list[Observation] = []
        for hour in range(self._next_hour, end_hour, HOURS_PER_DAY):
            next_hour = min(hour + HOURS_PER_DAY, end_hour)
            if self._monitors:
                cells = self._read(hour, next_hour, self._subjects)
                observations += self._advance(hour, next_hour, cells, silent)
            self._next_hour = next_hour
        return observations

    def inside(self, findings: Iterable[Finding], end_hour: int) -> Iterator[tuple[Finding, bool]]:
        """Say of each finding of a pool whether the agents are back, in the 48 hours before ``end_hour``.

        What can not be told, since the runs of before are not there any more, is left out.

        Raises:
            StorageError: if the store does not answer.
        """
        kept, self._found = self._found, {}
        for finding in findings:
            pool = kept.get(finding.id) or self._pool_of(finding)
            if pool is None:
                continue
            self._found[finding.id] = pool
            moved = moved_of(finding.seen.details)
            hours = end_hour - CLOSING_HOURS, end_hour
            cells = self._cells([member.subject for member in pool.members], *hours)
            found = departure(pool, moved.stream, cells, *hours, self._config)
            yield finding, found is not None and is_inside(moved, found, self._config)

    def _pool_of(self, finding: Finding) -> Pool | None:
        """Return the pool that a finding is of, with the baselines that it left."""
        seen, key = finding.seen, pool_key_of(finding.seen)
        if key is None or seen.baseline_start is None or seen.baseline_end is None:
            return None
        hours = hour_of(seen.baseline_start), hour_of(seen.baseline_end)
        monitor = self._monitors.get(key.dimension)
        if monitor is not None and self._first_hour == hours[1]:
            return monitor.pool(key.environment, key.value)
        subjects = [Subject(seen.project, seen.environment, str(agent)) for agent in seen.details["agents"]]
        cells, spread = self._cells(subjects, *hours), self._spread(subjects, *hours)
        pools = fit_pools(cells, key.dimension, *hours, fleet=spread, config=self._config)
        return next((pool for pool in pools if pool.value == key.value), None)

    def _advance(
        self, first_hour: int, end_hour: int, cells: Mapping[Subject, Cells], silent: Collection[PoolKey]
    ) -> Iterator[Observation]:
        for monitor in self._monitors.values():
            for hour in range(first_hour, end_hour):
                for alarm in monitor.advance(hour, cells):
                    seen = self._observation(alarm, monitor)
                    key = None if seen is None else pool_key_of(seen)
                    if seen is not None and key is not None:
                        self._alarmed.add(key)
                        if key not in silent:
                            yield seen

    def _observation(self, alarm: PoolAlarm, monitor: PooledMonitor) -> Observation | None:
        """Return what an alarm says; None where agents with other models or versions moved as well."""
        pool = monitor.pool(alarm.environment, alarm.value)
        seen = _said_of(alarm)
        if seen is None or pool is None or self._first_hour is None:
            return None
        hours = max(alarm.since.hour, alarm.hour + 1 - CLOSING_HOURS), alarm.hour + 1
        cells = self._cells([member.subject for member in pool.members], *hours)
        found = departure(pool, alarm.stream, cells, *hours, self._config)
        learned = self._first_hour - _BASELINE_HOURS, self._first_hour
        return as_pooled(
            seen, alarm, 0.0 if found is None else found.shift, learned, len(self._subjects), self._old_enough
        )

    def _begin(self, first_hour: int, counts: Mapping[Subject, RunCount]) -> None:
        self._first_hour, self._next_hour, self._monitors = None, first_hour, {}
        self._alarmed = set()
        least_old = first_hour - self._config.min_days * HOURS_PER_DAY
        old = [
            subject
            for subject, count in counts.items()
            if count.first_hour <= least_old and count.runs >= MIN_MEMBER_RUNS
        ]
        self._old_enough = len(old)
        self._subjects = sorted(sorted(old, key=lambda one: -counts[one].runs)[:_MOST_AGENTS])
        if len(self._subjects) >= MIN_MEMBERS:
            hours = first_hour - _BASELINE_HOURS, first_hour
            spread = self._spread(self._subjects, *hours)
            for dimension in Dimension:
                cells = self._cells(self._subjects, *hours)
                pools = fit_pools(cells, dimension, *hours, fleet=spread, config=self._config)
                self._monitors[dimension] = PooledMonitor(pools, self._config)
        self._first_hour = first_hour

    def _spread(self, subjects: list[Subject], first_hour: int, end_hour: int) -> FleetSpread:
        sample = dict(self._cells(subjects[:: -(-len(subjects) // AT_ONCE)], first_hour, end_hour))
        return spread_of_fleet(sample, first_hour, end_hour, config=self._config)

    def _cells(self, subjects: Collection[Subject], first_hour: int, end_hour: int) -> Iterator[tuple[Subject, Cells]]:
        for _, cells in in_batches(self._read, first_hour, end_hour, list(subjects)):
            yield from cells.items()


def _said_of(alarm: PoolAlarm) -> Observation | None:
    if alarm.dimension is Dimension.MODEL:
        return silent_update(alarm)
    return None if alarm.others_moved else pool_observation_of(alarm)
