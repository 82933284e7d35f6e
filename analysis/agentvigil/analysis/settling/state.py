"""What settling remembers in the store: how far it is, and which process does it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from agentvigil.analysis.settling.statements import STATEMENTS
from agentvigil.storage.store import Store

_WATERMARK: Final = "watermark"
_RECOSTED: Final = "recosted"
_JUDGED: Final = "judged"
_LEASE: Final = "lease"
_LEASE_TIME: Final = timedelta(seconds=30)
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


class SettlingState:
    """The rows of settling_state, as ``holder`` reads and writes them; ``lease`` names the work that one process does.

    Every method raises :class:`StorageError` if the store does not answer.
    """

    def __init__(self, store: Store, holder: str, lease: str = _LEASE) -> None:
        self._store, self._holder, self._lease = store, holder, lease

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
        """Say whether this process is the one to do it now; what two at once cost is double work, no more."""
        row = self._read(self._lease)
        if row and row[1] != self._holder and row[0] > now:
            return False
        if row and row[1] == self._holder and row[0] > now + _LEASE_TIME / 2:
            return True
        self._write(self._lease, now + _LEASE_TIME)
        row = self._read(self._lease)
        return row is not None and row[1] == self._holder

    def end_lease(self, now: datetime) -> None:
        """Let another process take over at once."""
        row = self._read(self._lease)
        if row and row[1] == self._holder:
            self._write(self._lease, now)

    def _read(self, name: str) -> tuple[datetime, str, int] | None:
        rows: Sequence[Sequence[object]] = self._store.rows(STATEMENTS["read_state"], {"name": name})
        for time, holder, version in rows:
            assert isinstance(time, datetime)
            return time, str(holder), int(str(version))
        return None

    def _write(self, name: str, time: datetime) -> None:
        row = self._read(name)
        self._store.command(
            STATEMENTS["write_state"],
            {"name": name, "time": time, "holder": self._holder, "version": row[2] + 1 if row else 1},
        )
