"""One INSERT that goes on: ClickHouse plans it once, and from then on groups of envelopes pass through it.

ClickHouse plans a view anew for every block that comes to it, and for what we make of requests that takes longer than
storing some thousand spans. An ``INSERT … SELECT`` that reads from a pipe is planned when it begins, and stores a block
of rows before it reads on. Three rules follow:

1. A block is :data:`BLOCK_ROWS` rows: only then does the engine stop reading. So a group is filled up with empty
   envelopes, of a byte each, and one of more envelopes goes in several blocks.
2. A single thread runs the INSERT, each step of which asks the one before for rows only when it is done with all that
   it had. So the engine takes the first byte of a block when the block before is stored. That byte, an empty envelope,
   is sent when the pipe is empty: as soon as it is gone, the group is stored. Views behind the table would run later,
   with the next block.
3. An error ends the INSERT, and nobody knows how much of the last block was stored.
"""

import contextlib
import fcntl
import os
import select
import struct
import termios
import threading
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Final

from agentvigil.storage.envelope import Envelope
from agentvigil.storage.errors import QueryFailed

BLOCK_ROWS: Final = 1_024
_ENVELOPES: Final = BLOCK_ROWS - 1
"""Of a block; one row of it is the byte that told that the block before is stored."""
_EMPTY_ENVELOPE: Final = b"\0"

INSERT_SETTINGS: Final = (
    f"max_block_size = {BLOCK_ROWS}",
    f"max_insert_block_size = {BLOCK_ROWS}",
    "max_threads = 1",
    "max_insert_threads = 1",
    # Blocks go on as they are read, not when there are enough of them.
    "min_insert_block_size_rows = 0",
    "min_insert_block_size_bytes = 0",
    "input_format_parallel_parsing = 0",
    # Says that the rows come from somebody who waits, so that none are held back for more; a year is never.
    "input_format_connection_handling = 1",
    "input_format_max_block_wait_ms = 31536000000",
    # Merging the steps takes longer than all other planning, and makes them slower.
    "query_plan_enable_optimizations = 0",
)
"""What makes the engine work as the rules say."""

_PIPE_BYTES: Final = 2**20
_LOOK_S: Final = 0.0005
_LONGEST_LOOK_S: Final = 0.01
"""How often to look whether the engine has read on: at first, and after a while."""
_WRITABLE_S: Final = 0.1
"""How often to look whether an INSERT that reads nothing has ended."""


class InsertStream:
    """An INSERT that is open until :meth:`close`, or until it fails. Threads take turns.

    ``run`` runs it over the rows under a path, with :data:`INSERT_SETTINGS`, and returns or raises when it has ended.
    """

    def __init__(self, run: Callable[[str], None], name: str) -> None:
        self._run_insert = run
        self._read_fd, self._write_fd = os.pipe()
        os.set_blocking(self._write_fd, False)
        with contextlib.suppress(AttributeError, OSError):  # Linux alone has it, and an unprivileged user has a limit.
            fcntl.fcntl(self._write_fd, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._writable = select.poll()
        self._writable.register(self._write_fd, select.POLLOUT)
        self._turn = threading.Lock()
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"agentvigil-insert-{name}", daemon=True)
        self._thread.start()
        self._write(_EMPTY_ENVELOPE)

    def insert(self, envelopes: Sequence[Envelope]) -> None:
        """Return when all ``envelopes`` are stored.

        Raises whatever ended the INSERT; what was stored of them is not known then, and the stream is of no more use.
        """
        with self._turn:
            for start in range(0, len(envelopes), _ENVELOPES):
                block = envelopes[start : start + _ENVELOPES]
                self._write(b"".join((*chain.from_iterable(block), _EMPTY_ENVELOPE * (_ENVELOPES - len(block)))))
                self._wait_until_read()
                self._write(_EMPTY_ENVELOPE)
                self._wait_until_read()

    def close(self) -> None:
        """End the INSERT; safe to call twice."""
        with self._turn:
            if not self._closed:
                self._closed = True
                os.close(self._write_fd)
                self._thread.join()
                os.close(self._read_fd)

    def _run(self) -> None:
        try:
            self._run_insert(f"/dev/fd/{self._read_fd}")
        except BaseException as exc:  # noqa: BLE001 - raised again in the thread that inserts
            self._failure = exc
        self._ended.set()

    def _write(self, octets: bytes) -> None:
        remaining = memoryview(octets)
        while remaining:
            self._check(ended=self._ended.is_set())
            try:
                remaining = remaining[os.write(self._write_fd, remaining) :]
            except BlockingIOError:
                # Not select(), which takes no descriptor above 1023.
                self._writable.poll(_WRITABLE_S * 1000)

    def _wait_until_read(self) -> None:
        pause = _LOOK_S
        while self._unread():
            self._check(ended=self._ended.wait(pause))
            pause = min(1.2 * pause, _LONGEST_LOOK_S)

    def _unread(self) -> int:
        """Bytes in the pipe."""
        (count,) = struct.unpack("i", fcntl.ioctl(self._read_fd, termios.FIONREAD, bytes(4)))
        return int(count)

    def _check(self, *, ended: bool) -> None:
        if ended:
            raise self._failure or QueryFailed(0, "INSERT ended", "the engine ended an INSERT that had more to read")
