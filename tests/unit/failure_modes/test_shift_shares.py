"""A shift of cost taken apart: nothing is lost, and each part is where it belongs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentvigil.analysis.failure_modes.looking import Period
from agentvigil.analysis.failure_modes.shift_shares import (
    FACTORS,
    USAGE_KEYS,
    Usage,
    shift_shares,
    token_prices,
    usage_of,
)
from counted_runs import BASELINE, WINDOW, Book

PRICES = np.array([3e-6, 0.3e-6, 15e-6])
"""USD a token: input, cached input, output."""

amounts = st.floats(0, 1e6, allow_subnormal=False).map(lambda value: 0.0 if value < 1e-3 else value)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    models = draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=3))
    sums = [[draw(amounts) for _ in USAGE_KEYS] for _ in models]
    return Usage(draw(st.floats(1, 1e5)), tuple(models), np.array(sums, float).reshape(len(models), len(USAGE_KEYS)))


@settings(max_examples=100, deadline=None)
@given(usages(), usages())
def test_the_parts_sum_to_the_shift(before: Usage, after: Usage) -> None:
    """Whatever was counted, retries above calls, cached above input and models that come and go included."""
    parts = shift_shares(before, after, {"a": PRICES})

    shift = after.cost_per_run - before.cost_per_run
    size = max(before.cost_per_run, after.cost_per_run)
    assert {part.factor for part in parts} == (set(FACTORS) if before.models or after.models else set())
    largest = max((abs(part.usd_per_run) for part in parts), default=0.0)
    assert sum(part.usd_per_run for part in parts) == pytest.approx(shift, abs=1e-9 * max(size, largest))
    if shift:
        assert [part.share * shift for part in parts] == pytest.approx([part.usd_per_run for part in parts])


def use(
    book: Book,
    period: Period,
    *,
    calls: float = 300,
    retries: float = 6,
    input_tokens: float = 900_000,
    cached: float = 0.4,
    output_tokens: float = 60_000,
    price: float = 1.0,
    model: str = "m",
) -> Book:
    """100 runs a day whose calls cost what tokens cost."""
    random = np.random.default_rng(period.first_hour)
    for day in range(period.days):
        swing_in, swing_out = random.uniform(0.8, 1.2, 2)
        tokens = np.array(
            [input_tokens * swing_in * (1 - cached), input_tokens * swing_in * cached, output_tokens * swing_out]
        )
        sums = {
            "calls": calls,
            "retries": retries,
            "input_tokens": tokens[0] + tokens[1],
            "cache_read_tokens": tokens[1],
            "output_tokens": tokens[2],
            "cost_usd": price * float(tokens @ PRICES),
        }
        for key, value in sums.items():
            book.row(period.start_of(day) + 12, "usage", key, 100, value, model=model)
    book.value(period, "cost", 100, 0.05)
    return book


def shares_of(book: Book) -> dict[str, float]:
    cells = book.cells()
    before, after = cells.between(*BASELINE), cells.between(*WINDOW)
    return {part.factor: part.share for part in shift_shares(usage_of(before), usage_of(after), token_prices(before))}


def test_the_price_of_tokens_is_found() -> None:
    """Nobody tells it; the cost of hours that differ does."""
    book = use(Book(), BASELINE)

    assert token_prices(book.cells())["m"] == pytest.approx(PRICES, rel=0.1)


def test_costs_that_tokens_do_not_explain_leave_the_usual_proportions() -> None:
    """Least squares of noise would make output free, or the cache dear."""
    book = Book()
    random = np.random.default_rng(3)
    for day in range(28):
        for key, value in (("input_tokens", 1e6), ("output_tokens", 1e5), ("calls", 10.0)):
            book.row(24 * day, "usage", key, 10, value, model="m")
        book.row(24 * day, "usage", "cost_usd", 10, float(random.pareto(1.5)) + 1, model="m")

    prices = token_prices(book.cells())["m"]

    assert prices / prices[0] == pytest.approx([1.0, 0.1, 4.0])


@pytest.mark.parametrize(
    ("changed", "factor"),
    [
        ({"price": 1.3}, "price"),
        ({"cached": 0.05}, "cache_rate"),
        ({"retries": 60, "calls": 354, "input_tokens": 1_062_000, "output_tokens": 70_800}, "retries"),
        ({"calls": 450, "retries": 9, "input_tokens": 1_350_000, "output_tokens": 90_000}, "calls"),
        ({"input_tokens": 1_400_000}, "input_tokens"),
        ({"output_tokens": 120_000}, "output_tokens"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_factor_alone_carries_all(changed: dict[str, float], factor: str) -> None:
    """Days differ a little between the two periods, so the others carry a few hundredths."""
    found = shares_of(use(use(Book(), BASELINE), WINDOW, **changed))

    assert found[factor] == pytest.approx(1.0, abs=0.15)


def test_a_dearer_model_that_takes_over_is_the_mix() -> None:
    """Each model is as dear as before."""
    book = Book()
    use(book, BASELINE, model="cheap", calls=300)
    use(book, BASELINE, model="dear", calls=100, price=10)
    use(book, WINDOW, model="cheap", calls=100, input_tokens=300_000, output_tokens=20_000)
    use(book, WINDOW, model="dear", calls=300, price=10, input_tokens=2_700_000, output_tokens=180_000)

    assert shares_of(book)["model_mix"] == pytest.approx(1.0, abs=0.1)


def test_no_runs_have_no_parts() -> None:
    nothing = Usage(0.0, (), np.zeros((0, len(USAGE_KEYS))))

    assert shift_shares(nothing, nothing, {}) == []
