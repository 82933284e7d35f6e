"""The traces that spans came in for and that are not done: which of them are due to be settled."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from agentvigil.analysis.settling.batches import Trace
from agentvigil.analysis.settling.config import SettlingConfig

_FIRST_LOOK: Final = timedelta(seconds=30)
"""After which a trace that never gets quiet is settled as it is; again each time it has gone on for twice as long."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Spans of a trace that came in: ``spans`` or more that start between ``first`` and ``last``."""

    project: str
    trace_id: str
    first: datetime
    last: datetime
    spans: int
    first_ingested_at: datetime
    last_ingested_at: datetime


@dataclass(frozen=True, slots=True)
class _Waiting:
    arrival: Arrival
    unsettled_since: datetime | None
    """When the first span that is not in a settled row came in; None if all are."""
    settled_at: datetime | None


class PendingTraces:
    """Traces by project and id, from their first span to the time when nothing is awaited any more."""

    def __init__(self, config: SettlingConfig) -> None:
        self._quiet = timedelta(seconds=config.quiet_s)
        self._give_up = timedelta(seconds=config.give_up_s)
        self._waiting: dict[tuple[str, str], _Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, arrival: Arrival) -> None:
        """Take note of spans that came in."""
        key = (arrival.project, arrival.trace_id)
        known = self._waiting.get(key)
        if known is None:
            self._waiting[key] = _Waiting(arrival, arrival.first_ingested_at, None)
            return
        before = known.arrival
        self._waiting[key] = _Waiting(
            Arrival(
                *key,
                min(before.first, arrival.first),
                max(before.last, arrival.last),
                before.spans + arrival.spans,
                min(before.first_ingested_at, arrival.first_ingested_at),
                # What was settled before has been quiet, or its time is not one of intake.
                arrival.last_ingested_at
                if known.unsettled_since is None
                else max(before.last_ingested_at, arrival.last_ingested_at),
            ),
            min(known.unsettled_since or arrival.first_ingested_at, arrival.first_ingested_at),
            known.settled_at,
        )

    def add_settled(self, arrival: Arrival, settled_at: datetime) -> None:
        """Take note of a trace that was settled before with an open run."""
        self._waiting[arrival.project, arrival.trace_id] = _Waiting(arrival, None, settled_at)

    def due(self, now: datetime) -> list[Trace]:
        """Return the traces to settle now."""
        return list(self._due(now))

    def settled(self, traces: Collection[Trace], still_open: Collection[tuple[str, str]], now: datetime) -> None:
        """Take note that ``traces``, as :meth:`due` gave them, are settled, ``still_open`` of them with an open run."""
        for trace in traces:
            key = (trace.project, trace.trace_id)
            known = self._waiting[key]
            is_quiet = now - known.arrival.last_ingested_at >= self._quiet
            if trace.is_final or (is_quiet and key not in still_open):
                del self._waiting[key]
            else:
                self._waiting[key] = replace(known, unsettled_since=None, settled_at=now)

    def oldest_unsettled(self) -> datetime | None:
        """Return when the first span came in that is in no settled row, None if all are."""
        return min((known.unsettled_since for known in self._waiting.values() if known.unsettled_since), default=None)

    def _due(self, now: datetime) -> Iterator[Trace]:
        for (project, trace_id), known in self._waiting.items():
            arrival = known.arrival
            silence = now - arrival.last_ingested_at
            is_final = silence >= self._give_up
            if known.unsettled_since is not None:
                began = arrival.first_ingested_at
                looked_at = known.settled_at or began
                is_due = silence >= self._quiet or now - looked_at >= max(_FIRST_LOOK, looked_at - began)
            else:
                is_due = is_final
            if is_due:
                yield Trace(project, trace_id, arrival.first, arrival.last, arrival.spans, is_final)
