"""Keeps agent_runs and agent_steps up to what comes in: which traces are due, and how far all are settled."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from opentelemetry.trace import NoOpTracer, Tracer

from agentvigil.analysis.job_service import Lease
from agentvigil.analysis.settling.config import SettlingConfig
from agentvigil.analysis.settling.pending import Arrival, PendingTraces
from agentvigil.analysis.settling.state import SettlingState
from agentvigil.analysis.settling.statements import STATEMENTS
from agentvigil.analysis.settling.traces import TraceSettler
from agentvigil.analysis.settling.working_tables import WorkingTables, sweep
from agentvigil.storage.store import Store

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_SECONDS_PER_LOOK: Final = 100_000
_SHORT_LOOK_BACK: Final = timedelta(seconds=15)
_LONG_LOOK_BACK: Final = timedelta(minutes=15)
_LONG_LOOK_EVERY: Final = timedelta(minutes=1)
_RECOSTS_EVERY: Final = timedelta(seconds=10)
_RECOSTS_GRACE: Final = timedelta(seconds=5)
_REMEMBERED: Final = timedelta(days=1)
_NO_TRACER: Final = NoOpTracer()


@dataclass(frozen=True, slots=True)
class Progress:
    """What the job has done since it began, and how far behind it is."""

    runs: int = 0
    pending_traces: int = 0
    lag_s: float = 0.0
    """Age of the oldest span that is in no settled row."""


class SettlingJob:
    """Settles what comes in to ``store``, one :meth:`step` after the other.

    Intake is read by the second. A row becomes visible some time after the moment it was taken in, so the last seconds
    are counted again at every step and the last minutes at every minute, and a second that has grown is read again. The
    store remembers before when all is settled; a job that begins anew reads what came in since, and settles it again.
    """

    def __init__(self, store: Store, config: SettlingConfig, holder: str, tracer: Tracer = _NO_TRACER) -> None:
        self._store, self._config = store, config
        self._state = SettlingState(store, holder)
        self._settler = TraceSettler(store, config.batch_spans, tracer)
        self._pending = PendingTraces(config)
        self._begun_at_tenure = -1
        self._seen: dict[datetime, int] = {}
        self._unread: deque[list[tuple[datetime, int]]] = deque()
        self._is_behind = False
        self._began_at = self._read_from = self._counted_to = self._long_look_at = self._watermark = _NEVER
        self._recosts_looked_at = _NEVER
        self.progress = Progress()

    @property
    def lease(self) -> Lease:
        """What says that this process does it, and no other."""
        return self._state

    def step(self, now: datetime) -> bool:
        """Read what came in until ``now`` and settle what is due; say if there is more to do at once.

        Does nothing while another process has the lease.

        Raises:
            StorageError: if the store does not answer. The next step goes on where this one stopped.
        """
        if not self._state.take_lease(now):
            return False
        if self._begun_at_tenure != self._state.times_taken:
            self._begin(now)
        is_behind = self._read(now)
        settled_runs = self._settle(now) + self._settle_recosted(now)
        oldest = self._pending.oldest_unsettled()
        self._advance(now, oldest)
        lag_s = (now - oldest).total_seconds() if oldest else 0.0
        self.progress = Progress(self.progress.runs + settled_runs, len(self._pending), max(lag_s, 0.0))
        return is_behind

    def settle_window(self, taken_in_from: datetime, taken_in_to: datetime, now: datetime) -> int:
        """Settle every trace that spans came in for in this window, as they are; return how many runs were written.

        For rows that came in by another road than intake, long after the moment they carry.

        Raises:
            StorageError: if the store does not answer.
        """
        arrivals = self._arrivals(taken_in_from, taken_in_to)
        pending = PendingTraces(self._config)
        for arrival in arrivals:
            pending.add(arrival)
        traces = pending.due(max(now, taken_in_to + timedelta(seconds=self._config.quiet_s)))
        return self._settler.settle(traces).runs

    def stop(self, now: datetime) -> None:
        """Let another process take over.

        Raises:
            StorageError: if the store does not answer.
        """
        self._state.end_lease(now)

    def _begin(self, now: datetime) -> None:
        sweep(self._store)
        self._pending = PendingTraces(self._config)
        self._seen, self._unread = {}, deque()
        self._watermark = self._state.watermark()
        for project, trace_id, first, last, spans, settled_at in self._store.rows(
            STATEMENTS["waiting"], {"since": now - _REMEMBERED}
        ):
            # The store's clock may be ahead of ours.
            known_at = min(settled_at, now)
            self._pending.add_settled(Arrival(project, trace_id, first, last, int(spans), known_at, known_at), known_at)
        self._long_look_at = now
        self._began_at = self._read_from = self._counted_to = _whole_second(self._watermark)
        self._begun_at_tenure = self._state.times_taken

    def _read(self, now: datetime) -> bool:
        """Take note of traces that came in, as many as one batch of spans brought; say if there is more."""
        if not self._unread:
            self._unread = deque(_windows(self._count(now), self._seen, self._config.batch_spans))
        if self._unread:
            window = self._unread.popleft()
            for arrival in self._arrivals(window[0][0], window[-1][0] + _SECOND):
                self._pending.add(arrival)
            self._seen.update(window)
            if self._unread:
                self._read_from = max(self._read_from, window[-1][0] + _SECOND)
                return True
        self._read_from = self._counted_to
        forget_before = self._read_from - _LONG_LOOK_BACK
        self._seen = {second: spans for second, spans in self._seen.items() if second >= forget_before}
        return self._is_behind

    def _count(self, now: datetime) -> list[tuple[datetime, int]]:
        """Return the seconds to look at, each with how many spans it brought; those without are left out."""
        look_back = _SHORT_LOOK_BACK
        if now - self._long_look_at >= _LONG_LOOK_EVERY:
            look_back, self._long_look_at = _LONG_LOOK_BACK, now
        start = max(self._read_from - look_back, self._began_at)
        until = max(_whole_second(now), self._read_from)
        rows = self._store.rows(STATEMENTS["arrivals"], {"from": start, "to": until, "limit": _SECONDS_PER_LOOK})
        self._is_behind = len(rows) == _SECONDS_PER_LOOK
        self._counted_to = rows[-1][0] + _SECOND if self._is_behind else until
        return [(second, int(spans)) for second, spans in rows]

    def _arrivals(self, taken_in_from: datetime, taken_in_to: datetime) -> list[Arrival]:
        with WorkingTables(self._store) as tables:
            tables.make("arrived", "arrived", {"from": taken_in_from, "to": taken_in_to})
            return [
                Arrival(row[0], row[1], row[2], row[3], int(row[4]), row[5], row[6]) for row in tables.rows("touched")
            ]

    def _settle(self, now: datetime) -> int:
        due = self._pending.due(now)
        if not due:
            return 0
        settled = self._settler.settle(due)
        self._pending.settled(due, settled.open, now)
        return settled.runs

    def _settle_recosted(self, now: datetime) -> int:
        """Settle again what has other list costs than it was settled with, once all changes under way are made."""
        if now - self._recosts_looked_at < _RECOSTS_EVERY:
            return 0
        self._recosts_looked_at = now
        noted = self._store.rows(STATEMENTS["recosting"], {"to": now - _RECOSTS_GRACE})[0][0]
        since = self._state.recosted()
        if noted < since or noted == _NEVER:
            return 0
        until = noted + _SECOND
        traces = self._store.rows(STATEMENTS["recosted"], {"from": since, "to": until})
        settled = self._settler.resettle([(str(project), str(trace_id)) for project, trace_id in traces])
        self._state.advance_recosted(until)
        return settled.runs

    def _advance(self, now: datetime, oldest: datetime | None) -> None:
        settled_before = min(self._read_from, now - _LONG_LOOK_EVERY, oldest or now)
        if settled_before >= self._watermark + _SECOND:
            self._state.advance(settled_before)
            self._watermark = settled_before


def _whole_second(time: datetime) -> datetime:
    return time.replace(microsecond=0)


def _windows(
    seconds: Sequence[tuple[datetime, int]], seen: Mapping[datetime, int], most_spans: int
) -> Iterator[list[tuple[datetime, int]]]:
    """Cut ``seconds`` into windows of some ``most_spans`` spans, with nothing in them that was ``seen`` already."""
    window: list[tuple[datetime, int]] = []
    spans = 0
    for second, count in seconds:
        is_seen = seen.get(second, 0) == count
        if window and (is_seen or spans + count > most_spans):
            yield window
            window, spans = [], 0
        if not is_seen:
            window.append((second, count))
            spans += count
    if window:
        yield window
