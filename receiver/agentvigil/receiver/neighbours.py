"""Looks what other receivers stored on the same server, so that a request of theirs that is sent again comes in once.

A sender that got no answer sends again, and a load balancer may hand that to another receiver. What a receiver stored
itself it knows; what its neighbours stored it reads before it stores a group of its own, as far as that is new.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from agentvigil.receiver.window import RequestWindow
from agentvigil.storage.envelope import ExportRequest
from agentvigil.storage.errors import StorageError
from agentvigil.storage.request_writer import Outcome

_LOG: Final = logging.getLogger("agentvigil.receiver")
_REST_PER_LOOK: Final = 4
"""What a look took, so many times: under load looking takes a fifth of the time, no more."""
_SHOWN_LATE: Final = timedelta(seconds=15)
"""A row is visible some time after the moment at which its receiver took it in."""


class Writer(Protocol):
    """What stores a group."""

    def write(self, group: Sequence[ExportRequest]) -> list[Outcome]: ...


class Stored(Protocol):
    """What is stored of a request."""

    @property
    def is_whole(self) -> bool: ...


class NeighbourlyWriter:
    """Stores groups with ``writer``, but for requests that are stored already; used by one thread.

    ``stored_since`` says what is, of what was taken in since a time, at most so many requests, the newest ones; it may
    raise StorageError. ``window`` keeps what was found.
    """

    def __init__(
        self,
        writer: Writer,
        stored_since: Callable[[datetime, int], Mapping[bytes, Stored]],
        window: RequestWindow,
    ) -> None:
        self._writer, self._stored_since, self._window = writer, stored_since, window
        self._looked_at = datetime.now(UTC) - timedelta(seconds=window.window_s)
        self._rests_until = 0.0

    def write(self, group: Sequence[ExportRequest]) -> list[Outcome]:
        """Return what became of each request of ``group``, in order."""
        self._look()
        new = [request for request in group if request.request_hash not in self._window]
        outcomes = dict(zip((request.request_hash for request in new), self._writer.write(new), strict=True))
        return [outcomes.get(request.request_hash, Outcome.STORED) for request in group]

    def _look(self) -> None:
        began = time.monotonic()
        if began < self._rests_until:
            return
        now = datetime.now(UTC)
        try:
            found = self._stored_since(self._looked_at - _SHOWN_LATE, self._window.capacity)
        except StorageError as exc:
            _LOG.debug("what other receivers stored can not be read: %s", exc)
            return
        self._looked_at = now
        self._window.add(request_hash for request_hash, request in found.items() if request.is_whole)
        ended = time.monotonic()
        self._rests_until = ended + _REST_PER_LOOK * (ended - began)
