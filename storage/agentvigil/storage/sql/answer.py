"""The answer to one query, read while the engine still writes it.

Theory of operation. The engine writes the answer to a pipe (``INTO OUTFILE`` names its writing end), in a thread of its
own; whoever has the `Answer` reads the other end.

1. The engine formats the answer in one go, as it would into a file. So every format is complete, heads and tails
   included, and an empty result has what its format says about columns. chDB's own streaming does neither: it formats
   each block on its own, and writes nothing for an empty result.
2. A pipe holds little. An engine that is ahead of its reader sleeps in ``write``, so memory is bounded by the engine's
   blocks, and nobody has to count.
3. The clock of the time limit stands still while nobody reads: a slow client spends its own time, not the query's.
4. A query is stopped by ``KILL QUERY`` from another handle, while the pipe is emptied so that no ``write`` is stuck.
   chDB's own cancelling waits for the next block, which a query without one never makes. The engine may be between
   two statements just then, so killing is repeated until the thread ends.
5. The thread ending is what ends the answer, not the end of the pipe: a descriptor that the engine left open after
   an error must not keep a reader waiting.
"""

import contextlib
import fcntl
import logging
import os
import select
import struct
import termios
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import FileIO
from typing import Final, Self

from agentvigil.storage.sql.errors import (
    QUERY_WAS_CANCELLED,
    TIMEOUT_EXCEEDED,
    TOO_MANY_ROWS_OR_BYTES,
    QueryRefused,
    SqlError,
)

_log = logging.getLogger("agentvigil.storage.sql")

PIECE_BYTES: Final = 2**20
"""No piece of an answer is longer."""

_TICK_S: Final = 0.05
"""How often a reader that has nothing to read looks whether it should go on."""

_GATHER_S: Final = 0.02
"""How long a piece waits for more bytes before it is given out short."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a query cost so far: rows and bytes read from tables, and the engine's time in seconds."""

    rows_read: int = 0
    bytes_read: int = 0
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Pipe:
    """Where the engine writes an answer."""

    path: str
    write: Callable[[bytes], None]
    """Writes to it from here; blocks while it is full."""
    untouched: Callable[[], bool]
    """Tells whether nothing was written yet."""


class Answer:
    """One query under way. One thread at a time may read and close it.

    Args:
        run: runs the query to its end, its output going to a pipe; called once, in a thread of its own.
        kill: asks the engine to stop the query; called again and again until ``run`` returned.
        asked_to_stop: when set, by anybody, the next read stops the query.
        max_time_s: of the engine, without the time nobody was reading.
        max_bytes: of the whole answer.
        on_close: called once, when the query has ended.
        clock: seconds, for the time limit.
    """

    def __init__(
        self,
        run: Callable[[Pipe], Cost],
        kill: Callable[[], None],
        *,
        asked_to_stop: threading.Event,
        max_time_s: float,
        max_bytes: int,
        on_close: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cost: Cost | None = None
        """Known once the answer was read to its end."""
        self._kill = kill
        self._asked_to_stop = asked_to_stop
        self._time_left_s = max_time_s
        self._max_time_s = max_time_s
        self._max_bytes = max_bytes
        self._on_close = on_close
        self._clock = clock
        self._received = 0
        self._failure: BaseException | None = None
        self._ended = threading.Event()
        self._read_fd, write_fd = os.pipe()
        os.set_blocking(self._read_fd, False)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with contextlib.suppress(OSError):  # a user may have only so much memory in pipes; then it stays small
                fcntl.fcntl(write_fd, fcntl.F_SETPIPE_SZ, PIECE_BYTES)
        self._poll = select.poll()
        self._poll.register(self._read_fd, select.POLLIN)
        self._thread = threading.Thread(
            target=self._run, args=(run, write_fd), name="agentvigil-sql-engine", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self) -> bytes:
        """Return the next bytes, at most `PIECE_BYTES`; none at the end.

        Raises:
            QueryRefused: code 394 if it was asked to stop, 159 or 396 if a limit was passed. The query is stopped.
            SqlError: the query failed. Raised after everything that the engine wrote before was returned.
        """
        started = self._clock()
        piece = bytearray()
        while len(piece) < PIECE_BYTES:
            if self._asked_to_stop.is_set():
                raise QueryRefused(QUERY_WAS_CANCELLED, "The client left, or the server stops; the query was stopped")
            if self._clock() - started > self._time_left_s:
                raise QueryRefused(
                    TIMEOUT_EXCEEDED,
                    f"Timeout exceeded: the query took longer than {self._max_time_s:g} s; narrow it, or ask for less",
                )
            ended = self._ended.is_set()  # looked at before the pipe: what is in it then is all there will be
            part = self._take(PIECE_BYTES - len(piece), 0.0 if ended else _GATHER_S if piece else _TICK_S)
            if part:
                piece += part
            elif ended or piece:
                break
            elif part == b"":  # end of the pipe, so the thread is about to end
                self._ended.wait(_TICK_S)
        self._time_left_s -= self._clock() - started
        if self._received > self._max_bytes:
            raise QueryRefused(
                TOO_MANY_ROWS_OR_BYTES,
                f"The answer has more than {self._max_bytes} bytes, which is the limit; select fewer columns or rows",
            )
        if not piece and self._failure is not None:
            raise self._failure
        return bytes(piece)

    def close(self) -> None:
        """Stop the query if it still runs; return when it has stopped. Safe to call twice."""
        if self._read_fd < 0:
            return
        warned_after = time.monotonic() + 10
        while not self._ended.is_set():
            try:
                self._kill()
            except (SqlError, RuntimeError):  # the latter if there is no new handle to be had
                _log.warning("the engine did not take a KILL QUERY", exc_info=True)
            if time.monotonic() > warned_after:
                _log.warning("a query still runs 10 s after it was killed")
                warned_after = float("inf")
            stop_draining = time.monotonic() + _TICK_S
            while not self._ended.is_set() and time.monotonic() < stop_draining:
                if self._take(PIECE_BYTES, _TICK_S) == b"":
                    self._ended.wait(_TICK_S)
        self._thread.join()
        os.close(self._read_fd)
        self._read_fd = -1
        self._on_close()

    def _run(self, run: Callable[[Pipe], Cost], write_fd: int) -> None:
        try:
            with open(write_fd, "wb", buffering=0, closefd=False) as end:
                self.cost = run(Pipe(f"/dev/fd/{write_fd}", lambda data: _write_all(end, data), self._untouched))
        except BaseException as exc:  # noqa: BLE001 - handed to the reader, who raises it
            self._failure = exc
        finally:
            os.close(write_fd)
            self._ended.set()

    def _untouched(self) -> bool:
        waiting = struct.unpack("i", fcntl.ioctl(self._read_fd, termios.FIONREAD, bytes(4)))[0]
        return self._received == 0 and waiting == 0

    def _take(self, size: int, timeout_s: float) -> bytes | None:
        """Read what is there, waiting at most ``timeout_s`` for it; None if there is nothing, no bytes at the end."""
        if not self._poll.poll(timeout_s * 1000):
            return None
        try:
            part = os.read(self._read_fd, size)
        except BlockingIOError:
            return None
        self._received += len(part)
        return part


def _write_all(file: FileIO, data: bytes) -> None:
    remaining = memoryview(data)
    while remaining:
        remaining = remaining[file.write(remaining) :]
