"""Learns what other receivers stored on the same server, so that a request of theirs that is sent again comes in once.

A sender that got no answer sends again, and a load balancer may hand that to another receiver. What a receiver stored
itself it knows; what its neighbours stored it reads every few seconds, as far as it is new.
"""

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from agentvigil.storage.errors import StorageError

_LOG: Final = logging.getLogger("agentvigil.receiver")
_EVERY_S: Final = 2.0
_LOOK_BACK: Final = timedelta(seconds=30)
"""A row is visible some time after the moment at which its receiver took it in."""


class Stored(Protocol):
    """What is stored of a request."""

    @property
    def is_whole(self) -> bool: ...


class Neighbours:
    """Reads with ``stored_since``, which may raise StorageError, and tells ``learn`` the hashes of whole requests.

    It reads at most ``limit`` requests at a time, the newest ones.
    """

    def __init__(
        self,
        stored_since: Callable[[datetime, int], Mapping[bytes, Stored]],
        learn: Callable[[Collection[bytes]], None],
        limit: int,
    ) -> None:
        self._stored_since, self._learn, self._limit = stored_since, learn, limit
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="agentvigil-neighbours", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Read no more."""
        self._stopping.set()
        self._thread.join()

    def look(self, now: datetime) -> None:
        """Read once.

        Raises:
            StorageError: if the store does not answer.
        """
        self._learn(_whole(self._stored_since(now - _LOOK_BACK, self._limit).items()))

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            try:
                self.look(datetime.now(UTC))
            except StorageError as exc:
                _LOG.debug("what other receivers stored can not be read, trying again: %s", exc)
            except Exception:  # noqa: BLE001 - without this thread what is sent again would be stored twice
                _LOG.exception("what other receivers stored could not be read for a reason nobody foresaw")


def _whole(requests: Iterable[tuple[bytes, Stored]]) -> list[bytes]:
    return [request_hash for request_hash, request in requests if request.is_whole]
