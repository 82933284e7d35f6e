"""A kind of sums by the hour, as :class:`~agentvigil.analysis.rollups.job.RollupJob` makes them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_SECONDS_PER_HOUR: Final = 3600
_STATEMENTS: Final = load_queries("agentvigil.analysis.rollups", "hourly.sql")


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
    """How the rows of an hour are summed, and the tables that say which hours wait.

    ``changes_table`` has how often rows of an hour were written, and ``made_table`` of how many of these the sums know.
    ``sum_hours`` is bound to hours and may be run any number of times: what it writes of the same changes is the same.
    """

    name: str
    changes_table: str
    made_table: str
    sum_hours: str
    look_up: Callable[[Store, Hours], Mapping[str, Any]] | None = None
    """What ``sum_hours`` is bound to besides."""
    take_note: Callable[[Store, datetime], None] | None = None
    """Counts as changes what changed beside the rows; called before each look at what waits."""

    def waiting(self, store: Store, quiet_s: int) -> Sequence[Mapping[str, Any]]:
        """Return project, hour_s, keep_days, changes, is_quiet and age_s of each hour that is over and has changed, in
        the order in which they are to be summed. What did not change for ``quiet_s`` is quiet.

        Raises:
            StorageError: if the store does not answer.
        """
        tables = {"changes_table": self.changes_table, "made_table": self.made_table}
        return store.records(_STATEMENTS["waiting"], {**tables, "quiet_s": quiet_s})

    def sum(self, store: Store, hours: Hours) -> None:
        """Sum ``hours`` from the rows as they are.

        Raises:
            StorageError: if the store does not answer. Then they wait still.
        """
        looked_up = self.look_up(store, hours) if self.look_up is not None else {}
        store.command(self.sum_hours, {**hours.parameters(), **looked_up})
        store.command(_STATEMENTS["made"], {**hours.parameters(), "made_table": self.made_table})
