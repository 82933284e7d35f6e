"""Runs the summing of hours in a thread of its own."""

import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from agentvigil.analysis.rollups.call_hours import CALL_HOURS
from agentvigil.analysis.rollups.hourly import HourlySums
from agentvigil.analysis.rollups.job import RollupJob, RollupProgress
from agentvigil.analysis.settling.service import holder_of
from agentvigil.storage.errors import StorageError
from agentvigil.storage.store import Store

_LOG: Final = logging.getLogger("agentvigil.analysis")
_PAUSE_S: Final = 15.0
_REST_PER_WORK: Final = 4
"""An hour is followed by a pause of so many times what it took: a month of a store that has none yet takes minutes, and
intake and settling keep the machine."""


class RollupService:
    """Sums one hour of ``kinds`` after the other, from :meth:`start` until :meth:`stop`.

    Trouble never ends it: it is logged once for each kind in a row, and calls are read from the steps meanwhile.
    """

    def __init__(self, store: Store, kinds: Sequence[HourlySums] = (CALL_HOURS,)) -> None:
        self._job = RollupJob(store, holder_of(store), kinds=kinds)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rollups", daemon=True)

    @property
    def progress(self) -> RollupProgress:
        """What was done so far, and what waits."""
        return self._job.progress

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return when the hour under way is done."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        trouble = ""
        while not self._stopping.is_set():
            began = time.monotonic()
            is_behind = False
            try:
                is_behind = self._job.step(datetime.now(UTC))
            except Exception as exc:  # noqa: BLE001 - whatever is wrong here, answers come from the steps and it is tried again
                if str(exc) != trouble:
                    trouble = str(exc)
                    unexpected = not isinstance(exc, StorageError)
                    _LOG.error("hours are not summed, trying again: %s", trouble, exc_info=unexpected)
            else:
                if trouble:
                    _LOG.info("hours are summed again")
                trouble = ""
            rest_s = _REST_PER_WORK * (time.monotonic() - began)
            self._stopping.wait(rest_s if is_behind else max(_PAUSE_S, rest_s))
        try:
            self._job.stop(datetime.now(UTC))
        except StorageError as exc:
            _LOG.debug("the lease of rollups ends by itself: %s", exc)
