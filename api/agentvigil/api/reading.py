"""Questions to the store, few at a time and each within a limit: intake has the machine first."""

import threading
from collections.abc import Mapping
from typing import Any, Final

from agentvigil.api.problems import Unavailable
from agentvigil.storage.store import Store

_SETTINGS: Final = {
    "max_execution_time": 20,
    "max_memory_usage": 4 * 2**30,
    # Settling leaves no row in one partition that another one's stands for, and days merge into one part each.
    "do_not_merge_across_partitions_select_final": 1,
}


class Reader:
    """Reads from ``store`` for the API; any thread may call it, and waits where ``most_at_once`` others do."""

    def __init__(self, store: Store, most_at_once: int = 4, most_wait_s: float = 10.0) -> None:
        self._store, self._most_wait_s = store, most_wait_s
        self._slots = threading.BoundedSemaphore(most_at_once)

    def records(self, sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows of ``sql`` by the names of their columns.

        Raises:
            StorageError: if the store does not answer, or not within the limits.
            Unavailable: if others took all its time.
        """
        if not self._slots.acquire(timeout=self._most_wait_s):
            raise Unavailable(
                f"every reader was busy for {self._most_wait_s:g} s", "try again", headers={"Retry-After": "2"}
            )
        try:
            return self._store.records(sql, parameters, _SETTINGS)
        finally:
            self._slots.release()
