"""Stores groups of export requests so that each is there whole and once, or not at all.

An insert with views is not atomic: blocks, partitions and views commit one by one, and a failed insert keeps what it
had committed; and a request of metrics goes to several tables. So nothing here trusts an error. Every row carries the
hash of its request and how many rows that request has; after an error the rows are counted:

1. as many as the request has: it is stored, whatever the error said;
2. none: it is not stored;
3. some: they are deleted, then as 2.

If the store can not be asked, the request is *in doubt*: its sender is told to send again, and before anything else
is inserted the question is asked again.

Nor is a success believed at once: the first group of each destination is counted as well.

One bad request fails its whole group. When the error is of a kind that bytes can cause, the group is cleaned
(``clean``), which mends nearly everything; if not, it is halved until the culprit is alone and refused.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.envelope import ExportRequest, wrap
from agentvigil.storage.errors import BAD_DATA_CODES, STORE_TROUBLE_CODES, QueryFailed, StorageError
from agentvigil.storage.ledger import RequestLedger, StoredRequest
from agentvigil.storage.signals import Destination, Signal
from agentvigil.storage.store import Store

_LOG: Final = logging.getLogger("agentvigil.storage")
_SHARED_STORE_GRACE_S: Final = 600
"""On a server, another receiver may still be writing the request: younger ones are left alone at start."""


class Outcome(Enum):
    """What became of a request."""

    STORED = "stored"
    REFUSED = "refused"
    """ClickHouse can not decode it; the same bytes will fail again."""
    UNAVAILABLE = "unavailable"
    """It is not stored, or nobody knows; the sender keeps it and sends it again."""


class RequestWriter:
    """Writes the requests of one signal to ``store``; used by one thread.

    ``clean`` returns a request's body serialised anew without what ClickHouse's decoder may stumble over, or None if
    there is nothing to clean. ``newest_found`` is when the newest request that :meth:`recover` found was taken in.
    """

    def __init__(self, store: Store, signal: Signal, clean: Callable[[bytes], bytes | None]) -> None:
        self._store, self._signal, self._clean = store, signal, clean
        self._ledger = RequestLedger(store, signal)
        self._in_doubt: dict[bytes, ExportRequest] = {}
        self._proven: set[Destination] = set()
        self.newest_found: datetime | None = None

    def recover(self, window_s: int, limit: int) -> list[bytes]:
        """Look at what an earlier process stored: remove requests that are not whole, return the hashes of the rest.

        Traces that the rest has in otel_traces it then also has in their index, which is filled later.

        The window is the last ``window_s`` seconds of intake before the newest row, so that a long stop does not empty
        it; at most ``limit`` requests of each table.

        Raises:
            StorageError: if the store does not answer.
        """
        recent = self._ledger.recent(window_s, limit)
        partial = {
            request_hash: request.received_at
            for request_hash, request in recent.items()
            if not request.is_whole and self._is_abandoned(request)
        }
        if partial:
            _LOG.warning(
                "removing %d requests of %s that an earlier process stored in part; their senders have them",
                len(partial),
                self._signal.name,
            )
            self._ledger.delete(list(partial), min(partial.values()))
        if recent:
            self._ledger.index(min(request.received_at for request in recent.values()))
            self.newest_found = max(request.received_at for request in recent.values())
        return [request_hash for request_hash, request in recent.items() if request.is_whole]

    def release(self, request_hashes: Iterable[bytes]) -> None:
        """Doubt about these requests no longer: somebody else has taken them and finds out what became of them."""
        for request_hash in request_hashes:
            self._in_doubt.pop(request_hash, None)

    def write(self, group: Sequence[ExportRequest]) -> list[Outcome]:
        """Store ``group`` and return what became of each request, in order. Never raises a :class:`StorageError`."""
        outcomes: dict[bytes, Outcome] = {}
        try:
            outcomes.update(self._settle_doubts())
        except StorageError as exc:
            _LOG.warning("the store does not answer: %s", exc)
            return [Outcome.UNAVAILABLE] * len(group)
        self._write([request for request in group if request.request_hash not in outcomes], outcomes)
        return [outcomes[request.request_hash] for request in group]

    def _write(
        self, group: Sequence[ExportRequest], outcomes: dict[bytes, Outcome], *, is_cleaned: bool = False
    ) -> None:
        if not group:
            return
        failure = self._insert(group)
        if failure is None and self._proven.issuperset(_destinations(group)):
            outcomes.update((request.request_hash, Outcome.STORED) for request in group)
            return
        if failure is not None:
            _LOG.warning("inserting %d requests failed: %s", len(group), failure)
        try:
            landed = self._settle(group)
        except StorageError as exc:
            _LOG.warning("what landed of them is not known: %s", exc)
            self._doubt(group, outcomes)
            return
        outcomes.update((request_hash, Outcome.STORED) for request_hash in landed)
        rest = [request for request in group if request.request_hash not in landed]
        if failure is None:
            self._prove(group, rest, outcomes)
        elif failure.code in STORE_TROUBLE_CODES:
            outcomes.update((request.request_hash, Outcome.UNAVAILABLE) for request in rest)
        elif not is_cleaned:
            self._write([self._cleaned(request) for request in rest], outcomes, is_cleaned=True)
        elif len(rest) > 1:
            half = len(rest) // 2
            self._write(rest[:half], outcomes, is_cleaned=True)
            self._write(rest[half:], outcomes, is_cleaned=True)
        elif rest:
            outcomes[rest[0].request_hash] = _outcome_of(failure)

    def _prove(
        self, group: Sequence[ExportRequest], missing: Sequence[ExportRequest], outcomes: dict[bytes, Outcome]
    ) -> None:
        """Believe a success from now on, if nothing of the first group that went there is ``missing``."""
        if missing:
            _LOG.error(
                "ClickHouse said that it stored %d requests of %s, and %d of them are not there; nothing is "
                "acknowledged. Is this its version that the release was made for? See agentvigil doctor",
                len(group),
                self._signal.name,
                len(missing),
            )
            self._doubt(missing, outcomes)
        else:
            self._proven.update(_destinations(group))

    def _doubt(self, group: Sequence[ExportRequest], outcomes: dict[bytes, Outcome]) -> None:
        self._in_doubt.update((request.request_hash, request) for request in group)
        outcomes.update((request.request_hash, Outcome.UNAVAILABLE) for request in group)

    def _cleaned(self, request: ExportRequest) -> ExportRequest:
        body = self._clean(request.body)
        return request if body is None else replace(request, body=body)

    def _insert(self, group: Sequence[ExportRequest]) -> QueryFailed | None:
        try:
            if self._signal.content_arrival is not None:
                # First, so that whoever finds a span finds what it said; without its span nobody sees it.
                saying = [wrap(request) for request in group if request.content_policy is not ContentPolicy.OFF]
                if saying:
                    self._store.insert_protobuf(self._signal.content_arrival, self._signal.message, saying)
            for destination in _destinations(group):
                envelopes = [wrap(request) for request in group if destination in request.destinations]
                self._store.insert_protobuf(destination.arrival, self._signal.message, envelopes)
        except QueryFailed as exc:
            return exc
        return None

    def _settle_doubts(self) -> dict[bytes, Outcome]:
        """Find out what became of requests in doubt; those that are stored need not be inserted again."""
        if not self._in_doubt:
            return {}
        landed = self._settle(list(self._in_doubt.values()))
        self._in_doubt.clear()
        return dict.fromkeys(landed, Outcome.STORED)

    def _settle(self, group: Sequence[ExportRequest]) -> set[bytes]:
        """Return the hashes of the requests that are stored whole, and remove the rows of those that are in part."""
        return self._ledger.settle(
            {request.request_hash: request.items for request in group},
            _millisecond(min(request.received_at_ns for request in group)),
            [destination.table for destination in _destinations(group)],
        )

    def _is_abandoned(self, request: StoredRequest) -> bool:
        return self._store.is_embedded or time.time() - request.received_at.timestamp() > _SHARED_STORE_GRACE_S


def _outcome_of(failure: QueryFailed) -> Outcome:
    """What becomes of a request that failed by itself, with its body cleaned."""
    if failure.code in BAD_DATA_CODES:
        return Outcome.REFUSED
    _LOG.error("one request can not be stored and the reason is not its bytes: %s", failure)
    return Outcome.UNAVAILABLE


def _destinations(group: Iterable[ExportRequest]) -> list[Destination]:
    """Where the requests of ``group`` go, each place once and always in the same order."""
    return list(dict.fromkeys(destination for request in group for destination in request.destinations))


def _millisecond(unix_ns: int) -> datetime:
    """The column's resolution, rounded down."""
    return datetime.fromtimestamp(unix_ns // 1_000_000 / 1_000, tz=UTC)
