"""Stores groups of trace requests so that each is there whole and once, or not at all.

An insert with views is not atomic: blocks, partitions and views commit one by one, and a failed insert keeps what it
had committed. So nothing here trusts an error. Every row carries the hash of its request and how many spans that
request has; after an error the rows are counted:

1. as many as the request has: it is stored, whatever the error said;
2. none: it is not stored;
3. some: they are deleted, then as 2.

If the store can not be asked, the request is *in doubt*: its sender is told to send again, and before anything else
is inserted the question is asked again.

One bad request fails its whole group. When the error is of a kind that bytes can cause, the rest of the group is
halved until the culprit is alone; that one is cleaned once (``clean``) and then refused.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from agentvigil.storage.envelope import TRACES_MESSAGE, TraceRequest, wrap
from agentvigil.storage.errors import BAD_DATA_CODES, STORE_TROUBLE_CODES, QueryFailed, StorageError
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_LOG: Final = logging.getLogger("agentvigil.storage")
_QUERIES: Final = load_queries("agentvigil.storage", "queries.sql")
_HASHES_PER_STATEMENT: Final = 1_000
_SHARED_STORE_GRACE_S: Final = 600
"""On a server, another receiver may still be writing the request: younger ones are left alone at start."""


class Outcome(Enum):
    """What became of a request."""

    STORED = "stored"
    REFUSED = "refused"
    """ClickHouse can not decode it; the same bytes will fail again."""
    UNAVAILABLE = "unavailable"
    """It is not stored, or nobody knows; the sender keeps it and sends it again."""


class TraceWriter:
    """Writes trace requests to ``store``; used by one thread.

    ``clean`` returns a request's body serialised anew without what ClickHouse's decoder may stumble over, or None if
    there is nothing to clean.
    """

    def __init__(self, store: Store, clean: Callable[[bytes], bytes | None]) -> None:
        self._store = store
        self._clean = clean
        self._in_doubt: dict[bytes, TraceRequest] = {}

    def recover(self, window_s: int, limit: int) -> list[bytes]:
        """Look at what an earlier process stored: remove requests that are not whole, return the hashes of the rest.

        What the rest has in otel_traces it then also has in the index of traces, which is filled later.

        The window is the last ``window_s`` seconds of intake before the newest row, at most ``limit`` requests.

        Raises:
            StorageError: if the store does not answer.
        """
        whole, partial = [], []
        oldest: datetime | None = None
        for request_hash, spans, rows, received_at in self._store.rows(
            _QUERIES["recent_requests"], {"window_s": window_s, "limit": limit}
        ):
            oldest = received_at if oldest is None else min(oldest, received_at)
            if rows == spans:
                whole.append(bytes(request_hash))
            elif self._store.is_embedded or time.time() - received_at.timestamp() > _SHARED_STORE_GRACE_S:
                partial.append((bytes(request_hash), received_at))
        if partial:
            _LOG.warning(
                "removing %d requests that an earlier process stored in part; their senders have them", len(partial)
            )
            self._delete([request_hash for request_hash, _ in partial], min(at for _, at in partial))
        if oldest is not None:
            self._store.command(_QUERIES["index_traces"], {"received_from": oldest})
        return whole

    def write(self, group: Sequence[TraceRequest]) -> list[Outcome]:
        """Store ``group`` and return what became of each request, in order. Never raises a :class:`StorageError`."""
        outcomes: dict[bytes, Outcome] = {}
        try:
            outcomes.update(self._settle_doubts())
        except StorageError as exc:
            _LOG.warning("the store does not answer: %s", exc)
            return [Outcome.UNAVAILABLE] * len(group)
        self._write([request for request in group if request.request_hash not in outcomes], outcomes)
        return [outcomes[request.request_hash] for request in group]

    def _write(self, group: Sequence[TraceRequest], outcomes: dict[bytes, Outcome]) -> None:
        if not group:
            return
        failure = self._insert(group)
        if failure is None:
            outcomes.update((request.request_hash, Outcome.STORED) for request in group)
            return
        _LOG.warning("inserting %d requests failed: %s", len(group), failure)
        try:
            landed = self._settle(group)
        except StorageError as exc:
            _LOG.warning("what landed of them is not known: %s", exc)
            self._in_doubt.update((request.request_hash, request) for request in group)
            outcomes.update((request.request_hash, Outcome.UNAVAILABLE) for request in group)
            return
        outcomes.update((request_hash, Outcome.STORED) for request_hash in landed)
        rest = [request for request in group if request.request_hash not in landed]
        if failure.code in STORE_TROUBLE_CODES:
            outcomes.update((request.request_hash, Outcome.UNAVAILABLE) for request in rest)
        elif len(rest) > 1:
            half = len(rest) // 2
            self._write(rest[:half], outcomes)
            self._write(rest[half:], outcomes)
        elif rest:
            self._write_alone(rest[0], failure, outcomes)

    def _write_alone(self, request: TraceRequest, failure: QueryFailed, outcomes: dict[bytes, Outcome]) -> None:
        """Last try for a request that failed by itself, with its body cleaned."""
        body = self._clean(request.body)
        if body is not None and body != request.body:
            cleaned = replace(request, body=body)
            second = self._insert([cleaned])
            if second is None:
                outcomes[request.request_hash] = Outcome.STORED
                return
            failure = second
            try:
                if self._settle([cleaned]):
                    outcomes[request.request_hash] = Outcome.STORED
                    return
            except StorageError:
                self._in_doubt[request.request_hash] = request
                outcomes[request.request_hash] = Outcome.UNAVAILABLE
                return
        if failure.code in BAD_DATA_CODES:
            outcomes[request.request_hash] = Outcome.REFUSED
        else:
            _LOG.error("one request can not be stored and the reason is not its bytes: %s", failure)
            outcomes[request.request_hash] = Outcome.UNAVAILABLE

    def _insert(self, group: Sequence[TraceRequest]) -> QueryFailed | None:
        try:
            parts = [part for request in group for part in wrap(request)]
            self._store.insert_protobuf("otlp_traces", TRACES_MESSAGE, *parts)
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

    def _settle(self, group: Sequence[TraceRequest]) -> set[bytes]:
        """Return the hashes of the requests that are stored whole, and remove the rows of those that are in part."""
        whole: set[bytes] = set()
        for start in range(0, len(group), _HASHES_PER_STATEMENT):
            chunk = {request.request_hash: request for request in group[start : start + _HASHES_PER_STATEMENT]}
            received_from = _millisecond(min(request.received_at_ns for request in chunk.values()))
            rows = self._store.rows(
                _QUERIES["landed_requests"], {"hashes": _hex(chunk), "received_from": received_from}
            )
            stored = {bytes(request_hash): int(count) for request_hash, count in rows}
            whole |= {request_hash for request_hash, count in stored.items() if count == chunk[request_hash].spans}
            if partial := [request_hash for request_hash in stored if request_hash not in whole]:
                self._delete(partial, received_from)
        if whole:
            received_from = _millisecond(min(request.received_at_ns for request in group))
            self._store.command(_QUERIES["index_traces"], {"received_from": received_from})
        return whole

    def _delete(self, hashes: Sequence[bytes], received_from: datetime) -> None:
        for start in range(0, len(hashes), _HASHES_PER_STATEMENT):
            self._store.command(
                _QUERIES["delete_requests"],
                {"hashes": _hex(hashes[start : start + _HASHES_PER_STATEMENT]), "received_from": received_from},
            )


def _hex(hashes: Iterable[bytes]) -> list[str]:
    return [request_hash.hex() for request_hash in hashes]


def _millisecond(unix_ns: int) -> datetime:
    """The column's resolution, rounded down."""
    return datetime.fromtimestamp(unix_ns // 1_000_000 / 1_000, tz=UTC)
