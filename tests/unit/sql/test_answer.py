"""An answer is read to its end, or its query is stopped; nothing in between."""

import os
import threading
import time
from collections.abc import Callable

import pytest

from agentvigil.storage.sql.answer import Answer, Cost, Pipe
from agentvigil.storage.sql.errors import EngineError, QueryRefused


class FakeEngine:
    """Stands for a query: ``kill`` makes it fail as the engine does."""

    def __init__(self, work: Callable[[Pipe, threading.Event], None]) -> None:
        self._work = work
        self.killed = threading.Event()
        self.closed = 0

    def run(self, pipe: Pipe) -> Cost:
        self._work(pipe, self.killed)
        if self.killed.is_set():
            raise EngineError(394, "QUERY_WAS_CANCELLED", "Query was cancelled")
        return Cost(7)

    def answer(
        self,
        *,
        stop: threading.Event | None = None,
        max_time_s: float = 60,
        max_bytes: int = 2**30,
        clock: Callable[[], float] = time.monotonic,
    ) -> Answer:
        def count() -> None:
            self.closed += 1

        return Answer(
            self.run,
            self.killed.set,
            asked_to_stop=stop or threading.Event(),
            max_time_s=max_time_s,
            max_bytes=max_bytes,
            on_close=count,
            clock=clock,
        )


def _until_killed(pipe: Pipe, killed: threading.Event) -> None:
    assert killed.wait(60)


def _endless(pipe: Pipe, killed: threading.Event) -> None:
    while not killed.is_set():
        pipe.write(bytes(100_000))


def _read_all(answer: Answer) -> bytes:
    return b"".join(iter(answer.read, b""))


def test_all_bytes_arrive_in_order_and_then_the_cost() -> None:
    parts = [os.urandom(size) for size in (1, 70_000, 3_000_000, 5)]

    with FakeEngine(lambda pipe, _: [pipe.write(part) for part in parts] and None).answer() as answer:
        pieces = list(iter(answer.read, b""))

    assert b"".join(pieces) == b"".join(parts)
    assert max(map(len, pieces)) <= 2**20
    assert answer.cost == Cost(7)


def test_an_error_comes_after_what_was_written_before_it() -> None:
    def work(pipe: Pipe, killed: threading.Event) -> None:
        pipe.write(b"half")
        raise EngineError(395, "X", "boom")

    with FakeEngine(work).answer() as answer:
        assert answer.read() == b"half"
        with pytest.raises(EngineError):
            answer.read()


def test_a_descriptor_that_the_engine_left_open_does_not_hold_the_reader() -> None:
    left_open = []

    def work(pipe: Pipe, killed: threading.Event) -> None:
        left_open.append(os.open(pipe.path, os.O_WRONLY))
        pipe.write(b"x")

    with FakeEngine(work).answer() as answer:
        assert b"".join(iter(answer.read, b"")) == b"x"
    os.close(left_open[0])


@pytest.mark.parametrize("work", [_until_killed, _endless])
def test_a_query_asked_to_stop_is_killed_and_its_slot_freed_once(
    work: Callable[[Pipe, threading.Event], None],
) -> None:
    """Whether it computes or waits for its reader."""
    stop = threading.Event()
    engine = FakeEngine(work)
    threading.Timer(0.1, stop.set).start()

    with pytest.raises(QueryRefused) as refusal, engine.answer(stop=stop) as answer:
        _read_all(answer)

    answer.close()
    assert refusal.value.code == 394
    assert engine.killed.is_set()
    assert engine.closed == 1


def test_the_clock_stands_still_while_nobody_reads() -> None:
    """A slow client must not lose an answer to a limit on the engine's time."""
    now = 0.0

    def work(pipe: Pipe, killed: threading.Event) -> None:
        nonlocal now
        pipe.write(b"first")
        assert go.wait(60)
        pipe.write(b"second")
        assert late.wait(60)
        now += 100

        assert killed.wait(60)

    go, late = threading.Event(), threading.Event()
    engine = FakeEngine(work)
    with engine.answer(max_time_s=2, clock=lambda: now) as answer:
        assert answer.read() == b"first"
        now += 100
        go.set()
        assert answer.read() == b"second"
        threading.Timer(0.2, late.set).start()  # so that it happens within the next read
        with pytest.raises(QueryRefused) as refusal:
            answer.read()

    assert refusal.value.code == 159
    assert engine.killed.is_set()


def test_a_reader_that_does_not_come_makes_the_engine_wait() -> None:
    written = 0

    def work(pipe: Pipe, killed: threading.Event) -> None:
        nonlocal written
        while not killed.is_set():
            pipe.write(bytes(100_000))
            written += 100_000

    with FakeEngine(work).answer() as answer:
        assert answer.read()
        before = -1
        while before != written:  # until it stands still
            before = written
            time.sleep(0.2)

        assert written < 8 * 2**20


def test_an_answer_longer_than_its_limit_is_broken_off() -> None:
    engine = FakeEngine(_endless)

    with pytest.raises(QueryRefused) as refusal, engine.answer(max_bytes=3_000_000) as answer:
        _read_all(answer)

    assert refusal.value.code == 396
    assert engine.killed.is_set()
