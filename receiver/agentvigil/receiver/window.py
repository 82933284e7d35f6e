"""Remembers which requests are stored, so that a retry of one is answered and not stored again."""

import time
from collections.abc import Callable, Iterable


class RequestWindow:
    """Hashes of the requests stored in the last ``window_s`` seconds, at most ``capacity``; used by one thread.

    A sender retries within minutes, so 15 of them are plenty. The bound on the number holds memory to about
    ``capacity`` times 200 bytes; under a load that fills it sooner, the oldest go first.
    """

    def __init__(self, window_s: int, capacity: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.window_s, self.capacity = window_s, capacity
        self._clock = clock
        self._stored_at: dict[bytes, float] = {}

    def add(self, hashes: Iterable[bytes]) -> None:
        now = self._clock()
        for request_hash in hashes:
            self._stored_at.pop(request_hash, None)
            self._stored_at[request_hash] = now
        self._forget(now)

    def __contains__(self, request_hash: bytes) -> bool:
        return request_hash in self._stored_at

    def __len__(self) -> int:
        return len(self._stored_at)

    def _forget(self, now: float) -> None:
        # A dict keeps the order of insertion: the oldest are in front.
        oldest = now - self.window_s
        expired = []
        excess = len(self._stored_at) - self.capacity
        for index, (request_hash, stored_at) in enumerate(self._stored_at.items()):
            if index >= excess and stored_at >= oldest:
                break
            expired.append(request_hash)
        for request_hash in expired:
            del self._stored_at[request_hash]
