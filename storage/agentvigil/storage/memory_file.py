"""Bytes that have a path and are in no file: ClickHouse inside this process reads inserts by path.

What a sender wrote must not be found on a disk before content is withheld, also when the process is killed here. So
there is no temporary file, but memory that the kernel frees with the process.
"""

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from io import FileIO


@contextlib.contextmanager
def readable_path(parts: Sequence[bytes]) -> Iterator[str]:
    """Yield a path from which this process can read ``parts`` once, one after the other.

    It is a memory file, or a pipe where there are none.
    """
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("otlp"), "wb", buffering=0) as memory:
            _write_all(memory, parts)
            yield f"/proc/self/fd/{memory.fileno()}"
        return
    read_fd, write_fd = os.pipe()
    writer = threading.Thread(target=_fill, args=(write_fd, parts), name="agentvigil-pipe", daemon=True)
    writer.start()
    try:
        yield f"/dev/fd/{read_fd}"
    finally:
        # Closing the reading end frees a writer whose reader gave up.
        os.close(read_fd)
        writer.join()


def _fill(fd: int, parts: Sequence[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError), os.fdopen(fd, "wb", buffering=0) as pipe:
        _write_all(pipe, parts)


def _write_all(file: FileIO, parts: Sequence[bytes]) -> None:
    for part in parts:
        remaining = memoryview(part)
        while remaining:
            remaining = remaining[file.write(remaining) :]
