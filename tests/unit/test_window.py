"""The memory of what is stored: long enough for every retry, bounded under any load."""

from agentvigil.receiver.window import RequestWindow


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def remembered(window: RequestWindow, hashes: bytes) -> bytes:
    return bytes(h for h in hashes if bytes([h]) in window)


def add(window: RequestWindow, hashes: bytes) -> None:
    window.add(bytes([h]) for h in hashes)


def test_remembers_for_the_time_it_was_given() -> None:
    """A sender retries for minutes; forgetting earlier would store its spans twice."""
    clock = Clock()
    window = RequestWindow(60, 100, clock)
    add(window, b"a")
    clock.now += 60
    add(window, b"b")
    assert remembered(window, b"ab") == b"ab"

    clock.now += 0.5
    add(window, b"c")

    assert remembered(window, b"abc") == b"bc"
    assert len(window) == 2


def test_the_oldest_go_when_it_is_full() -> None:
    """Memory is bounded, and the youngest are those whose retry is still to come."""
    window = RequestWindow(60, 3, Clock())

    add(window, b"abcde")

    assert remembered(window, b"abcde") == b"cde"
    assert len(window) == 3


def test_adding_again_makes_young() -> None:
    """A hash that was just confirmed must outlive those that were not."""
    clock = Clock()
    window = RequestWindow(60, 3, clock)
    add(window, b"abc")
    clock.now += 50
    add(window, b"a")
    add(window, b"d")
    assert remembered(window, b"abcd") == b"acd"

    clock.now += 20
    add(window, b"")

    assert remembered(window, b"abcd") == b"ad"


def test_many_expire_at_once() -> None:
    """A quiet hour after a busy one must not leave the busy one's hashes in memory."""
    clock = Clock()
    window = RequestWindow(60, 1000, clock)
    window.add(index.to_bytes(2, "big") for index in range(1000))
    clock.now += 61

    window.add([b"new"])

    assert len(window) == 1
    assert b"new" in window
