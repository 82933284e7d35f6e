"""Reads weeks of many agents some at a time: the next ones while these are worked on.

A store answers from other threads than the one that asks, so reading and working share the machine. Never more than
two batches are held: the one that is worked on, and the one that is read.
"""

from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import Final

from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.watching.drift import Reading

AT_ONCE: Final = 16
"""Agents that are read together: weeks of a busy one take some ten megabytes."""


def in_batches(
    read: Reading, first_hour: int, end_hour: int, subjects: Sequence[Subject]
) -> Generator[tuple[Sequence[Subject], Mapping[Subject, Cells]], None, None]:
    """Yield ``subjects`` in their order, some at a time, with the cells of those that have some.

    Sorted ones are read fastest: those of one batch lie together in the store. Who does not go on to the end closes
    the iterator; that takes as long as what is read just then.

    Raises:
        StorageError: if the store does not answer, where the batch that was asked for should come.
    """
    batches = [subjects[start : start + AT_ONCE] for start in range(0, len(subjects), AT_ONCE)]
    ahead: Future[Mapping[Subject, Cells]] | None = None
    with ThreadPoolExecutor(1, "reading-agents") as reader:
        for batch, after in pairwise([*batches, ()]):
            cells = ahead.result() if ahead else read(first_hour, end_hour, batch)
            ahead = reader.submit(read, first_hour, end_hour, after) if after else None
            yield batch, cells
