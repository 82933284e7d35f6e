"""Rides out the outage of a ClickHouse server: rows wait in an embedded store beside us and go to the server later.

What waits are rows of the same tables, made by the same SELECTs, so content is withheld before anything touches the
disk, and a request is known in both places by its hash. Moving one is therefore safe to break off anywhere: before
rows are sent the server is asked which requests it has, afterwards it is asked again, and only what it has whole is
taken out of the spool. What projects let be stored of what was said goes before the rows that it belongs to; it may
come twice, since its tables keep each text once.
"""

import logging
import shutil
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.envelope import ExportRequest
from agentvigil.storage.errors import STORE_TROUBLE_CODES, QueryFailed, StorageError
from agentvigil.storage.ledger import RequestLedger, StoredRequest
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.request_writer import Outcome, RequestWriter
from agentvigil.storage.server import ServerStore
from agentvigil.storage.signals import SIGNALS, TRACES, Signal

_LOG: Final = logging.getLogger("agentvigil.storage")
_QUERIES: Final = load_queries("agentvigil.storage", "spool.sql")
_BATCH_ROWS: Final = 50_000
_BATCH_REQUESTS: Final = 500
_CONTENT_BYTES: Final = 64 * 1024 * 1024
"""About how much content is moved together; one request may have more."""
_CONTENT_TABLES: Final = ("span_contents", "content_messages")
_LISTED_REQUESTS: Final = 100_000
_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """``bytes`` bounds the spool on disk, ``min_free_disk_bytes`` is left to others; the server is asked for anew every
    ``retry_s`` seconds."""

    bytes: int
    min_free_disk_bytes: int
    retry_s: float = 2


class Spool:
    """Rows on their way from ``local`` to ``server``, and whether the server is away; any thread may ask.

    A thread of its own moves them, from :meth:`start` to :meth:`stop`; what is left then waits for the next start.

    Spans come to the server long after the moment of intake that they carry. ``on_traces_moved`` is told the first and
    the last of these moments before the spans are taken out of the spool, so it is told again where it did not return.
    """

    def __init__(
        self,
        local: EmbeddedStore,
        server: ServerStore,
        limits: SpoolLimits,
        on_traces_moved: Callable[[datetime, datetime], None] = lambda *_: None,
    ) -> None:
        self.local, self._server, self._limits = local, server, limits
        self._on_traces_moved = on_traces_moved
        self.writing = {signal.name: threading.Lock() for signal in SIGNALS}
        """Held by whoever adds rows of a signal, and while its emptied tables are cleared."""
        self._away = threading.Event()
        self._stopping = threading.Event()
        self._stuck: set[bytes] = set()
        self._thread = threading.Thread(target=self._run, name="agentvigil-spool", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread; blocks until the batch under way is moved."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def server_is_away(self) -> bool:
        return self._away.is_set()

    def report_away(self) -> None:
        """Say that the server did not take what it was given; it is asked again before anybody tries."""
        if not self._away.is_set():
            _LOG.warning("the ClickHouse server takes nothing now; what arrives waits in %s", self.local.path)
        self._away.set()

    def size_bytes(self) -> int:
        """Return how much disk the spool takes.

        Raises:
            StorageError: if the embedded store fails.
        """
        return int(self.local.rows(_QUERIES["size"])[0][0])

    def has_room(self) -> bool:
        """Say whether more may be added: the spool has a bound, and the disk is not ours alone."""
        free = shutil.disk_usage(self.local.path).free
        try:
            return free >= self._limits.min_free_disk_bytes and self.size_bytes() < self._limits.bytes
        except StorageError:
            _LOG.exception("the spool does not answer")
            return False

    def _run(self) -> None:
        # Rows may wait from before this process.
        has_rows = True
        while not self._stopping.is_set():
            has_rows = has_rows or self._away.is_set()
            if has_rows and self._server_answers():
                try:
                    has_rows = not self.drain()
                except StorageError as exc:
                    # No word on whether the server takes what is new: whoever writes to it finds that out.
                    _LOG.warning("emptying the spool broke off, trying again: %s", exc)
                except Exception:  # noqa: BLE001 - a defect must not end the thread that empties the spool
                    _LOG.exception("emptying the spool failed for a reason nobody foresaw; trying again")
            self._stopping.wait(self._limits.retry_s)

    def _server_answers(self) -> bool:
        try:
            self._server.rows("SELECT 1")
        except StorageError as exc:
            self.report_away()
            _LOG.info("the ClickHouse server is still away: %s", exc)
            return False
        self._away.clear()
        return True

    def drain(self) -> bool:
        """Move everything to the server; return whether the spool is empty now.

        Raises:
            StorageError: if one of the two stores is in trouble.
        """
        emptied = all([self._drain_signal(signal) for signal in SIGNALS])  # noqa: C419 - every signal gets its turn
        if emptied:
            self._clear_content()
        return emptied

    def _drain_signal(self, signal: Signal) -> bool:
        ledger = RequestLedger(self.local, signal)
        moved: dict[bytes, datetime] = {}
        while not self._stopping.is_set():
            waiting = ledger.since(_BEGINNING, _LISTED_REQUESTS)
            # One that is not whole is being written just now, or its writer will find out that it failed.
            movable = {
                request_hash: request
                for request_hash, request in waiting.items()
                if request.is_whole and request_hash not in moved and request_hash not in self._stuck
            }
            if not movable:
                break
            while movable and not self._stopping.is_set():
                batch = _take_batch(movable)
                done = self._move(signal, batch)
                moved |= {request_hash: batch[request_hash].received_at for request_hash in done}
                self._stuck.update(batch.keys() - done)
            if len(waiting) >= _LISTED_REQUESTS // 2:
                # There may be more than were listed. Deleting rewrites every part, so it is not done without need.
                self._report_moved(signal, moved)
                ledger.delete(sorted(moved), _BEGINNING)
                moved.clear()
        if moved:
            _LOG.info("moved %d requests of %s from the spool to the ClickHouse server", len(moved), signal.name)
            self._report_moved(signal, moved)
        return self._clear(signal, ledger, moved)

    def _report_moved(self, signal: Signal, moved: Mapping[bytes, datetime]) -> None:
        if signal is TRACES:
            self._on_traces_moved(min(moved.values()), max(moved.values()))

    def _clear(self, signal: Signal, ledger: RequestLedger, moved: Collection[bytes]) -> bool:
        """Remove the rows of ``moved`` requests, which the server has; return whether the spool is empty then.

        Whoever dies before it finds them again, and that the server has them.
        """
        tables = [destination.table for destination in signal.destinations]
        with self.writing[signal.name]:
            if all(request_hash in moved for request_hash in ledger.since(_BEGINNING, _LISTED_REQUESTS)):
                for table in tables:
                    self.local.command(_QUERIES["clear"], {"table": table})
                return True
        if moved:
            ledger.delete(sorted(moved), _BEGINNING)
        return False

    def _clear_content(self) -> None:
        """Remove the content of what is moved, if nothing waits that might need it: requests share messages."""
        signals = [signal for signal in SIGNALS if signal.content_arrival is not None]
        with ExitStack() as locked:
            for signal in signals:
                locked.enter_context(self.writing[signal.name])
            tables = (destination.table for signal in signals for destination in signal.destinations)
            if any(self.local.rows(_QUERIES["rows_waiting"], {"table": table})[0][0] for table in tables):
                return
            for table in _CONTENT_TABLES:
                if self.local.rows(_QUERIES["rows_waiting"], {"table": table})[0][0]:
                    self.local.command(_QUERIES["clear"], {"table": table})

    def _move(self, signal: Signal, batch: Mapping[bytes, StoredRequest]) -> set[bytes]:
        """Bring the requests of ``batch`` to the server; return those that it has whole then."""
        ledger = RequestLedger(self._server, signal)
        tables = [destination.table for destination in signal.destinations]
        received_from = min(request.received_at for request in batch.values())
        expected = {request_hash: request.items for request_hash, request in batch.items()}
        there = ledger.settle(expected, received_from, tables)
        missing = [request_hash for request_hash in batch if request_hash not in there]
        if not missing:
            return there
        try:
            if signal.content_arrival is not None:
                self._copy_content(missing, received_from)
            for table in tables:
                self._copy("rows_of_requests", table, missing, received_from)
        except QueryFailed as exc:
            if exc.code in STORE_TROUBLE_CODES:
                raise
            there |= ledger.settle({key: expected[key] for key in missing}, received_from, tables)
            return there | self._move_in_halves(signal, {key: batch[key] for key in missing if key not in there}, exc)
        return there | ledger.settle({key: expected[key] for key in missing}, received_from, tables)

    def _move_in_halves(self, signal: Signal, batch: Mapping[bytes, StoredRequest], failure: QueryFailed) -> set[bytes]:
        keys = list(batch)
        if len(keys) < 2:
            _LOG.error("the ClickHouse server refuses a request that waits in the spool, it stays there: %s", failure)
            return set()
        half = len(keys) // 2
        first, second = ({key: batch[key] for key in part} for part in (keys[:half], keys[half:]))
        return self._move(signal, first) | self._move(signal, second)

    def _copy_content(self, request_hashes: Sequence[bytes], received_from: datetime) -> None:
        """Bring what ``request_hashes`` said to the server, each message before the text that it is a part of."""
        sizes = self.local.rows(_QUERIES["content_sizes"], _parameters(request_hashes, received_from))
        for hashes in _chunks_of_bytes([(bytes(request_hash), size) for request_hash, size in sizes]):
            self._copy("messages_of_requests", "content_messages", hashes, received_from)
            self._copy("rows_of_requests", "span_contents", hashes, received_from)

    def _copy(self, query: str, table: str, request_hashes: Sequence[bytes], received_from: datetime) -> None:
        parameters = {"table": table, **_parameters(request_hashes, received_from)}
        if rows := self.local.native(_QUERIES[query], parameters):
            self._server.insert_native(table, rows)


class SpoolingWriter:
    """Writes requests of one signal to the server, or to the spool while that is away; used by one thread."""

    def __init__(self, signal: Signal, server: RequestWriter, local: RequestWriter, spool: Spool) -> None:
        self._server, self._local, self._spool = server, local, spool
        self._writing = spool.writing[signal.name]

    def recover(self, window_s: int, limit: int) -> list[bytes]:
        """Do what :meth:`RequestWriter.recover` does, in both places.

        Raises:
            StorageError: if one of them does not answer.
        """
        return [*self._local.recover(window_s, limit), *self._server.recover(window_s, limit)]

    @property
    def newest_found(self) -> datetime | None:
        """When the newest request that :meth:`recover` found in either place was taken in."""
        found = (writer.newest_found for writer in (self._local, self._server))
        return max((newest for newest in found if newest is not None), default=None)

    def write(self, group: Sequence[ExportRequest]) -> list[Outcome]:
        """Store ``group`` in one of the two places and return what became of each request, in order."""
        away = self._spool.server_is_away
        outcomes = [Outcome.UNAVAILABLE] * len(group) if away else self._server.write(group)
        left = [request for request, outcome in zip(group, outcomes, strict=True) if outcome is Outcome.UNAVAILABLE]
        if not left:
            return outcomes
        self._spool.report_away()
        if not self._spool.has_room():
            return outcomes
        with self._writing:
            spooled = dict(zip((request.request_hash for request in left), self._local.write(left), strict=True))
        # The server may have a part of them. Who moves them from the spool looks, and nobody else must.
        self._server.release(key for key, outcome in spooled.items() if outcome is Outcome.STORED)
        return [spooled.get(request.request_hash, outcome) for request, outcome in zip(group, outcomes, strict=True)]


def _take_batch(movable: dict[bytes, StoredRequest]) -> dict[bytes, StoredRequest]:
    """Take the oldest requests out of ``movable``, as many as are moved together."""
    batch: dict[bytes, StoredRequest] = {}
    rows = 0
    for request_hash, request in movable.items():
        if batch and (rows + request.items > _BATCH_ROWS or len(batch) == _BATCH_REQUESTS):
            break
        batch[request_hash] = request
        rows += request.items
    for request_hash in batch:
        del movable[request_hash]
    return batch


def _chunks_of_bytes(sizes: Sequence[tuple[bytes, int]]) -> Iterator[list[bytes]]:
    """Cut requests and their sizes into lists of requests of about :data:`_CONTENT_BYTES`."""
    chunk: list[bytes] = []
    total = 0
    for request_hash, size in sizes:
        if chunk and total + size > _CONTENT_BYTES:
            yield chunk
            chunk, total = [], 0
        chunk.append(request_hash)
        total += size
    if chunk:
        yield chunk


def _parameters(request_hashes: Sequence[bytes], received_from: datetime) -> dict[str, Any]:
    return {"received_from": received_from, "hashes": [request_hash.hex() for request_hash in request_hashes]}
