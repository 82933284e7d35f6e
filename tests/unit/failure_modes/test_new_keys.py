"""What was not there before, and what was only not seen."""

from agentvigil.analysis.failure_modes.looking import Period
from agentvigil.analysis.failure_modes.new_keys import NewKey, has_unnamed, new_keys, runs_by_key, sustained
from counted_runs import BASELINE, WINDOW, Book


def test_keys_are_new_once() -> None:
    book = Book().share(BASELINE, "tool", "search", 100, 40).share(WINDOW, "tool", "search", 100, 40)
    book.share(WINDOW.last(5), "tool", "refund", 0, 9)

    found = new_keys(book.cells(BASELINE), book.cells(WINDOW), "tool")

    assert found == [NewKey("refund", WINDOW.start_of(23) + 12, 45.0, 5)]


def test_what_is_rare_is_not_new() -> None:
    """One of 2,000 runs uses it: it was there all along, and nobody had asked for it."""
    rare = NewKey("rare", 0, 3.0, 3)

    assert not sustained(rare, runs_before=3_000, runs_since=3_000)
    assert sustained(NewKey("new", 0, 10.0, 3), runs_before=3_000, runs_since=3_000)
    assert not sustained(NewKey("once", 0, 500.0, 1), runs_before=3_000, runs_since=3_000)
    assert sustained(NewKey("soon", 0, 3.0, 3), runs_before=30_000, runs_since=3_000)
    assert not sustained(rare, runs_before=0, runs_since=3_000)


def test_keys_without_room_have_no_name() -> None:
    """The counts keep the most frequent keys of an hour and put the others together."""
    book = Book().share(BASELINE, "tool", "(other)", 100, 4).share(WINDOW, "tool", "(other)", 100, 4)
    cells = book.cells()

    assert has_unnamed(cells, "tool")
    assert not has_unnamed(cells, "status")
    assert runs_by_key(cells, "tool") == {}
    assert new_keys(Book().cells(), cells, "tool") == []


def test_nothing_counted_has_no_keys() -> None:
    assert runs_by_key(Book().cells(), "tool") == {}
    assert new_keys(Book().cells(), Book().cells(Period(0, 9)), "tool") == []
