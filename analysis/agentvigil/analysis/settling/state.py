"""What settling remembers in the store: how far it is, and which process does it."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zlib import crc32

from agentvigil.analysis.settling.statements import STATEMENTS
from agentvigil.storage.errors import StorageError
from agentvigil.storage.store import Store

_WATERMARK: Final = "watermark"
_RECOSTED: Final = "recosted"
_JUDGED: Final = "judged"
_LEASE: Final = "lease"
_LEASE_TIME: Final = timedelta(seconds=30)
CLAIMS_S: Final = 1.0
"""So long a claim waits for others."""

_CONFIRMATIONS: Final = 5
_HOLDER_BITS: Final = 32
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


class LeaseLost(StorageError):
    """This process stood still, or the store did, for longer than its lease: another one does the job by now."""

    def __init__(self, lease: str) -> None:
        super().__init__(
            f"the lease of {lease!r} went to another process while this one was at work, and does again what it did"
        )
        self.lease = lease


class SettlingState:
    """The rows of settling_state, as ``holder`` reads and writes them; ``lease`` names the work that one process does.

    Every method raises :class:`StorageError` if the store does not answer.
    """

    def __init__(self, store: Store, holder: str, lease: str = _LEASE) -> None:
        self._store, self._holder, self._lease = store, holder, lease
        self.is_held = False
        """What :meth:`take_lease` said last."""
        self.times_taken = 0
        """How often this process got it where another one had it last, or nobody: what it knew before may be old."""
        self._is_claim = False
        """Whether the newest row, if it is this process's, is a claim that it never confirmed."""

    def watermark(self) -> datetime:
        """Return before when all that was taken in is settled; 1970 if nothing ever was."""
        row = self._read(_WATERMARK)
        return row[0] if row else _START

    def advance(self, watermark: datetime) -> None:
        """Remember that all that was taken in before ``watermark`` is settled."""
        self._write(_WATERMARK, watermark)

    def recosted(self) -> datetime:
        """Return before when all noted changes of list costs are in the rows; 1970 if there never were any."""
        row = self._read(_RECOSTED)
        return row[0] if row else _START

    def advance_recosted(self, recosted: datetime) -> None:
        """Remember that all changes of list costs noted before ``recosted`` are in the rows."""
        self._write(_RECOSTED, recosted)

    def judged(self) -> datetime:
        """Return before when all feedback that was taken in is noted; 1970 if there never was a look."""
        row = self._read(_JUDGED)
        return row[0] if row else _START

    def advance_judged(self, judged: datetime) -> None:
        """Remember that all feedback that was taken in before ``judged`` is noted."""
        self._write(_JUDGED, judged)

    def take_lease(self, now: datetime) -> bool:
        """Say whether this process is the one to do it now.

        ClickHouse compares and sets nothing at once, so several may see an ended lease and claim it. Each claims the
        place after the row it saw and waits for the others' claims; whose own is then the newest confirms it, in the
        place after that, where no late claim comes. That holds if no more time passes from that look to the end of the
        confirmation than the others wait: who is slower waits and confirms again.

        Nothing keeps a process from standing still afterwards, in the middle of its work, until another has the lease.
        So what it writes then must be harmless: rows that tell when what they were made of was read.
        :meth:`confirm` keeps such work short.
        """
        self.is_held = self._take_lease(now)
        return self.is_held

    def _take_lease(self, now: datetime) -> bool:
        row = self._read(self._lease)
        if row and row[1] != self._holder and row[0] > now:
            self._is_claim = False
            return False
        is_last = row is not None and row[1] == self._holder and not self._is_claim
        has_it = is_last and row is not None and row[0] > now
        if row and has_it and row[0] > now + _LEASE_TIME / 2:
            return True
        version = self._insert(self._lease, now + _LEASE_TIME, row[2] if row else 0)
        if not has_it and not self._store.is_embedded:
            self._is_claim = True
            if not self._is_confirmed(now, version):
                return False
            self._is_claim = False
        if not self._is_newest():
            return False
        self.times_taken += not is_last
        return True

    def _is_confirmed(self, now: datetime, version: int) -> bool:
        for _ in range(_CONFIRMATIONS):
            time.sleep(CLAIMS_S)
            looked_at = time.monotonic()
            if not self._is_newest():
                return False
            version = self._insert(self._lease, now + _LEASE_TIME, version)
            if time.monotonic() - looked_at < CLAIMS_S:
                return True
        return False

    def confirm(self, now: datetime) -> None:
        """Go on in a step that began ``now`` if this process has the lease still, before it writes what it found.

        Raises:
            LeaseLost: if another has it.
        """
        times_taken = self.times_taken
        if not self.take_lease(now) or self.times_taken != times_taken:
            raise LeaseLost(self._lease)

    def renew(self, now: datetime) -> None:
        """Keep the lease for longer if this process has it, from any thread; one that has ended is not taken again."""
        row = self._read(self._lease) if self.is_held else None
        if row and row[1] == self._holder and now < row[0] <= now + _LEASE_TIME / 2:
            self._insert(self._lease, now + _LEASE_TIME, row[2])

    def end_lease(self, now: datetime) -> None:
        """Let another process take over at once."""
        row = self._read(self._lease)
        if row and row[1] == self._holder:
            # In the place after that row: if another took over in between, its own is newer.
            self._insert(self._lease, now, row[2])
        self.is_held = False

    def _is_newest(self) -> bool:
        row = self._read(self._lease)
        return row is not None and row[1] == self._holder

    def _read(self, name: str) -> tuple[datetime, str, int] | None:
        rows: Sequence[Sequence[object]] = self._store.rows(STATEMENTS["read_state"], {"name": name})
        for at, holder, version in rows:
            assert isinstance(at, datetime)
            return at, str(holder), int(str(version))
        return None

    def _write(self, name: str, at: datetime) -> None:
        row = self._read(name)
        self._insert(name, at, row[2] if row else 0)

    def _insert(self, name: str, at: datetime, after: int) -> int:
        """Write a row after version ``after``, and return its own: no other holder has it, since of equals a merge
        keeps any."""
        version = ((after >> _HOLDER_BITS) + 1 << _HOLDER_BITS) + crc32(self._holder.encode())
        self._store.command(
            STATEMENTS["write_state"], {"name": name, "time": at, "holder": self._holder, "version": version}
        )
        return version
