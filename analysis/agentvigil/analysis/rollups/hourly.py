"""A kind of sums by the hour, as :class:`~agentvigil.analysis.rollups.job.RollupJob` makes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agentvigil.storage.store import Store


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of one project and retention class whose rows changed since they were summed."""

    project: str
    hour_s: int
    """When it begins, in seconds since 1970."""
    keep_days: int
    changes: int
    """How often its rows were written, as far as the sums will know."""

    def parameters(self) -> dict[str, Any]:
        """Return what the statements about an hour are bound to."""
        return {
            "project": self.project,
            "hour_s": self.hour_s,
            "keep_days": self.keep_days,
            "changes": self.changes,
        }


@dataclass(frozen=True, slots=True)
class HourlySums:
    """Statements that find hours that changed, sum one, and say that it is summed.

    ``waiting`` returns project, hour_s, keep_days, changes, is_quiet and age_s of each hour that is over and has
    changed, in the order in which they are to be summed, and is bound to quiet_s. ``sum_hour`` and ``made`` are bound
    to an hour. Both may be run any number of times: what they write of the same changes is the same.
    """

    name: str
    waiting: str
    sum_hour: str
    made: str
    look_up: Callable[[Store, Hour], Mapping[str, Any]] | None = None
    """What ``sum_hour`` is bound to besides."""
    take_note: Callable[[Store, datetime], None] | None = None
    """Counts as changes what changed beside the rows; called before each look at what waits."""
