"""Runs alerts in a thread of their own."""

import logging
import threading
from datetime import UTC, datetime
from typing import Final

from agentvigil.analysis.alerts.configuration import Configuration
from agentvigil.analysis.alerts.job import AlertJob, AlertProgress
from agentvigil.analysis.alerts.sending import Sender
from agentvigil.analysis.settling.service import holder_of
from agentvigil.storage.errors import StorageError
from agentvigil.storage.store import Store

_LOG: Final = logging.getLogger("agentvigil.analysis")
_PAUSE_S: Final = 10.0


class AlertService:
    """Takes one step after the other, from :meth:`start` until :meth:`stop`.

    Trouble never ends it: it is logged once for each kind in a row, and what should be told is told later.
    """

    def __init__(
        self,
        store: Store,
        configuration: Configuration,
        sender: Sender | None = None,
        pause_s: float = _PAUSE_S,
    ) -> None:
        self._job = AlertJob(store, configuration, holder_of(store), sender)
        self._pause_s = pause_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)

    @property
    def progress(self) -> AlertProgress:
        """What was done so far, and what waits."""
        return self._job.progress

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return when the step under way is done; what was not sent is sent after the next start."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        trouble = ""
        while not self._stopping.is_set():
            is_more = False
            try:
                is_more = self._job.step(datetime.now(UTC))
            except Exception as exc:  # noqa: BLE001 - whatever is wrong here, all else goes on and it is tried again
                if str(exc) != trouble:
                    trouble = str(exc)
                    unexpected = not isinstance(exc, StorageError)
                    _LOG.error("alerts are not looked at, trying again: %s", trouble, exc_info=unexpected)
            else:
                if trouble:
                    _LOG.info("alerts are looked at again")
                trouble = ""
            self._stopping.wait(0.0 if is_more else self._pause_s)
        try:
            self._job.stop(datetime.now(UTC))
        except StorageError as exc:
            _LOG.debug("the lease of alerts ends by itself: %s", exc)
