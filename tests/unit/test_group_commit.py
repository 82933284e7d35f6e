"""One thread stores what waits; every sender must get the answer that is true for its own request."""

import asyncio
import queue
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from agentvigil.receiver.errors import Busy, Unavailable
from agentvigil.receiver.group_commit import CommitLimits, GroupCommitter
from agentvigil.receiver.metrics import ReceiverMetrics
from agentvigil.receiver.window import RequestWindow
from agentvigil.storage.envelope import ExportRequest, Limits
from agentvigil.storage.request_writer import Outcome
from agentvigil.storage.signals import TRACES

PATIENCE_S = 20  # for what must happen at once; a test that waits so long fails
AT_ONCE = CommitLimits(queued_bytes=1000, group_bytes=100, interval_s=0, hurry_bytes=1000)
NEVER_BY_ITSELF = CommitLimits(queued_bytes=1000, group_bytes=100, interval_s=10_000, hurry_bytes=50)


class GatedWriter:
    """Takes groups when it is let, and answers as it is told."""

    def __init__(self) -> None:
        self.begun: queue.Queue[list[str]] = queue.Queue()
        self.answers: queue.Queue[Outcome | list[Outcome] | Exception] = queue.Queue()
        self.groups: list[list[str]] = []

    def write(self, group: Sequence[ExportRequest]) -> list[Outcome]:
        names = [request.request_hash.decode() for request in group]
        self.groups.append(names)
        self.begun.put(names)
        answer = self.answers.get(timeout=PATIENCE_S)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, list) else [answer] * len(group)

    async def next_group(self) -> list[str]:
        """Wait until a group is being stored."""
        return await asyncio.to_thread(self.begun.get, timeout=PATIENCE_S)


class Bench:
    """A committer over a gated writer."""

    def __init__(self) -> None:
        self.writer = GatedWriter()
        self.window = RequestWindow(900, 1000)
        self.registry = CollectorRegistry()
        self.committer: GroupCommitter

    def start(self, limits: CommitLimits) -> None:
        self.committer = GroupCommitter(self.writer, self.window, limits, ReceiverMetrics(self.registry).of("traces"))
        self.committer.start()

    async def submit(self, *names: str, size: int = 10) -> "list[asyncio.Task[Outcome]]":
        """Return the submissions once each is in the queue, answered or refused."""
        tasks = [asyncio.create_task(self.committer.submit(a_request(name, size))) for name in names]
        await asyncio.sleep(0)  # lets them run up to where they wait
        return tasks

    async def busy_with(self, name: str) -> "asyncio.Task[Outcome]":
        """Occupy the writer."""
        (task,) = await self.submit(name)
        assert await self.writer.next_group() == [name]
        return task


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    for _ in range(20):
        bench.writer.answers.put(Outcome.UNAVAILABLE)
    bench.committer.stop()


def a_request(name: str, size: int = 10) -> ExportRequest:
    return ExportRequest(TRACES, TRACES.destinations, bytes(size), 1, name.encode(), "default", 0, 90, Limits())


def runs(test: Callable[[Bench], Coroutine[Any, Any, None]]) -> Callable[[Bench], None]:
    """Run an async test on a loop of its own."""

    def run(bench: Bench) -> None:
        asyncio.run(within_patience(test(bench)))

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


async def within_patience(awaitable: Awaitable[None]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await awaitable


@runs
async def test_what_waits_is_stored_together(bench: Bench) -> None:
    """One insert for many requests is where the speed comes from."""
    bench.start(AT_ONCE)
    first = await bench.busy_with("a")
    rest = await bench.submit("b", "c", "d")
    bench.writer.answers.put(Outcome.STORED)
    assert await first is Outcome.STORED
    assert not any(task.done() for task in rest)

    bench.writer.answers.put(Outcome.STORED)

    assert await asyncio.gather(*rest) == [Outcome.STORED] * 3
    assert bench.writer.groups == [["a"], ["b", "c", "d"]]
    assert bench.committer.queued_bytes == 0


@runs
async def test_each_gets_its_own_answer(bench: Bench) -> None:
    """A refused request in a group is nobody else's business."""
    bench.start(AT_ONCE)
    first = await bench.busy_with("a")
    rest = await bench.submit("b", "c", "d")
    bench.writer.answers.put(Outcome.STORED)
    bench.writer.answers.put([Outcome.STORED, Outcome.REFUSED, Outcome.UNAVAILABLE])

    assert await asyncio.gather(first, *rest) == [
        Outcome.STORED,
        Outcome.STORED,
        Outcome.REFUSED,
        Outcome.UNAVAILABLE,
    ]


@runs
async def test_a_group_ends_at_its_bytes(bench: Bench) -> None:
    """An insert is held in memory several times over; a request over the cap goes alone, it must go somehow."""
    bench.start(AT_ONCE)
    tasks = [await bench.busy_with("a")]
    tasks += await bench.submit("b", "c", size=50)
    tasks += await bench.submit("d", size=1)
    tasks += await bench.submit("e", size=300)
    tasks += await bench.submit("f")
    for _ in range(5):
        bench.writer.answers.put(Outcome.STORED)

    await asyncio.gather(*tasks)

    assert bench.writer.groups == [["a"], ["b", "c"], ["d"], ["e"], ["f"]]


@runs
async def test_what_does_not_fit_is_refused_and_what_fits_still_goes(bench: Bench) -> None:
    """The memory of the process is bounded by this and nothing else."""
    bench.start(AT_ONCE)
    await bench.busy_with("a")  # 10 bytes
    await bench.submit("b", size=900)

    with pytest.raises(Busy, match="a request of 91 bytes does not fit beside the 910"):
        await bench.committer.submit(a_request("c", 91))
    await bench.submit("d", size=90)

    assert bench.committer.queued_bytes == 1000
    with pytest.raises(Busy, match="1000 bytes wait to be stored, of at most 1000"):
        bench.committer.check_open()
    with pytest.raises(Busy):
        await bench.committer.submit(a_request("e", 1))


@runs
async def test_what_is_being_stored_counts_too(bench: Bench) -> None:
    """It is still in memory while nothing waits behind it."""
    bench.start(AT_ONCE)
    (task,) = await bench.submit("a", size=900)
    await bench.writer.next_group()

    with pytest.raises(Busy):
        await bench.committer.submit(a_request("b", 200))

    bench.writer.answers.put(Outcome.STORED)
    assert await task is Outcome.STORED
    assert bench.committer.queued_bytes == 0


@runs
async def test_a_request_over_the_bound_goes_when_nothing_else_is_there(bench: Bench) -> None:
    """Otherwise its sender would be told for ever to come again."""
    bench.start(AT_ONCE)
    (task,) = await bench.submit("a", size=5000)
    bench.writer.answers.put(Outcome.STORED)

    assert await task is Outcome.STORED


@runs
async def test_a_retry_of_what_is_on_the_way_shares_its_answer(bench: Bench) -> None:
    """An exporter that times out sends the same bytes again while the first are being stored."""
    bench.start(AT_ONCE)
    first = await bench.busy_with("a")
    waiting, retry_of_first, retry_of_waiting = await bench.submit("b", "a", "b")
    assert bench.committer.queued_bytes == 20

    bench.writer.answers.put(Outcome.STORED)
    bench.writer.answers.put(Outcome.REFUSED)

    assert await asyncio.gather(first, retry_of_first) == [Outcome.STORED] * 2
    assert await asyncio.gather(waiting, retry_of_waiting) == [Outcome.REFUSED] * 2
    assert bench.writer.groups == [["a"], ["b"]]
    assert bench.registry.get_sample_value("agentvigil_receiver_requests_repeated_total", {"signal": "traces"}) == 2


@runs
async def test_a_retry_of_what_is_stored_is_answered_without_storing(bench: Bench) -> None:
    """Also when the queue is full, and of what an earlier process stored."""
    bench.window.add([b"before us"])
    bench.start(AT_ONCE)
    first = await bench.busy_with("a")
    bench.writer.answers.put(Outcome.STORED)
    await first
    await bench.busy_with("b")
    await bench.submit("c", size=990)

    assert await bench.committer.submit(a_request("a")) is Outcome.STORED
    assert await bench.committer.submit(a_request("before us")) is Outcome.STORED
    assert bench.writer.groups == [["a"], ["b"]]


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNAVAILABLE])
def test_what_was_not_stored_is_tried_again(bench: Bench, outcome: Outcome) -> None:
    """Only what is stored may be answered from memory."""

    @runs
    async def scenario(bench: Bench) -> None:
        bench.start(AT_ONCE)
        for answer in (outcome, Outcome.STORED):
            task = await bench.busy_with("a")
            bench.writer.answers.put(answer)
            assert await task is answer

    scenario(bench)


@runs
async def test_one_who_hangs_up_takes_nothing_from_the_others(bench: Bench) -> None:
    """A retry shares the answer of a call that its client has given up."""
    bench.start(AT_ONCE)
    first = await bench.busy_with("a")
    gone, retry, alone = await bench.submit("b", "b", "c")
    for task in (first, gone, alone):
        task.cancel()
    assert all(
        isinstance(e, asyncio.CancelledError) for e in await asyncio.gather(first, gone, alone, return_exceptions=True)
    )

    bench.writer.answers.put(Outcome.STORED)
    bench.writer.answers.put(Outcome.STORED)

    assert await retry is Outcome.STORED
    assert bench.writer.groups == [["a"], ["b", "c"]]
    assert await bench.committer.submit(a_request("a")) is Outcome.STORED
    assert await bench.committer.submit(a_request("c")) is Outcome.STORED


@runs
async def test_a_defect_of_the_writer_is_an_answer_and_not_the_end(bench: Bench) -> None:
    """A dead thread would leave every later sender without any answer."""
    bench.start(AT_ONCE)
    first = await bench.busy_with("a")
    rest = await bench.submit("b", "c")
    bench.writer.answers.put(ValueError("a defect"))
    bench.writer.answers.put(KeyError("another"))

    assert await asyncio.gather(first, *rest) == [Outcome.UNAVAILABLE] * 3
    assert bench.committer.queued_bytes == 0
    assert await bench.writer.next_group() == ["b", "c"]

    again = await bench.busy_with("a")
    bench.writer.answers.put(Outcome.STORED)
    assert await again is Outcome.STORED


@runs
async def test_a_writer_that_forgets_an_answer_is_a_defect_too(bench: Bench) -> None:
    """Answers that do not line up with requests must not be handed out, nor end the thread."""
    bench.start(AT_ONCE)
    first = await bench.busy_with("a")
    rest = await bench.submit("b", "c")
    bench.writer.answers.put(Outcome.STORED)
    bench.writer.answers.put([Outcome.STORED])

    assert await asyncio.gather(first, *rest) == [Outcome.STORED, Outcome.UNAVAILABLE, Outcome.UNAVAILABLE]
    assert await bench.writer.next_group() == ["b", "c"]

    again = await bench.busy_with("b")
    bench.writer.answers.put(Outcome.STORED)
    assert await again is Outcome.STORED


@runs
async def test_light_traffic_is_spaced_out_and_heavy_is_not(bench: Bench) -> None:
    """Each insert makes a part on disk; a lone request still goes at once."""
    bench.start(NEVER_BY_ITSELF)
    first = await bench.busy_with("a")
    bench.writer.answers.put(Outcome.STORED)
    assert await first is Outcome.STORED

    few = await bench.submit("b", "c")
    assert bench.writer.groups == [["a"]]
    many = await bench.submit("d", size=40)
    bench.writer.answers.put(Outcome.STORED)

    assert await asyncio.gather(*few, *many) == [Outcome.STORED] * 3
    assert bench.writer.groups == [["a"], ["b", "c", "d"]]


@runs
async def test_stopping_stores_what_waits_and_takes_nothing_more(bench: Bench) -> None:
    """What was taken is a promise; it is stored at once, however light the traffic is."""
    bench.start(NEVER_BY_ITSELF)
    tasks = [await bench.busy_with("a")]
    tasks += await bench.submit("b", "c")
    for _ in range(2):
        bench.writer.answers.put(Outcome.STORED)

    await asyncio.to_thread(bench.committer.stop)

    assert await asyncio.gather(*tasks) == [Outcome.STORED] * 3
    with pytest.raises(Unavailable, match="stopping"):
        await bench.committer.submit(a_request("d"))
    with pytest.raises(Unavailable):
        bench.committer.check_open()
    assert await bench.committer.submit(a_request("a")) is Outcome.STORED
    await asyncio.to_thread(bench.committer.stop)


@runs
async def test_many_groups_are_stored_while_stopping(bench: Bench) -> None:
    """What waits may be more than one insert takes."""
    bench.start(NEVER_BY_ITSELF)
    tasks = [await bench.busy_with("a")]
    tasks += await bench.submit("b", "c", "d", size=100)
    for _ in range(4):
        bench.writer.answers.put(Outcome.STORED)

    await asyncio.to_thread(bench.committer.stop)

    assert await asyncio.gather(*tasks) == [Outcome.STORED] * 4


def test_stopping_before_the_start_does_nothing() -> None:
    """A process whose port is taken stops what it never started."""
    committer = GroupCommitter(
        GatedWriter(), RequestWindow(1, 1), AT_ONCE, ReceiverMetrics(CollectorRegistry()).of("traces")
    )

    committer.stop()
