"""Sums hours, those of one day at a time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agentvigil.analysis.job_service import Lease
from agentvigil.analysis.rollups.call_hours import CALL_HOURS
from agentvigil.analysis.rollups.hourly import HourlySums, Hours
from agentvigil.analysis.settling.state import SettlingState
from agentvigil.storage.store import Store

LEASE: Final = "rollups"
_QUIET_S: Final = 60
_MOST_ROWS: Final = 20_000
"""Written rows of hours that are summed together: enough that history that came at once is soon summed, and few enough
that one statement takes a second or two."""
_SECONDS_PER_DAY: Final = 86_400
_Key = tuple[str, str, int, int, int]


@dataclass(frozen=True, slots=True)
class RollupProgress:
    """What the job has done since it began, and what is left: hours of one project and retention class each."""

    hours: int = 0
    waiting_hours: int = 0
    lag_s: float = 0.0
    """How long the oldest hour that waits has been over."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An hour of a kind that changed since it was summed; ``age_s`` is how long it has been over."""

    kind: HourlySums
    project: str
    keep_days: int
    hour_s: int
    changes: int
    is_quiet: bool
    age_s: float

    @property
    def key(self) -> _Key:
        return self.kind.name, self.project, self.keep_days, self.hour_s, self.changes

    @property
    def day(self) -> tuple[str, str, int, int]:
        return self.kind.name, self.project, self.keep_days, self.hour_s // _SECONDS_PER_DAY


class RollupJob:
    """Sums what changed in ``store``, hours of one day and one of ``kinds`` each :meth:`step`, the newest first.

    It may be stopped anywhere and done twice at once: see this package's first lines.
    """

    def __init__(
        self, store: Store, holder: str, quiet_s: int = _QUIET_S, kinds: Sequence[HourlySums] = (CALL_HOURS,)
    ) -> None:
        self._store, self._quiet_s, self._kinds = store, quiet_s, kinds
        self._state = SettlingState(store, holder, LEASE)
        self._failures = Counter[_Key]()
        self.progress = RollupProgress()

    @property
    def lease(self) -> Lease:
        """What says that this process does it, and no other."""
        return self._state

    def step(self, now: datetime) -> bool:
        """Sum the newest hour that waits and is quiet, and with it others of its day; say if there are more.

        Does nothing while another process has the lease.

        Raises:
            StorageError: if the store does not answer. The next step begins anew, with other hours if there are some.
        """
        if not self._state.take_lease(now):
            return False
        waiting = [item for kind in self._kinds for item in self._waiting(kind, now)]
        there = {item.key for item in waiting}
        self._failures = Counter({key: count for key, count in self._failures.items() if key in there})
        due = [item for item in waiting if item.is_quiet]
        chosen = self._chosen(due)
        if chosen:
            self._sum(chosen)
            waiting = [item for item in waiting if item not in chosen]
        self.progress = RollupProgress(
            self.progress.hours + len(chosen), len(waiting), max((item.age_s for item in waiting), default=0.0)
        )
        return len(due) > len(chosen)

    def stop(self, now: datetime) -> None:
        """Let another process take over.

        Raises:
            StorageError: if the store does not answer.
        """
        self._state.end_lease(now)

    def _waiting(self, kind: HourlySums, now: datetime) -> Iterator[_Waiting]:
        if kind.take_note is not None:
            kind.take_note(self._store, now)
        for record in kind.waiting(self._store, self._quiet_s):
            where = str(record["project"]), int(record["keep_days"]), int(record["hour_s"]), int(record["changes"])
            yield _Waiting(kind, *where, bool(record["is_quiet"]), float(record["age_s"]))

    def _chosen(self, due: Sequence[_Waiting]) -> list[_Waiting]:
        """Return hours of one day. What failed is tried again when nothing else is left, and alone: one hour that can
        not be summed holds up no other."""
        ordered = sorted(due, key=lambda item: (self._failures[item.key], -item.hour_s))
        chosen, rows = ordered[:1], sum(item.changes for item in ordered[:1])
        if not chosen or self._failures[chosen[0].key]:
            return chosen
        for item in ordered[1:]:
            if item.day == chosen[0].day and not self._failures[item.key]:
                rows += item.changes
                if rows > _MOST_ROWS:
                    break
                chosen.append(item)
        return chosen

    def _sum(self, chosen: Sequence[_Waiting]) -> None:
        first, keys = chosen[0], [item.key for item in chosen]
        self._failures.update(keys)
        changes = {item.hour_s: item.changes for item in chosen}
        first.kind.sum(self._store, Hours(first.project, first.keep_days, changes))
        for key in keys:
            del self._failures[key]
