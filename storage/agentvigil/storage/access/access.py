"""Says at every request who is calling, from memory: asking costs microseconds and never waits for the store.

A thread reads the keys anew every few seconds, so that what another process made or revoked counts soon; what is made
or revoked by our own ``KeyBook`` counts at once. While the store is away the keys that were last read go on counting.
"""

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from agentvigil.storage.access.callers import ALL_SCOPES, OPEN_CALLER, Caller
from agentvigil.storage.access.errors import KeyMissing, KeyRefused
from agentvigil.storage.access.key_book import KeyBook, StoredKey
from agentvigil.storage.access.keys import digest_of, id_of, is_same
from agentvigil.storage.errors import StorageError

_LOG: Final = logging.getLogger("agentvigil.storage")
_RELOAD_EVERY_S: Final = 4.0
_RELOAD_AGAIN_S: Final = 1.0
"""Least time between two reads of the keys, however many unknown ones are shown."""
_STORE_USES_EVERY_S: Final = 30.0
_NO_DIGEST: Final = "0" * 64

STATIC_KEY_ID: Final = "static"
LOCAL_KEY_ID: Final = "local"


@dataclass(frozen=True, slots=True)
class _Known:
    """A key in memory, and who shows it."""

    stored: StoredKey
    caller: Caller


class Access:
    """Who may call: holders of the keys in ``book``, of ``static_key`` and of ``token``; the latter two may do all.

    Where no key was ever made, there is no static key and none is ``required``, everybody may do all. A key that was
    revoked or has expired counts as made: forgetting it must not open the door.

    Call ``load`` before anything else, then ``start``. ``caller_of`` may be called from any thread, the event loop's
    too.
    """

    def __init__(
        self, book: KeyBook, *, static_key: str | None = None, token: str | None = None, required: bool = False
    ) -> None:
        if static_key == "":
            raise ValueError("the static key is empty; give a key, or None for none")
        self._book = book
        self._own = {
            digest_of(text): Caller(None, ALL_SCOPES, key_id)
            for text, key_id in ((static_key, STATIC_KEY_ID), (token, LOCAL_KEY_ID))
            if text
        }
        self._has_static_key = static_key is not None
        self._required = required
        self._keys: Mapping[str, _Known] = {}
        self._reading = threading.Lock()
        self._last_used_s: dict[str, float] = {}
        self._stored_uses_s: dict[str, float] = {}
        self._is_store_away = False
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        book.watch(self.learn)

    @property
    def is_open(self) -> bool:
        """Whether everybody may do everything without a key."""
        return not (self._required or self._has_static_key or self._keys)

    @property
    def usable_keys(self) -> int:
        """How many keys let somebody in now; the static one counts, the token does not."""
        now = datetime.now(UTC)
        return sum(known.stored.record.is_usable(now) for known in self._keys.values()) + self._has_static_key

    def caller_of(self, offered_keys: Iterable[str]) -> Caller:
        """Return who shows ``offered_keys``; the first that is valid counts.

        Raises:
            KeyMissing: if a key is needed and there is none among them.
            KeyRefused: if none of them is valid.
        """
        if self.is_open:
            return OPEN_CALLER
        callers = [self._caller_of(text) for text in offered_keys if text]
        if not callers:
            raise KeyMissing
        for caller in callers:
            if caller is not None:
                self._last_used_s[caller.key_id] = time.time()
                return caller
        raise KeyRefused

    def load(self) -> None:
        """Read the keys from the store.

        Raises:
            StorageError: if it does not answer; the keys stay as they were.
        """
        with self._reading:
            self._keys = {stored.record.id: _known(stored) for stored in self._book.stored()}

    def learn(self, stored: StoredKey) -> None:
        """Let a key count, or count no more, as it is stored now."""
        # Waits for a reading that began before the change, and would undo it.
        with self._reading:
            self._keys = {**self._keys, stored.record.id: _known(stored)}

    def start(self) -> None:
        """Begin to read the keys anew, and to store when they were used, in a thread."""
        self._thread = threading.Thread(target=self._run, name="agentvigil-access", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and store what is known of uses; safe to call twice or before ``start``."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self._store_uses()

    def _caller_of(self, text: str) -> Caller | None:
        digest = digest_of(text)
        found: Caller | None = None
        for own, caller in self._own.items():
            if is_same(own, digest):
                found = caller
        key_id = id_of(text)
        known = self._keys.get(key_id) if key_id is not None else None
        # Compared with something also where the id is unknown, so that the time says nothing about that.
        matches = is_same(_NO_DIGEST if known is None else known.stored.digest, digest)
        if known is None:
            if key_id is not None and found is None:
                self._wake.set()
        elif matches and known.stored.record.is_usable(datetime.now(UTC)):
            found = known.caller
        return found

    def _run(self) -> None:
        uses_due_s = time.monotonic() + _STORE_USES_EVERY_S
        while True:
            self._wake.wait(_RELOAD_EVERY_S)
            self._wake.clear()
            if self._stopping.is_set():
                return
            self._reload()
            if time.monotonic() >= uses_due_s:
                self._store_uses()
                uses_due_s = time.monotonic() + _STORE_USES_EVERY_S
            if self._stopping.wait(_RELOAD_AGAIN_S):
                return

    def _reload(self) -> None:
        try:
            self.load()
        except StorageError as exc:
            if not self._is_store_away:
                _LOG.warning("the keys can not be read anew, those of before go on counting: %s", exc)
            self._is_store_away = True
        except Exception:  # noqa: BLE001 - without this thread a key revoked elsewhere would count for ever
            _LOG.exception("the keys could not be read anew for a reason nobody foresaw")
        else:
            self._is_store_away = False

    def _store_uses(self) -> None:
        newer = {
            key_id: at_s
            for key_id, at_s in list(self._last_used_s.items())
            if key_id in self._keys and at_s > self._stored_uses_s.get(key_id, 0)
        }
        if not newer:
            return
        try:
            self._book.record_uses({key_id: datetime.fromtimestamp(at_s, UTC) for key_id, at_s in newer.items()})
        except StorageError as exc:
            _LOG.debug("when keys were used can not be stored, it is tried again: %s", exc)
        else:
            self._stored_uses_s |= newer


def _known(stored: StoredKey) -> _Known:
    return _Known(stored, Caller(stored.record.project, stored.record.scopes, stored.record.id))
