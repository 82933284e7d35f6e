"""Runs the settling of a store in a thread of its own."""

from datetime import UTC, datetime, timedelta
from typing import Final

from opentelemetry.trace import NoOpTracer, Tracer

from agentvigil.analysis.job_service import JobService, Pace, holder_of
from agentvigil.analysis.settling.config import SettlingConfig
from agentvigil.analysis.settling.job import Progress, SettlingJob
from agentvigil.storage.store import Store

_NO_TRACER: Final = NoOpTracer()
_REST_PER_WORK: Final = 9
_REST_PER_WORK_BEHIND: Final = 3
"""A step is followed by a pause of so many times what it took, so that settling leaves the machine to intake; what is
behind after it catches up with a quarter of the time, which is enough for thousands of spans a second."""


class SettlingService(JobService):
    """Takes one step of settling after the other. Batches are spans of ``tracer``; ``brisk`` hardly rests between."""

    def __init__(
        self, store: Store, config: SettlingConfig, tracer: Tracer = _NO_TRACER, *, brisk: bool = False
    ) -> None:
        self._store, self._config, self._holder = store, config, holder_of(store)
        self._tracer = tracer
        self._settling = SettlingJob(store, config, self._holder, tracer)
        pace = Pace(config.pause_s) if brisk else Pace(config.pause_s, _REST_PER_WORK, _REST_PER_WORK_BEHIND)
        super().__init__("settling", self._settling, pace, what="runs", done="settled")

    @property
    def progress(self) -> Progress:
        """What was done so far, and how far behind the rows are."""
        return self._settling.progress

    def settle_window(self, taken_in_from: datetime, taken_in_to: datetime) -> None:
        """Settle what came to the store by another road than intake; any thread may call it.

        That is every trace with a span that says it was taken in between these times, both included.

        Raises:
            StorageError: if the store does not answer.
        """
        job = SettlingJob(self._store, self._config, self._holder, self._tracer)
        job.settle_window(taken_in_from, taken_in_to + timedelta(seconds=1), datetime.now(UTC))
