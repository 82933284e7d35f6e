"""Times that lists are searched in, and the windows that they are cut into where the newest come first."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from agentvigil.api.conditions import nanoseconds

HOUR_NS: Final = 3_600_000_000_000
_WINDOWS_NS: Final = (HOUR_NS, 12 * HOUR_NS, 7 * 24 * HOUR_NS)
_MARGIN: Final = timedelta(days=1)
"""How far ahead of ours a sender's clock may be: no span is stored with a later start."""


def time_range(since: datetime | None, until: datetime | None, unless_said: timedelta | None = None) -> tuple[int, int]:
    """Return the first nanosecond since 1970 that is asked for, and the first that is not any more.

    Where no ``since`` is said the range begins at 1970, or ``unless_said`` ago.
    """
    now = datetime.now(UTC)
    if since is None and unless_said is not None:
        since = now - unless_said
    return (nanoseconds(since) if since else 0, nanoseconds(until or now + _MARGIN))


def newest_first(
    from_ns: int, to_ns: int, begin_ns: int | None = None, lengths_ns: Sequence[int] = _WINDOWS_NS
) -> Iterator[tuple[int, int]]:
    """Cut a time into windows, the newest first, which go ``lengths_ns`` back; the last one has all the rest.

    Most pages are full after the first, and no more of a table is read than that. With ``begin_ns``, where the page
    before ended, nothing newer is in them.
    """
    if begin_ns is not None:
        # Others may have started in the same nanosecond.
        to_ns = min(to_ns, begin_ns + 1)
    newest_ns = min(to_ns, nanoseconds(datetime.now(UTC)))
    for length_ns in lengths_ns:
        edge_ns = newest_ns - length_ns
        if edge_ns <= from_ns:
            break
        yield edge_ns, to_ns
        to_ns = edge_ns
    if from_ns < to_ns:
        yield from_ns, to_ns
