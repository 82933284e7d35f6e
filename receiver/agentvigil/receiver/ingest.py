"""The road of one export request, the same for both protocols: room, admission, group commit, answer."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from google.protobuf.message import Message

from agentvigil.receiver.admission import Admitted, admit
from agentvigil.receiver.checking import UNDECODABLE
from agentvigil.receiver.content_policies import ContentPolicies
from agentvigil.receiver.errors import BadRequest, Busy, DiskFull, TooLarge, Unavailable
from agentvigil.receiver.group_commit import GroupCommitter
from agentvigil.receiver.metrics import SignalMetrics
from agentvigil.receiver.otlp import OtlpSignal
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.envelope import ExportRequest, Limits
from agentvigil.storage.request_writer import Outcome

_ADMIT_IN_THREAD_BYTES: Final = 2**20
"""A body from here on is parsed off the event loop: a 16 MiB one takes 30 ms, one with nested values seconds."""


@dataclass(frozen=True, slots=True)
class DiskHeadroom:
    """Says whether the disk under ``path`` still has ``min_free_bytes``; ``path`` None is a store elsewhere."""

    path: Path | None
    min_free_bytes: int

    def free_bytes(self) -> int | None:
        """Bytes that may still be written to the disk, None if the store is elsewhere."""
        return None if self.path is None else shutil.disk_usage(self.path).free

    def check(self) -> None:
        """Raise if there is too little room.

        Raises:
            DiskFull: with figures and what to do.
        """
        free = self.free_bytes()
        if free is not None and free < self.min_free_bytes:
            raise DiskFull(
                f"the receiver's disk has {free // 2**20} MiB free and keeps {self.min_free_bytes // 2**20} MiB for "
                "itself; free some, shorten retention, or lower AGENTVIGIL_MIN_FREE_DISK_BYTES"
            )


@dataclass(frozen=True, slots=True)
class IngestConfig:
    """``max_request_bytes`` counts after decompression; ``limits`` apply to one span.

    ``exports_in_flight`` bounds what is being read and is not yet in the queue's account of bytes, ``read_timeout_s``
    how long a sender may take over its body. ``hash_key`` is the installation's, for text that is withheld.
    """

    max_request_bytes: int = 16 * 2**20
    exports_in_flight: int = 512
    read_timeout_s: float = 30
    keep_days: int = 90
    limits: Limits = field(default_factory=Limits)
    content_policies: ContentPolicies = field(default_factory=ContentPolicies)
    hash_key: bytes = b""


class Ingest:
    """Takes export requests of one signal and answers them when they are stored."""

    def __init__(
        self,
        otlp: OtlpSignal,
        committer: GroupCommitter,
        headroom: DiskHeadroom,
        config: IngestConfig,
        metrics: SignalMetrics,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.otlp, self.config, self.metrics = otlp, config, metrics
        self._committer, self._headroom, self._clock_ns = committer, headroom, clock_ns
        self._in_flight = 0

    @contextlib.contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the places for exports under way; entered before a request is read into memory.

        Raises:
            Busy: if all places are taken, or the queue is full.
            DiskFull: if the disk is.
            Unavailable: if we are stopping.
        """
        self._committer.check_open()
        self._headroom.check()
        if self._in_flight >= self.config.exports_in_flight:
            raise Busy(f"{self._in_flight} exports are under way; send again a little later")
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1

    async def export(self, body: bytes, project: str) -> Message:
        """Store the serialised export request ``body`` in ``project``; return the response to it.

        Raises:
            ReceiverError: if it was not stored, or not as a whole; nothing of it is stored then.
        """
        if len(body) > self.config.max_request_bytes:
            raise TooLarge(
                f"the request has {len(body)} bytes, at most {self.config.max_request_bytes} are taken; "
                "send smaller batches"
            )
        policy = self.config.content_policies.of(project)
        try:
            if len(body) < _ADMIT_IN_THREAD_BYTES:
                admitted = admit(self.otlp, body, project, policy)
            else:
                admitted = await asyncio.to_thread(admit, self.otlp, body, project, policy)
        except BadRequest as exc:
            if exc.invalid_items:
                self.metrics.items_received.inc(exc.invalid_items)
                self.metrics.rejected(exc.invalid_items, exc.item_reason)
            raise
        self.metrics.items_received.inc(admitted.items + admitted.rejected)
        if admitted.items:
            await self._store(admitted, project, policy)
        self.metrics.items_stored.inc(admitted.items)
        if admitted.rejected:
            self.metrics.rejected(admitted.rejected, admitted.reason)
        response: Any = self.otlp.response()
        if admitted.rejected:
            setattr(response.partial_success, self.otlp.rejected_field, admitted.rejected)
            response.partial_success.error_message = admitted.rejection
        return cast("Message", response)

    async def _store(self, admitted: Admitted, project: str, policy: ContentPolicy) -> None:
        self._headroom.check()
        outcome = await self._committer.submit(
            ExportRequest(
                signal=self.otlp.signal,
                destinations=admitted.destinations,
                body=admitted.body,
                items=admitted.items,
                request_hash=admitted.request_hash,
                project=project,
                received_at_ns=self._clock_ns(),
                keep_days=self.config.keep_days,
                limits=self.config.limits,
                content_policy=policy,
                hash_key=self.config.hash_key,
            ),
            is_own=admitted.is_own,
        )
        if outcome is Outcome.REFUSED:
            self.metrics.rejected(admitted.items + admitted.rejected, UNDECODABLE)
            raise BadRequest(
                "ClickHouse can not decode this request although it parses as protobuf; "
                "it has a field with a wire type that OTLP does not give it"
            )
        if outcome is Outcome.UNAVAILABLE:
            raise Unavailable("the store can not take it now; send it again")
