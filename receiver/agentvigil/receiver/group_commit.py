"""Group commit: one thread takes every request that waits, stores them with one insert, answers them all.

Under load the groups grow by themselves, since requests gather while an insert runs. When traffic is light, inserts
are spaced out instead: each makes a part on disk that has to be merged later, so a lone request goes at once, and
what follows within ``interval_s``, or while the writer rests from the last insert, waits and goes together.

Every request is bound to its hash: one whose hash was stored lately is answered, one whose hash is on its way shares
the answer. The queue is bounded by bytes; a sender that does not fit is told to come again.
"""

import asyncio
import concurrent.futures
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from opentelemetry.trace import NoOpTracer, Span, StatusCode, Tracer

from agentvigil.receiver.errors import Busy, Unavailable
from agentvigil.receiver.metrics import SignalMetrics
from agentvigil.receiver.window import RequestWindow
from agentvigil.storage.envelope import ExportRequest
from agentvigil.storage.request_writer import Outcome

_LOG: Final = logging.getLogger("agentvigil.receiver")
_NO_TRACER: Final = NoOpTracer()


class Writer(Protocol):
    """What stores a group; blocking, called from one thread."""

    def write(self, group: Sequence[ExportRequest]) -> list[Outcome]: ...


@dataclass(frozen=True, slots=True)
class CommitLimits:
    """``queued_bytes`` bounds what waits or is being stored, ``group_bytes`` one insert."""

    queued_bytes: int = 64 * 2**20
    group_bytes: int = 16 * 2**20
    interval_s: float = 0.08
    longest_rest_s: float = 0.3
    """An insert rests as long as the one before took, but no longer: small ones cost planning, mostly."""
    hurry_bytes: int = 2**20
    """With this much waiting, a group goes without regard to ``interval_s``."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    request: ExportRequest
    answer: "concurrent.futures.Future[Outcome]"
    is_own: bool


class GroupCommitter:
    """Queue and writer thread of one signal. ``submit`` belongs to the event loop, the rest to the thread.

    ``window`` comes filled with what an earlier process stored. Each group is a span of ``tracer``, but those that hold
    nothing but such spans.
    """

    def __init__(
        self,
        writer: Writer,
        window: RequestWindow,
        limits: CommitLimits,
        metrics: SignalMetrics,
        tracer: Tracer = _NO_TRACER,
    ) -> None:
        self._tracer = tracer
        self._writer, self._window, self._limits, self._metrics = writer, window, limits, metrics
        self._changed = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._on_the_way: dict[bytes, concurrent.futures.Future[Outcome]] = {}
        self._queued_bytes = 0
        self._waiting_bytes = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"agentvigil-{metrics.signal}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def queued_bytes(self) -> int:
        """Bytes of the requests that are not answered yet."""
        return self._queued_bytes

    def check_open(self) -> None:
        """Raise what :meth:`submit` would, before a request is read at all.

        Raises:
            Busy: if nothing more fits.
            Unavailable: if we are stopping.
        """
        if self._stopping:
            raise Unavailable("the receiver is stopping; send again, to its successor")
        if self._queued_bytes >= self._limits.queued_bytes:
            raise Busy(
                f"{self._queued_bytes} bytes wait to be stored, of at most {self._limits.queued_bytes}; "
                "send again a little later"
            )

    async def submit(self, request: ExportRequest, *, is_own: bool = False) -> Outcome:
        """Return what became of ``request`` once that is certain; ``is_own`` as in :class:`Checked`.

        Raises:
            Busy: if it does not fit into the queue.
            Unavailable: if we are stopping.
        """
        answer = self._enqueue(request, is_own)
        if answer is None:
            return Outcome.STORED
        # A caller that hangs up must not take the answer from a retry that shares it.
        return await asyncio.shield(asyncio.wrap_future(answer))

    def stop(self) -> None:
        """Take nothing more, store what waits, end the thread; blocks, safe to call twice."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def _enqueue(self, request: ExportRequest, is_own: bool) -> "concurrent.futures.Future[Outcome] | None":
        with self._changed:
            if request.request_hash in self._window:
                self._metrics.requests_repeated.inc()
                return None
            answer = self._on_the_way.get(request.request_hash)
            if answer is not None:
                self._metrics.requests_repeated.inc()
                return answer
            self.check_open()
            if self._queued_bytes and self._queued_bytes + len(request.body) > self._limits.queued_bytes:
                raise Busy(
                    f"a request of {len(request.body)} bytes does not fit beside the {self._queued_bytes} that wait; "
                    "send again a little later"
                )
            answer = concurrent.futures.Future()
            self._queue.append(_Waiting(request, answer, is_own))
            self._on_the_way[request.request_hash] = answer
            self._queued_bytes += len(request.body)
            self._waiting_bytes += len(request.body)
            self._metrics.queued_bytes.set(self._queued_bytes)
            self._changed.notify_all()
            return answer

    def _run(self) -> None:
        next_start = 0.0
        while group := self._next_group(next_start):
            started = time.monotonic()
            next_start = started + self._limits.interval_s
            tracer = _NO_TRACER if all(waiting.is_own for waiting in group) else self._tracer
            with tracer.start_as_current_span(f"group_commit {self._metrics.signal}") as span:
                self._commit([waiting.request for waiting in group], [waiting.answer for waiting in group], span)
            ended = time.monotonic()
            next_start = max(next_start, ended + min(ended - started, self._limits.longest_rest_s))
            self._metrics.group_seconds.observe(ended - started)
            self._metrics.group_requests.observe(len(group))

    def _next_group(self, next_start: float) -> list[_Waiting]:
        """Wait for requests and take a group; empty when there will be none any more."""
        with self._changed:
            while not self._queue and not self._stopping:
                self._changed.wait()
            while not self._stopping and self._waiting_bytes < self._limits.hurry_bytes:
                pause = next_start - time.monotonic()
                if pause <= 0:
                    break
                self._changed.wait(pause)
            group: list[_Waiting] = []
            size = 0
            while self._queue and (not group or size + len(self._queue[0].request.body) <= self._limits.group_bytes):
                group.append(self._queue.popleft())
                size += len(group[-1].request.body)
            self._waiting_bytes -= size
            return group

    def _commit(
        self,
        requests: "Sequence[ExportRequest]",
        answers: "Sequence[concurrent.futures.Future[Outcome]]",
        span: Span,
    ) -> None:
        try:
            outcomes = [outcome for _, outcome in zip(requests, self._writer.write(requests), strict=True)]
        except Exception:  # noqa: BLE001 - a defect must not end the thread that answers everybody
            _LOG.exception("storing %d requests failed for a reason nobody foresaw", len(requests))
            outcomes = [Outcome.UNAVAILABLE] * len(requests)
        _describe(span, self._metrics.signal, requests, outcomes)
        with self._changed:
            self._window.add(
                request.request_hash
                for request, outcome in zip(requests, outcomes, strict=True)
                if outcome is Outcome.STORED
            )
            for request in requests:
                del self._on_the_way[request.request_hash]
                self._queued_bytes -= len(request.body)
            self._metrics.queued_bytes.set(self._queued_bytes)
        stored = [
            request.received_at_ns
            for request, outcome in zip(requests, outcomes, strict=True)
            if outcome is Outcome.STORED
        ]
        if stored:
            self._metrics.stored_at(max(stored) / 1e9)
        for answer, outcome in zip(answers, outcomes, strict=True):
            answer.set_result(outcome)


def _describe(span: Span, signal: str, requests: Sequence[ExportRequest], outcomes: Sequence[Outcome]) -> None:
    if not span.is_recording():
        return
    stored = outcomes.count(Outcome.STORED)
    span.set_attributes(
        {
            "agentvigil.signal": signal,
            "agentvigil.requests": len(requests),
            "agentvigil.requests.stored": stored,
            "agentvigil.items": sum(request.items for request in requests),
            "agentvigil.bytes": sum(len(request.body) for request in requests),
        }
    )
    if stored < len(requests):
        span.set_status(StatusCode.ERROR)
