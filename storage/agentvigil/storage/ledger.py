"""Which requests a store has: whole, in part or not at all, by counting rows.

Every row carries the hash of its request and how many rows that request has, in one table or in several.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.signals import Signal
from agentvigil.storage.store import Store

_QUERIES: Final = load_queries("agentvigil.storage", "queries.sql")
_HASHES_PER_STATEMENT: Final = 1_000


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request of which ``rows`` of its ``items`` rows are stored; ``received_at`` is when its receiver took it."""

    items: int
    rows: int
    received_at: datetime

    @property
    def is_whole(self) -> bool:
        """More rows than items are whole too: what is there twice must not be taken for a remnant."""
        return self.rows >= self.items


class RequestLedger:
    """The requests of one signal in ``store``.

    Every method raises :class:`StorageError` if the store does not answer.
    """

    def __init__(self, store: Store, signal: Signal) -> None:
        self._store, self._signal = store, signal
        self._tables = [destination.table for destination in signal.destinations]

    def recent(self, window_s: int, limit: int) -> dict[bytes, StoredRequest]:
        """Return the requests of the last ``window_s`` seconds of intake, by their hashes, oldest first.

        The seconds count back from the newest row, so that a long stop does not empty the window. At most ``limit``
        requests of each table are looked at.
        """
        newest = max(self._store.rows(_QUERIES["newest_request"], {"table": table})[0][0] for table in self._tables)
        if not newest.timestamp():
            return {}
        return self.since(newest - timedelta(seconds=window_s), limit)

    def since(self, received_from: datetime, limit: int) -> dict[bytes, StoredRequest]:
        """Return the requests taken in since ``received_from``, the newest ``limit`` of each table, oldest first."""
        found: dict[bytes, StoredRequest] = {}
        complete_from: datetime | None = None
        for table in self._tables:
            rows = self._store.rows(
                _QUERIES["recent_requests"],
                {
                    "table": table,
                    "count_column": self._signal.count_column,
                    "received_from": received_from,
                    "limit": limit,
                },
            )
            for request_hash, items, count, received_at in rows:
                known = found.get(bytes(request_hash)) or StoredRequest(items, 0, received_at)
                found[bytes(request_hash)] = replace(known, rows=known.rows + count)
            if len(rows) == limit and len(self._tables) > 1:
                oldest = rows[-1][3]
                complete_from = oldest if complete_from is None else max(oldest, complete_from)
        # Of what is older than the last row of a list that was cut, a request's other rows may be missing here.
        complete = (
            found.items()
            if complete_from is None
            else ((key, request) for key, request in found.items() if request.received_at > complete_from)
        )
        return dict(sorted(complete, key=lambda item: item[1].received_at))

    def settle(self, expected: Mapping[bytes, int], received_from: datetime, tables: Sequence[str]) -> set[bytes]:
        """Return which requests are stored whole, and remove the rows of those that are stored in part.

        ``expected`` says by hash how many rows each has, all of them in ``tables`` and none before ``received_from``.
        """
        whole: set[bytes] = set()
        for hashes in _chunks(list(expected)):
            stored: Counter[bytes] = Counter()
            for table in tables:
                rows = self._store.rows(
                    _QUERIES["landed_requests"],
                    {"table": table, "hashes": _hex(hashes), "received_from": received_from},
                )
                stored.update({bytes(request_hash): int(count) for request_hash, count in rows})
            whole |= {request_hash for request_hash, count in stored.items() if count >= expected[request_hash]}
            if partial := [request_hash for request_hash in stored if request_hash not in whole]:
                self.delete(partial, received_from)
        if whole:
            self.index(received_from)
        return whole

    def index(self, received_from: datetime) -> None:
        """Make sure that the traces taken in since ``received_from`` are in their index, if it is filled after them.

        In the embedded home it is read from the spans.
        """
        if self._signal.index_table is not None and not self._store.is_embedded:
            self._store.command(_QUERIES["index_traces"], {"received_from": received_from})

    def delete(self, request_hashes: Sequence[bytes], received_from: datetime) -> None:
        """Remove every row of these requests."""
        for hashes in _chunks(request_hashes):
            for table in self._tables:
                parameters = {"table": table, "hashes": _hex(hashes), "received_from": received_from}
                # A DELETE takes a second or two on a table of few parts, also if there is nothing to delete.
                if self._store.rows(_QUERIES["landed_requests"], parameters):
                    self._store.change(table, _QUERIES["delete_requests"], parameters)


def _chunks(hashes: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    return (hashes[start : start + _HASHES_PER_STATEMENT] for start in range(0, len(hashes), _HASHES_PER_STATEMENT))


def _hex(hashes: Iterable[bytes]) -> list[str]:
    return [request_hash.hex() for request_hash in hashes]
