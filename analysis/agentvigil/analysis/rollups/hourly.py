"""A kind of sums by the hour, as :class:`~agentvigil.analysis.rollups.job.RollupJob` makes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from agentvigil.storage.store import Store

_SECONDS_PER_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of one day, project and retention class whose rows changed since they were summed."""

    project: str
    keep_days: int
    changes_by_hour_s: Mapping[int, int]
    """By when they begin, in seconds since 1970: how often their rows were written, as far as the sums will know."""

    def parameters(self) -> dict[str, Any]:
        """Return what the statements about hours are bound to."""
        hours = sorted(self.changes_by_hour_s)
        return {
            "project": self.project,
            "keep_days": self.keep_days,
            "first_s": hours[0],
            "end_s": hours[-1] + _SECONDS_PER_HOUR,
            "hours": hours,
            "changes": [self.changes_by_hour_s[hour] for hour in hours],
        }


@dataclass(frozen=True, slots=True)
class HourlySums:
    """Statements that find hours that changed, sum some of one day, and say that they are summed.

    ``waiting`` returns project, hour_s, keep_days, changes, is_quiet and age_s of each hour that is over and has
    changed, in the order in which they are to be summed, and is bound to quiet_s. ``sum_hours`` and ``made`` are bound
    to hours. Both may be run any number of times: what they write of the same changes is the same.
    """

    name: str
    waiting: str
    sum_hours: str
    made: str
    look_up: Callable[[Store, Hours], Mapping[str, Any]] | None = None
    """What ``sum_hours`` is bound to besides."""
    take_note: Callable[[Store, datetime], None] | None = None
    """Counts as changes what changed beside the rows; called before each look at what waits."""

    def sum(self, store: Store, hours: Hours) -> None:
        """Sum ``hours`` from the rows as they are.

        Raises:
            StorageError: if the store does not answer. Then they wait still.
        """
        looked_up = self.look_up(store, hours) if self.look_up is not None else {}
        store.command(self.sum_hours, {**hours.parameters(), **looked_up})
        store.command(self.made, hours.parameters())
