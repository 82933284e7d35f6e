"""Reads weeks of many agents some at a time: the next ones while these are worked on.

A store answers from other threads than the one that asks, so reading and working share the machine. Never more than
two batches are held: the one that is worked on, and the one that is read.
"""

from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from math import sqrt
from typing import Final

from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.features.reading import RunCount
from agentvigil.analysis.watching.drift import Reading

AT_ONCE: Final = 16
"""Agents that are read together where nothing is known of how many runs they have."""
ROWS_AT_ONCE: Final = 4_000_000
"""Rows that are read together, about: 40 bytes each, and while they are read twice that. The store unpacks what lies
beside the rows that are asked for as well, so to ask for few agents many times is to read the store many times."""
_ROWS_PER_ROOT: Final = 1_000
"""Weeks of n runs have about so many rows times √n, since the more runs, the more of them count in the same row: 500 to
1,400 in agents of 300 to 350,000 runs, as ``benchmarks/detection`` draws them."""


def in_batches(
    read: Reading,
    first_hour: int,
    end_hour: int,
    subjects: Sequence[Subject],
    counts: Mapping[Subject, RunCount] | None = None,
) -> Generator[tuple[Sequence[Subject], Mapping[Subject, Cells]], None, None]:
    """Yield ``subjects`` in their order, some at a time, with the cells of those that have some.

    How many at a time hangs on ``counts`` of their runs. Sorted ones are read fastest: those of one batch lie together
    in the store. Who does not go on to the end closes the iterator; that takes as long as what is read just then.

    Raises:
        StorageError: if the store does not answer, where the batch that was asked for should come.
    """
    ahead: Future[Mapping[Subject, Cells]] | None = None
    with ThreadPoolExecutor(1, "reading-agents") as reader:
        for batch, after in pairwise([*_cut(subjects, counts or {}), ()]):
            cells = ahead.result() if ahead else read(first_hour, end_hour, batch)
            ahead = reader.submit(read, first_hour, end_hour, after) if after else None
            yield batch, cells


def _cut(subjects: Sequence[Subject], counts: Mapping[Subject, RunCount]) -> list[Sequence[Subject]]:
    """Return pieces of ``subjects``, none of which should have more rows than are read at once, unless it is one."""
    starts, rows = [0], 0.0
    for place, subject in enumerate(subjects):
        count = counts.get(subject)
        mine = ROWS_AT_ONCE / AT_ONCE if count is None else _ROWS_PER_ROOT * sqrt(count.runs)
        if rows + mine > ROWS_AT_ONCE and place > starts[-1]:
            starts.append(place)
            rows = 0.0
        rows += mine
    return [subjects[start:end] for start, end in pairwise([*starts, len(subjects)]) if end > start]
