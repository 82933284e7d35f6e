"""Sending what is left where a process ends without coming to the end of its program.

OpenTelemetry's SDK flushes at a normal exit. It does not where a process is told to stop by SIGTERM, as containers are,
nor in workers of ``multiprocessing``, which end by ``os._exit``.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import util
from typing import Any, Final

from agentvigil.instrumentations.telemetry.guard import guarded

_FIRST: Final = 100
"""Among what a worker does at its end: before pools and queues are taken down."""


@guarded(otherwise=None)
def flush_at_every_end(flush: Callable[[float], object], within_s: float) -> None:
    """Have ``flush`` called with ``within_s`` where the process, or a worker that it starts, ends before its program.

    A program that has a handler for SIGTERM keeps it; one that sets a handler later has that one.
    """
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminating(flush, within_s))

    def at_end_of_worker(_flush: object) -> None:
        util.Finalize(None, flush, args=(within_s,), exitpriority=_FIRST)

    util.register_after_fork(flush, at_end_of_worker)
    if multiprocessing.parent_process() is not None:
        at_end_of_worker(flush)


def _terminating(flush: Callable[[float], object], within_s: float) -> Callable[[int, Any], None]:
    def handle(number: int, _frame: Any) -> None:
        # In a thread, since the main thread may hold any lock that flushing needs, wherever the signal has met it.
        flushing = threading.Thread(target=flush, args=(within_s,), daemon=True)
        flushing.start()
        flushing.join(within_s)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    return handle
