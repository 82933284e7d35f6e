"""Who may call, without a store: everybody, or the holder of one static key."""

from agentvigil.storage.access import Access, KeyBook
from agentvigil.storage.access.key_book import StoredKey


class NoKeys(KeyBook):
    """A book without keys, in which none are made."""

    def __init__(self) -> None:
        self._watchers = []

    def stored(self) -> list[StoredKey]:
        return []


def access_by(key: str | None) -> Access:
    """Return an access that takes ``key`` for everything, or everybody if that is None."""
    return Access(NoKeys(), static_key=key)
