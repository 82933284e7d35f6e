"""Sums hours of steps, one at a time."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agentvigil.analysis.rollups.calls import CALLS, Quantiles, part
from agentvigil.analysis.settling.state import SettlingState
from agentvigil.storage.named_queries import load_queries
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


class RollupJob:
    """Sums what changed in ``store``, one hour each :meth:`step`, the newest first.

    It may be stopped anywhere and done twice at once: see this package's first lines.
    """

    def __init__(self, store: Store, holder: str, quiet_s: int = _QUIET_S) -> None:
        self._store, self._quiet_s = store, quiet_s
        self._state = SettlingState(store, holder, LEASE)
        self.progress = RollupProgress()

    def step(self, now: datetime) -> bool:
        """Sum the newest hour that waits and is quiet; say if there are more.

        Does nothing while another process has the lease.

        Raises:
            StorageError: if the store does not answer. The next step begins anew.
        """
        if not self._state.take_lease(now):
            return False
        waiting = self._store.records(STATEMENTS["waiting"], {"quiet_s": self._quiet_s})
        due = [record for record in waiting if record["is_quiet"]]
        if due:
            hour = {name: due[0][name] for name in ("project", "hour_s", "keep_days", "changes")}
            self._store.command(STATEMENTS["sum_hour"], hour)
            self._store.command(STATEMENTS["made"], hour)
        self.progress = RollupProgress(
            self.progress.hours + len(due[:1]),
            len(waiting) - len(due[:1]),
            float(max((record["age_s"] for record in waiting if record not in due[:1]), default=0)),
        )
        return len(due) > 1

    def stop(self, now: datetime) -> None:
        """Let another process take over.

        Raises:
            StorageError: if the store does not answer.
        """
        self._state.end_lease(now)


def _load() -> dict[str, str]:
    texts = {name: part(sql, Quantiles.SKETCHED) for name, sql in CALLS.items()}
    return {
        name: re.sub(r"\{\{(\w+)\}\}", lambda match: texts[match[1]], sql)
        for name, sql in load_queries("agentvigil.analysis.rollups", "hours.sql").items()
    }


STATEMENTS: Final = _load()
"""The statements of ``hours.sql`` with the texts of ``calls.sql`` filled in."""
