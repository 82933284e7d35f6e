"""Runs jobs, each in a thread of its own, one step after the other; and keeps the leases that say whose they are."""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agentvigil.storage.errors import StorageError
from agentvigil.storage.store import Store

_LOG: Final = logging.getLogger("agentvigil.analysis")
_RENEW_EVERY_S: Final = 7.0


class Lease(Protocol):
    """Says that one process does a job. ``renew`` keeps it where it ``is_held``, and may raise StorageError."""

    is_held: bool

    def renew(self, now: datetime) -> None: ...


class Job(Protocol):
    """What is done step by step, in one process at a time: the one that has the ``lease``.

    Both methods may raise StorageError. ``step`` does the next piece of work and says if there is more to do at once;
    ``stop`` lets another process take over.
    """

    @property
    def lease(self) -> Lease: ...

    def step(self, now: datetime) -> bool: ...

    def stop(self, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a job rests, in seconds and in times of what its last step took: intake has the machine first."""

    pause_s: float
    """The shortest pause where nothing more is to be done."""
    rest_per_work: float = 0.0
    rest_per_work_behind: float = 0.0
    """Where more is to be done at once."""
    begin_after_s: float = 0.0
    """What has time leaves the first moments of a server to those who wait for it."""
    longest_pause_s: float = 60.0
    """Trouble doubles the pause up to this."""


class JobService:
    """Takes one step of a job after the other, from :meth:`start` until :meth:`stop`.

    Trouble never ends it: it is logged once for each kind in a row, in the words of ``what``: "runs are not settled".
    """

    def __init__(self, name: str, job: Job, pace: Pace, *, what: str, done: str) -> None:
        """``what`` is said of things that go undone, as in "runs", and ``done`` of what should happen to them, as in
        "settled"."""
        self.name, self._job, self._pace, self._what, self._done = name, job, pace, what, done
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_active(self) -> bool:
        """Whether this process did the work when it last looked, and no other."""
        return self._job.lease.is_held

    def renew(self, now: datetime) -> None:
        """Keep the lease, if this process has it.

        Raises:
            StorageError: if the store does not answer.
        """
        self._job.lease.renew(now)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Return when the step under way is done; what is left is done after the next start."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        trouble, trouble_pause_s = "", max(self._pace.pause_s, 0.01)
        self._stopping.wait(self._pace.begin_after_s)
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                is_behind = self._job.step(datetime.now(UTC))
            except Exception as exc:  # noqa: BLE001 - whatever is wrong here, all else goes on and it is tried again
                if str(exc) != trouble:
                    trouble = str(exc)
                    is_unexpected = not isinstance(exc, StorageError)
                    _LOG.error(
                        "%s are not %s, trying again: %s", self._what, self._done, trouble, exc_info=is_unexpected
                    )
                trouble_pause_s = min(trouble_pause_s * 2, self._pace.longest_pause_s)
                pause_s = trouble_pause_s
            else:
                if trouble:
                    _LOG.info("%s are %s again", self._what, self._done)
                trouble, trouble_pause_s = "", max(self._pace.pause_s, 0.01)
                pause_s = self._rest_s(time.monotonic() - began, is_behind=is_behind)
            self._stopping.wait(pause_s)
        try:
            self._job.stop(datetime.now(UTC))
        except StorageError as exc:
            _LOG.debug("the lease of %s ends by itself: %s", self.name, exc)

    def _rest_s(self, work_s: float, *, is_behind: bool) -> float:
        if is_behind:
            return self._pace.rest_per_work_behind * work_s
        return max(self._pace.pause_s, self._pace.rest_per_work * work_s)


class LeaseKeeper:
    """Renews the leases of ``jobs`` in a thread of its own, however long their steps and rests are: else jobs would
    wander from process to process, and two could do one at a time."""

    def __init__(self, jobs: Sequence[JobService]) -> None:
        self._jobs = tuple(jobs)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="agentvigil-leases", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Renew no more; to be called before the jobs give up their leases."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_RENEW_EVERY_S):
            for job in self._jobs:
                try:
                    job.renew(datetime.now(UTC))
                except Exception as exc:  # noqa: BLE001 - whatever is wrong here, all else goes on and it is tried again
                    _LOG.debug("the lease of %s is not renewed, trying again: %s", job.name, exc)


class JobCollector(Collector):
    """Tells which of ``jobs`` this process does, as it is when it is asked for."""

    def __init__(self, registry: CollectorRegistry, jobs: Sequence[JobService]) -> None:
        self._jobs = tuple(jobs)
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        active = GaugeMetricFamily(
            "agentvigil_job_active", "1 if this process does the job, 0 if it waits for another.", labels=["job"]
        )
        for job in self._jobs:
            active.add_metric([job.name], int(job.is_active))
        yield active


def holder_of(store: Store) -> str:
    """Return who has the lease: an embedded store has one process, so a new one is the same holder."""
    return "embedded" if store.is_embedded else f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex}"
