"""Runs the settling of a store in a thread of its own."""

import logging
import os
import socket
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

from opentelemetry.trace import NoOpTracer, Tracer

from agentvigil.analysis.settling.config import SettlingConfig
from agentvigil.analysis.settling.job import Progress, SettlingJob
from agentvigil.storage.errors import StorageError
from agentvigil.storage.store import Store

_LOG: Final = logging.getLogger("agentvigil.analysis")
_NO_TRACER: Final = NoOpTracer()
_LONGEST_PAUSE_S: Final = 60.0
_REST_PER_WORK: Final = 9
_REST_PER_WORK_BEHIND: Final = 3
"""A step is followed by a pause of so many times what it took, so that settling leaves the machine to intake; what is
behind after it catches up with a quarter of the time, which is enough for thousands of spans a second."""


class SettlingService:
    """Takes one step of settling after the other, from :meth:`start` until :meth:`stop`.

    Trouble never ends it: it is logged once for each kind in a row, and the pause doubles up to a minute. Batches are
    spans of ``tracer``.
    """

    def __init__(self, store: Store, config: SettlingConfig, tracer: Tracer = _NO_TRACER) -> None:
        self._store, self._config, self._holder = store, config, holder_of(store)
        self._tracer = tracer
        self._job = SettlingJob(store, config, self._holder, tracer)
        self._pause_s = config.pause_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="settling", daemon=True)

    @property
    def progress(self) -> Progress:
        """What was done so far, and how far behind the rows are."""
        return self._job.progress

    def settle_window(self, taken_in_from: datetime, taken_in_to: datetime) -> None:
        """Settle what came to the store by another road than intake; any thread may call it.

        That is every trace with a span that says it was taken in between these times, both included.

        Raises:
            StorageError: if the store does not answer.
        """
        job = SettlingJob(self._store, self._config, self._holder, self._tracer)
        job.settle_window(taken_in_from, taken_in_to + timedelta(seconds=1), datetime.now(UTC))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return when the step under way is done; what was not settled yet is settled after the next start."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        trouble, pause_s = "", self._pause_s
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                is_behind = self._job.step(datetime.now(UTC))
            except Exception as exc:  # noqa: BLE001 - whatever is wrong here, intake goes on and settling tries again
                if str(exc) != trouble:
                    trouble = str(exc)
                    _LOG.error("runs are not settled, trying again: %s", trouble, exc_info=not _is_expected(exc))
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            else:
                if trouble:
                    _LOG.info("runs are settled again")
                work_s = time.monotonic() - began
                rest_s = (_REST_PER_WORK_BEHIND if is_behind else _REST_PER_WORK) * work_s
                trouble, pause_s = "", rest_s if is_behind else max(self._pause_s, rest_s)
            self._stopping.wait(pause_s)
        try:
            self._job.stop(datetime.now(UTC))
        except StorageError as exc:
            _LOG.debug("the lease of settling ends by itself: %s", exc)


def holder_of(store: Store) -> str:
    """Return who has the lease: an embedded store has one process, so a new one is the same holder."""
    return "embedded" if store.is_embedded else f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}"


def _is_expected(exc: Exception) -> bool:
    return isinstance(exc, StorageError)
