"""Cuts traces that are to be settled into batches."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

_NEAR: Final = timedelta(hours=1)
"""Traces so close together are read together: what lies between them is read with them."""
_LONGEST_REACH: Final = timedelta(days=14)
"""Each day is a partition for each retention class, and an insert takes a hundred."""
_CROWDED: Final = 20
"""Where so many spans are stored for each of a batch, a long reach would read more than it saves."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace to settle: all its spans, ``spans`` or more of them, start between ``first`` and ``last``.

    ``is_final`` says that nobody waits any longer for what is missing of it, so none of its runs is open.
    """

    project: str
    trace_id: str
    first: datetime
    last: datetime
    spans: int
    is_final: bool


def batches_of(
    traces: Sequence[Trace], batch_spans: int, stored_by_day: Callable[[], Mapping[date, int]]
) -> Iterator[list[Trace]]:
    """Cut ``traces`` into batches that are small enough, and whose spans lie together in time.

    That is within an hour, or longer where little else is stored in between: history that is sent at once would make
    a batch for every hour of it otherwise. ``stored_by_day`` returns how many spans are stored, by the day they began.
    """
    stored: Mapping[date, int] | None = None
    for batch in _cut(traces, batch_spans, _LONGEST_REACH):
        if batch[-1].first - batch[0].first > _NEAR:
            stored = stored_by_day() if stored is None else stored
            if _is_crowded(batch, stored):
                yield from _cut(batch, batch_spans, _NEAR)
                continue
        yield batch


def _cut(traces: Sequence[Trace], batch_spans: int, reach: timedelta) -> Iterator[list[Trace]]:
    batch: list[Trace] = []
    spans = 0
    for trace in sorted(traces, key=lambda trace: (trace.first, trace.trace_id)):
        if batch and (spans + trace.spans > batch_spans or trace.first - batch[0].first > reach):
            yield batch
            batch, spans = [], 0
        batch.append(trace)
        spans += trace.spans
    if batch:
        yield batch


def _is_crowded(batch: Sequence[Trace], stored: Mapping[date, int]) -> bool:
    first, last = batch[0].first.date(), max(trace.last for trace in batch).date()
    there = sum(spans for day, spans in stored.items() if first <= day <= last)
    return there > _CROWDED * max(1, sum(trace.spans for trace in batch))
