"""What goes on and ends some time, by an id. Of what never ends, so much is remembered and no more."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

MOST: Final = 10_000
"""So many may go on at once. Of more, the oldest are taken for abandoned: a stream that nobody reads never ends."""

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class GoingOn(Generic[_K, _V]):
    """What goes on, from any thread."""

    def __init__(self) -> None:
        self._held: OrderedDict[_K, _V] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, key: _K, value: _V) -> _V | None:
        """Remember what begins. Returns what is too old to be remembered any longer."""
        with self._lock:
            self._held[key] = value
            return self._held.popitem(last=False)[1] if len(self._held) > MOST else None

    def get(self, key: _K) -> _V | None:
        """Return what goes on."""
        with self._lock:
            return self._held.get(key)

    def pop(self, key: _K) -> _V | None:
        """Forget what ends, and return it."""
        with self._lock:
            return self._held.pop(key, None)

    def __len__(self) -> int:
        return len(self._held)
