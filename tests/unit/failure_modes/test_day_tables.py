"""Sums by day and stratum."""

import numpy as np
import pytest

from agentvigil.analysis.failure_modes.day_tables import (
    OTHER,
    aligned,
    comparable,
    quantile,
    shares,
    tallies,
    values,
)
from agentvigil.analysis.failure_modes.looking import Period, look_back
from counted_runs import BASELINE, SUBJECT, WINDOW, Book


def test_days_are_counted_back_from_the_end() -> None:
    """The last 24 hours are a day, whenever somebody looks, so that it is never half of one."""
    period = Period(100, 100 + 50)
    book = Book()
    for hour in (100, 101, 102, 125, 126, 149, 150):
        book.row(hour, "retry", "", 1)

    table = shares(book.cells(), "retry", "any", period)

    assert period.days == 3
    assert table.n[:, 0].tolist() == [2, 2, 2]
    assert [period.start_of(day) for day in range(3)] == [100, 102, 126]


def test_runs_with_a_key_are_of_those_that_count() -> None:
    book = (
        Book()
        .share(WINDOW, "tool_error", "any", 50, 4, of="refund")
        .share(WINDOW, "tool_error", "any", 10, 0, of="chat")
    )

    table = shares(book.cells(), "tool_error", "any", WINDOW)

    assert table.strata == (("refund", ""), ("chat", ""))
    assert table.n.sum(axis=0).tolist() == [28 * 50, 28 * 10]
    assert table.s.sum(axis=0).tolist() == [28 * 4, 0]


def test_models_are_strata_where_calls_are_counted() -> None:
    book = Book().tally(WINDOW, "context", "high", 10, 1, model="a").tally(WINDOW, "context", "high", 20, 1, model="b")

    assert {model for _, model in tallies(book.cells(), "context", "high", WINDOW).strata} == {"a", "b"}


def test_a_value_above_the_cap_counts_as_the_cap() -> None:
    book = Book().value(WINDOW, "cost", 99, 0.01).value(WINDOW, "cost", 1, 50.0)
    cells = book.cells()

    cap = quantile(cells, "cost", 0.95)
    assert cap == pytest.approx(0.01, rel=0.1)
    assert values(cells, "cost", WINDOW, 0.02).s.sum() == pytest.approx(28 * (99 * 0.01 + 0.02))
    assert quantile(cells, "duration", 0.5) is None


def test_tables_of_other_words_are_the_same_strata() -> None:
    """A baseline may have been read at another time, with codes of its own."""
    one = shares(Book().share(BASELINE, "retry", "any", 50, 5, of="chat").cells(), "retry", "any", BASELINE)
    book = Book().share(WINDOW, "retry", "any", 40, 4, of="refund").share(WINDOW, "retry", "any", 30, 3, of="chat")
    other = shares(book.cells(), "retry", "any", WINDOW)

    first, second = aligned([one, other])

    assert first.strata == second.strata == (("chat", ""), ("refund", ""))
    assert first.n[0].tolist() == [50, 0]
    assert second.n[0].tolist() == [30, 40]


def test_small_strata_are_put_together() -> None:
    """A class with ten runs in four weeks has no rate; nine such classes have."""
    before, after = Book(), Book()
    for number in range(9):
        before.row(BASELINE.first_hour, "retry", "", 10, of=f"rare-{number}")
        after.row(WINDOW.first_hour, "retry", "", 10, of=f"rare-{number}")
    before.share(BASELINE, "retry", "any", 50, 5, of="chat")
    after.share(WINDOW, "retry", "any", 50, 5, of="chat")

    one, other = comparable(
        shares(before.cells(), "retry", "any", BASELINE), shares(after.cells(), "retry", "any", WINDOW)
    )

    assert one.strata == other.strata == (("chat", ""), OTHER)
    assert one.n.sum(axis=0).tolist() == other.n.sum(axis=0).tolist() == [1_400, 90]


@pytest.mark.parametrize(("days", "is_baseline"), [(13, False), (14, True), (28, True)])
def test_a_baseline_is_two_weeks_old(days: int, is_baseline: bool) -> None:
    book = Book().share(BASELINE.last(days), "retry", "any", 10, 1)

    assert shares(book.cells(), "retry", "any", BASELINE).is_baseline() is is_baseline


def test_a_baseline_of_few_days_is_none() -> None:
    """An agent that ran once a fortnight ago is not known."""
    book = Book().share(BASELINE, "retry", "any", lambda day: 100 if day in (0, 9, 27) else 0, 0)

    assert not shares(book.cells(), "retry", "any", BASELINE).is_baseline()


@pytest.mark.parametrize(
    ("known_days", "window_days", "baseline_days"), [(3, 1, 2), (15, 1, 14), (20, 6, 14), (42, 28, 14), (200, 28, 28)]
)
def test_a_young_agent_has_a_short_window(known_days: int, window_days: int, baseline_days: int) -> None:
    """Fourteen days for the baseline first: without it most modes can say nothing."""
    end = 24 * 30_000
    history = Book().share(Period(end - 24 * known_days, end), "status", "failure", 10, 0)
    hours = history.cells()
    first = int(hours.hour[0])

    look, baseline, window = look_back(hours, SUBJECT, end)

    assert look.window.end_hour == end
    assert look.window.days == window_days
    assert look.baseline.days == baseline_days
    assert look.baseline.first_hour >= first - 24
    assert len(baseline) + len(window) == min(known_days, 56)


def test_a_pinned_baseline_stays_where_it_is() -> None:
    end = 24 * 30_000
    pinned = Period(end - 24 * 90, end - 24 * 60)
    history = Book().share(Period(end - 24 * 100, end), "status", "failure", 10, 0).cells()

    look, baseline, _ = look_back(history, SUBJECT, end, pinned)

    assert look.is_pinned
    assert (look.baseline, look.window.days) == (pinned, 28)
    assert len(np.unique(baseline.hour)) == 30


def test_an_agent_that_is_not_known_has_nothing() -> None:
    look, baseline, window = look_back(Book().cells(), SUBJECT, 24 * 30_000)

    assert len(baseline) == len(window) == 0
    assert look.window.days == 1
