"""Agents that share a model, a version or a tool, watched together: what is too small for any of them alone.

Fortnight by fortnight: the four weeks before one are what its hours are compared with, so all of it can be worked out
again from what is counted, and nothing of it is kept. Once a day the hours since are added. Runs that come late for
days that were added already count from the next fortnight on.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from agentvigil.analysis.detection import DetectionConfig, spread_of_fleet
from agentvigil.analysis.detection.pool_observations import pool_observation_of
from agentvigil.analysis.detection.pooling import (
    MIN_MEMBER_RUNS,
    MIN_MEMBERS,
    Dimension,
    PoolAlarm,
    PooledMonitor,
    fit_pools,
)
from agentvigil.analysis.failure_modes.model_update import silent_update
from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.features.reading import RunCount
from agentvigil.analysis.findings.model import Observation
from agentvigil.analysis.watching.batches import AT_ONCE, in_batches
from agentvigil.analysis.watching.drift import HOURS_PER_DAY, Reading

_FORTNIGHT: Final = 14 * HOURS_PER_DAY
_BASELINE_HOURS: Final = 2 * _FORTNIGHT
_MOST_AGENTS: Final = 200
"""Watched together, those with most runs: each costs a tenth of a second of CPU and dimension in a fortnight."""


class PoolWatch:
    """The pools of one project. After a look that raised, or whose observations were lost, a new watch is needed."""

    def __init__(self, read: Reading, config: DetectionConfig) -> None:
        self._read, self._config = read, config
        self._first_hour: int | None = None
        self._next_hour = 0
        self._subjects: list[Subject] = []
        self._monitors: list[PooledMonitor] = []

    def look(self, end_hour: int, counts: Mapping[Subject, RunCount]) -> list[Observation]:
        """Return what left its baseline until ``end_hour`` (a midnight) that was not returned before.

        ``counts`` are all runs of the agents of the project.

        Raises:
            StorageError: if the store does not answer.
        """
        first_hour = (end_hour - 1) // _FORTNIGHT * _FORTNIGHT
        if first_hour != self._first_hour or end_hour < self._next_hour:
            self._begin(first_hour, counts)
        observations: list[Observation] = []
        for hour in range(self._next_hour, end_hour, HOURS_PER_DAY):
            next_hour = min(hour + HOURS_PER_DAY, end_hour)
            if self._monitors:
                cells = self._read(hour, next_hour, self._subjects)
                observations += self._advance(hour, next_hour, cells)
            self._next_hour = next_hour
        return observations

    def _advance(self, first_hour: int, end_hour: int, cells: Mapping[Subject, Cells]) -> Iterator[Observation]:
        for monitor in self._monitors:
            for hour in range(first_hour, end_hour):
                for alarm in monitor.advance(hour, cells):
                    if (seen := _observation(alarm)) is not None:
                        yield seen

    def _begin(self, first_hour: int, counts: Mapping[Subject, RunCount]) -> None:
        self._first_hour, self._next_hour, self._monitors = None, first_hour, []
        least_old = first_hour - self._config.min_days * HOURS_PER_DAY
        old = [
            subject
            for subject, count in counts.items()
            if count.first_hour <= least_old and count.runs >= MIN_MEMBER_RUNS
        ]
        self._subjects = sorted(sorted(old, key=lambda one: -counts[one].runs)[:_MOST_AGENTS])
        if len(self._subjects) >= MIN_MEMBERS:
            hours = first_hour - _BASELINE_HOURS, first_hour
            sample = dict(self._cells(self._subjects[:: -(-len(self._subjects) // AT_ONCE)], *hours))
            spread = spread_of_fleet(sample, *hours, config=self._config)
            for dimension in Dimension:
                cells = self._cells(self._subjects, *hours)
                pools = fit_pools(cells, dimension, *hours, fleet=spread, config=self._config)
                self._monitors.append(PooledMonitor(pools, self._config))
        self._first_hour = first_hour

    def _cells(self, subjects: Sequence[Subject], first_hour: int, end_hour: int) -> Iterator[tuple[Subject, Cells]]:
        for _, cells in in_batches(self._read, first_hour, end_hour, subjects):
            yield from cells.items()


def _observation(alarm: PoolAlarm) -> Observation | None:
    """Return what an alarm says; None where agents with other models or versions moved as well."""
    if alarm.dimension is Dimension.MODEL:
        return silent_update(alarm)
    return None if alarm.others_moved else pool_observation_of(alarm)
