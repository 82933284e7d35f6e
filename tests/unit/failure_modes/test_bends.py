"""A level that begins to rise: by how much, told by all days before it."""

import numpy as np
import pytest

from agentvigil.analysis.failure_modes.bends import Bend, bend
from agentvigil.analysis.failure_modes.day_tables import DayTable


def drawn(random: np.random.Generator, means: np.ndarray, runs: int = 30) -> DayTable:
    """Days of so many runs that differ as logarithms of costs do, by nine tenths."""
    value = means[:, None] + 0.9 * random.standard_normal((len(means), runs))
    n = np.full((len(means), 1), float(runs))
    return DayTable((("", ""),), n, value.sum(axis=1, keepdims=True), (value**2).sum(axis=1, keepdims=True))


def rising(seed: int, per_day: float, days: int = 21) -> Bend:
    random = np.random.default_rng(seed)
    course = per_day * np.maximum(0.0, np.arange(30) - (29 - days))
    found = bend(drawn(random, np.zeros(14)), drawn(random, course), days, 0.001)
    assert found is not None
    return found


def test_the_rise_is_told_with_the_error_that_it_has() -> None:
    found = [rising(seed, 0.02) for seed in range(60)]
    rises = [one.rise for one in found]

    assert np.mean(rises) == pytest.approx(0.42, abs=0.03)
    assert np.std(rises) == pytest.approx(np.mean([one.error for one in found]), rel=0.25)


def test_thirty_runs_a_day_that_get_two_per_cent_dearer_are_found_in_three_weeks() -> None:
    """A line through the window alone does not know the level before, and would need a hundred."""
    assert sum(rising(seed, 0.02).low >= np.log(1.1) for seed in range(30)) >= 24
    assert not any(rising(seed, 0.0).low >= 0.0 for seed in range(30))


def test_a_shift_of_the_input_mix_is_no_bend() -> None:
    """Ever more of a dear class, and each class costs what it did."""
    share = np.concatenate([np.full(14, 0.2), np.linspace(0.2, 0.8, 30)])
    n = np.stack([1_000 * (1 - share), 1_000 * share], axis=1)
    table = DayTable((("cheap", ""), ("dear", "")), n, n * np.array([1.0, 4.0]), n * np.array([1.5, 16.5]))

    found = bend(DayTable(table.strata, table.n[:14], table.s[:14], table.q[:14]), table.last(30), 28, 0.001)

    assert found is not None
    assert found.rise == pytest.approx(0.0, abs=1e-9)


def test_no_days_have_no_bend() -> None:
    nothing = DayTable((), np.zeros((28, 0)), np.zeros((28, 0)), np.zeros((28, 0)))

    assert bend(nothing, drawn(np.random.default_rng(1), np.zeros(28)), 14, 0.001) is None
