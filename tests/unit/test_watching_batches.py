"""Agents are read some at a time, the next ones while these are worked on."""

import threading
from collections.abc import Collection, Mapping
from typing import Final

import numpy as np
import pytest

from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.features.reading import RunCount
from agentvigil.analysis.watching.batches import AT_ONCE, ROWS_AT_ONCE, in_batches
from agentvigil.storage.errors import StorageError

AGENTS: Final = [Subject("default", "production", f"agent-{number:03d}") for number in range(5 * AT_ONCE + 3)]
LONG: Final = 30
"""Seconds after which something is never going to happen."""


def cells_of(subject: Subject) -> Cells:
    none = np.zeros(0, np.int32)
    nothing = none.astype(np.float64)
    words = ("", subject.agent)
    return Cells(words, none, none, none, none, none, none, none.astype(np.int16), nothing, nothing)


class Store:
    """Answers, and remembers what was asked for; a batch in ``held`` is answered when it is let go."""

    def __init__(self) -> None:
        self.asked: list[Collection[Subject]] = []
        self.asked_for = threading.Semaphore(0)
        self.held: dict[int, threading.Event] = {}
        self.broken: set[int] = set()
        self.threads: set[threading.Thread] = set()

    def read(self, first_hour: int, end_hour: int, subjects: Collection[Subject] | None) -> Mapping[Subject, Cells]:
        assert (first_hour, end_hour) == (10, 20)
        assert subjects is not None
        number = len(self.asked)
        self.asked.append(subjects)
        self.threads.add(threading.current_thread())
        self.asked_for.release()
        if number in self.held:
            assert self.held[number].wait(LONG)
        if number in self.broken:
            raise StorageError("the store is away")
        # Of every third nothing is known.
        return {subject: cells_of(subject) for subject in subjects if AGENTS.index(subject) % 3}

    def is_left_alone(self) -> bool:
        """Say whether none of the threads that read goes on."""
        return not any(thread.is_alive() for thread in self.threads - {threading.current_thread()})


def test_all_come_in_order_and_once_with_their_own_cells() -> None:
    store = Store()
    seen = []
    for subjects, cells in in_batches(store.read, 10, 20, AGENTS):
        assert set(cells) == {subject for subject in subjects if AGENTS.index(subject) % 3}
        assert all(mine.words[1] == subject.agent for subject, mine in cells.items())
        seen += subjects

    assert seen == AGENTS
    assert [len(subjects) for subjects in store.asked] == [AT_ONCE] * 5 + [3]
    assert store.is_left_alone()


def test_agents_with_few_runs_are_read_many_at_a_time_and_busy_ones_alone() -> None:
    """Each question unpacks what lies beside its answer, and an answer has to fit into memory."""
    store = Store()
    few, many = RunCount(100, 10), RunCount(ROWS_AT_ONCE**2, 10)
    counts = {subject: many if place in {3, 4} else few for place, subject in enumerate(AGENTS)}
    seen = [subject for subjects, _ in in_batches(store.read, 10, 20, AGENTS, counts) for subject in subjects]

    assert seen == AGENTS
    assert [len(subjects) for subjects in store.asked] == [3, 1, 1, len(AGENTS) - 5]


def test_the_next_are_read_while_these_are_worked_on_and_no_more_than_these() -> None:
    """Weeks of many agents would not fit into memory."""
    store = Store()
    store.held[1] = threading.Event()
    batches = in_batches(store.read, 10, 20, AGENTS)
    next(batches)
    # Were the second batch read in this thread, nothing would come of it.
    assert store.asked_for.acquire(timeout=LONG)
    assert store.asked_for.acquire(timeout=LONG)
    assert len(store.asked) == 2
    store.held[1].set()
    next(batches)
    assert store.asked_for.acquire(timeout=LONG)
    assert len(store.asked) == 3
    batches.close()

    assert len(store.asked) == 3
    assert store.is_left_alone()


@pytest.mark.parametrize("broken", [0, 1, 4, 5])
def test_trouble_comes_where_the_batch_should_come(broken: int) -> None:
    store = Store()
    store.broken = {broken}
    seen: list[Subject] = []

    def work() -> None:
        for subjects, _ in in_batches(store.read, 10, 20, AGENTS):
            seen.extend(subjects)

    with pytest.raises(StorageError, match="the store is away"):
        work()

    assert seen == AGENTS[: broken * AT_ONCE]
    assert len(store.asked) == broken + 1
    assert store.is_left_alone()


def test_who_stops_gets_his_own_trouble_and_leaves_no_thread() -> None:
    """What fails while agents are worked on hides nothing and is hidden by nothing."""
    store = Store()
    store.broken = {2}
    batches = in_batches(store.read, 10, 20, AGENTS)

    def work() -> None:
        for number, _ in enumerate(batches):
            if number == 1:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    batches.close()

    assert store.is_left_alone()


def test_of_nobody_nothing_is_read() -> None:
    store = Store()
    assert list(in_batches(store.read, 10, 20, [])) == []
    assert store.asked == []
