"""Sums hours, one at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agentvigil.analysis.rollups.call_hours import CALL_HOURS
from agentvigil.analysis.rollups.hourly import Hour, HourlySums
from agentvigil.analysis.settling.state import SettlingState
from agentvigil.storage.store import Store

LEASE: Final = "rollups"
_QUIET_S: Final = 60


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
    hour: Hour
    is_quiet: bool
    age_s: float

    @property
    def key(self) -> tuple[str, Hour]:
        return self.kind.name, self.hour


class RollupJob:
    """Sums what changed in ``store``, one hour of one of ``kinds`` each :meth:`step`, the newest first.

    It may be stopped anywhere and done twice at once: see this package's first lines.
    """

    def __init__(
        self, store: Store, holder: str, quiet_s: int = _QUIET_S, kinds: Sequence[HourlySums] = (CALL_HOURS,)
    ) -> None:
        self._store, self._quiet_s, self._kinds = store, quiet_s, kinds
        self._state = SettlingState(store, holder, LEASE)
        self._failed: set[tuple[str, Hour]] = set()
        self.progress = RollupProgress()

    def step(self, now: datetime) -> bool:
        """Sum the newest hour that waits and is quiet; say if there are more.

        Does nothing while another process has the lease.

        Raises:
            StorageError: if the store does not answer. The next step begins anew, with another hour if there is one.
        """
        if not self._state.take_lease(now):
            return False
        waiting = [item for kind in self._kinds for item in self._waiting(kind, now)]
        self._failed &= {item.key for item in waiting}
        due = [item for item in waiting if item.is_quiet]
        if due:
            # What failed is tried again when nothing else is left: one hour that can not be summed holds up no other.
            next_one = max(due, key=lambda item: (item.key not in self._failed, item.hour.hour_s))
            self._sum(next_one)
            waiting.remove(next_one)
        self.progress = RollupProgress(
            self.progress.hours + len(due[:1]), len(waiting), max((item.age_s for item in waiting), default=0.0)
        )
        return len(due) > 1

    def stop(self, now: datetime) -> None:
        """Let another process take over.

        Raises:
            StorageError: if the store does not answer.
        """
        self._state.end_lease(now)

    def _waiting(self, kind: HourlySums, now: datetime) -> Iterator[_Waiting]:
        if kind.take_note is not None:
            kind.take_note(self._store, now)
        for record in self._store.records(kind.waiting, {"quiet_s": self._quiet_s}):
            hour = Hour(record["project"], record["hour_s"], record["keep_days"], record["changes"])
            yield _Waiting(kind, hour, bool(record["is_quiet"]), float(record["age_s"]))

    def _sum(self, waiting: _Waiting) -> None:
        kind, hour = waiting.kind, waiting.hour
        self._failed.add(waiting.key)
        looked_up = kind.look_up(self._store, hour) if kind.look_up is not None else {}
        self._store.command(kind.sum_hour, {**hour.parameters(), **looked_up})
        self._store.command(kind.made, hour.parameters())
        self._failed.remove(waiting.key)
