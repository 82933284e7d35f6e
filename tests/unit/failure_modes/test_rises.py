"""What the end of a window is compared with, and how often chance may make it speak."""

from dataclasses import replace

import pytest

from agentvigil.analysis.failure_modes import day_tables
from agentvigil.analysis.failure_modes.looking import Period, chance_of
from agentvigil.analysis.failure_modes.rises import LEAST_HAPPENED, Rise, share_rises
from counted_runs import BASELINE, LOOK, WINDOW, Book

LAST_WEEK = WINDOW.last(7)
EARLIER = Period(WINDOW.first_hour, LAST_WEEK.first_hour)
SHORT = BASELINE.last(14)
"""As an agent of six weeks has it."""


def rises(book: Book, *, is_pinned: bool = False) -> list[Rise]:
    look = replace(LOOK, baseline=SHORT, is_pinned=is_pinned)
    before = day_tables.shares(book.cells(SHORT), "unfounded", "any", SHORT)
    after = day_tables.shares(book.cells(WINDOW), "unfounded", "any", WINDOW)
    return share_rises(before, after, look, spans_days=look.spans_days(), chance=1e-3, least_odds_ratio=1.25)


def shares(before: float, last_week: float, runs: float = 60) -> Book:
    book = Book()
    for period, share in ((SHORT, before), (EARLIER, before), (LAST_WEEK, last_week)):
        book.share(period, "unfounded", "any", runs, share * runs)
    return book


def test_days_of_the_window_before_the_rise_are_its_baseline_too() -> None:
    """Twenty of them more than double what is known of an agent with sixty runs a day."""
    book = shares(0.02, 0.12)

    (first, *_), (pinned, *_) = rises(book), rises(book, is_pinned=True)

    assert (first.before, first.period) == (Period(SHORT.first_hour, LAST_WEEK.first_hour), LAST_WEEK)
    assert first.change.before == pytest.approx(0.02, rel=0.01)
    assert first.strength > 1.1 * pinned.strength


def test_a_pinned_baseline_is_all_that_counts_as_before() -> None:
    found = rises(shares(0.02, 0.2), is_pinned=True)

    assert found
    assert {one.before for one in found} == {SHORT}


def test_what_happened_less_often_than_ten_times_is_no_habit() -> None:
    """However rare it was: nine in a week beside none in a month."""
    runs = 300.0

    assert rises(shares(0.0, (LEAST_HAPPENED - 1) / 7 / runs, runs)) == []
    assert rises(shares(0.0, (LEAST_HAPPENED + 4) / 7 / runs, runs)) != []


def test_the_chance_of_an_error_is_divided_by_the_lengths() -> None:
    spans = LOOK.spans_days()

    assert sum(chance_of(days, spans, 0.01) for days in spans) == pytest.approx(0.01)
    assert chance_of(28, spans, 0.01) == pytest.approx(4 * chance_of(7, spans, 0.01))
