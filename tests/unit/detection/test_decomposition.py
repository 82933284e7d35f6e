"""What is said to carry a shift adds up to the shift."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentvigil.analysis.detection.decomposition import DIMENSIONS, KeyShift, key_shifts, parts_of
from agentvigil.analysis.detection.streams import Plan, Stream, StreamKind
from agentvigil.analysis.features.cells import Cells, Words
from simulated_agents import subject

KEY = Stream("tool", StreamKind.KEY, key="refund")
ABOVE = Stream("duration", StreamKind.ABOVE, edge_bin=4, level=0.5)
MEAN = Stream("duration", StreamKind.MEAN)
NEW = Stream("tool", StreamKind.NEW)
PLAN = Plan(subject(), (), (), (KEY, NEW, ABOVE, MEAN), {"tool": ("rare",)}, {"duration": (-2, 12)})
GROUPS = ("a", "b", "c")

# For each group and time: runs, runs with the key, runs with a new one, and values.
counts = st.tuples(st.integers(0, 50), st.floats(0, 1), st.floats(0, 1), st.integers(-9, 20))
tables = st.tuples(counts, counts, counts)


def cells_of(table: tuple[tuple[int, float, float, int], ...]) -> Cells:
    words = Words()
    rows = []
    for name, (runs, share, new, bin_) in zip(GROUPS, table, strict=True):
        group = words.code(name)
        rows.append((group, words.code("tool"), 0, 0, runs))
        rows.append((group, words.code("tool"), words.code("refund"), 0, round(runs * share)))
        rows.append((group, words.code("tool"), words.code("fresh"), 0, round(runs * new)))
        rows.append((group, words.code("duration"), 0, bin_, runs))
        rows.append((group, words.code("duration"), 0, bin_ + 3, runs))
    group, feature, key, bins, n = (np.array(column) for column in zip(*rows, strict=True))
    as_code = [column.astype(np.int32) for column in (0 * group, group, group, group, feature, key)]
    return Cells(tuple(words), *as_code, bins.astype(np.int16), n.astype(np.float64), 0.0 * n)


def value(stream: Stream, table: tuple[tuple[int, float, float, int], ...]) -> float:
    runs = sum(row[0] for row in table)
    if stream is KEY:
        return sum(round(n * share) for n, share, _, _ in table) / runs
    if stream is NEW:
        return sum(round(n * new) for n, _, new, _ in table) / runs
    if stream is ABOVE:
        return sum(n * ((bin_ >= 4) + (bin_ + 3 >= 4)) for n, _, _, bin_ in table) / (2 * runs)
    logs = [(n, (min(max(b, -2), 12) + 0.5) / 8) for n, _, _, bin_ in table for b in (bin_, bin_ + 3)]
    return sum(n * log for n, log in logs) / (2 * runs)


@settings(max_examples=30)
@given(tables, tables)
def test_parts_add_up_to_the_shift(before: tuple, after: tuple) -> None:  # type: ignore[type-arg]
    """Of whatever stream, whoever came or went; and there are no parts where there is nothing to compare."""
    for stream in PLAN.streams:
        for dimension in DIMENSIONS:
            parts = parts_of(PLAN, stream, dimension, cells_of(before), cells_of(after))
            if not sum(row[0] for row in before) or not sum(row[0] for row in after):
                assert parts == []
                continue
            assert sum(part.total for part in parts) == pytest.approx(value(stream, after) - value(stream, before))
            assert sum(part.share_after for part in parts) == pytest.approx(1)


def test_another_mix_of_the_same_groups_is_mix() -> None:
    """What no group does differently is nobody's change."""
    before, after = (
        tuple((n, share, 0.0, 0) for n, share in zip(runs, (0.0, 0.5, 1.0), strict=True))
        for runs in ((50, 30, 20), (20, 30, 50))
    )

    parts = parts_of(PLAN, KEY, "version", cells_of(before), cells_of(after))

    assert all(part.within == 0 for part in parts)
    assert sum(part.mix for part in parts) == pytest.approx(0.3)


def test_the_group_that_changed_carries_the_shift() -> None:
    """One of three versions went wrong."""
    before = ((40, 0.1, 0.0, 0), (40, 0.1, 0.0, 0), (40, 0.1, 0.0, 0))
    after = ((40, 0.1, 0.0, 0), (40, 0.7, 0.0, 0), (40, 0.1, 0.0, 0))

    first, *others = parts_of(PLAN, KEY, "version", cells_of(before), cells_of(after))

    assert (first.name, first.within, first.mix) == ("b", pytest.approx(0.2), 0)
    assert all(part.total == 0 for part in others)


def test_what_takes_the_place_of_all_carries_all() -> None:
    """A version that is rolled out at once: the one before it, which was all there was, carries nothing."""
    before = ((40, 0.1, 0.0, 0), (0, 0.0, 0.0, 0), (0, 0.0, 0.0, 0))
    after = ((0, 0.0, 0.0, 0), (40, 0.5, 0.0, 0), (0, 0.0, 0.0, 0))

    first = parts_of(PLAN, KEY, "version", cells_of(before), cells_of(after))[0]

    assert (first.name, first.value_before, first.total) == ("b", None, pytest.approx(0.4))


def test_keys_are_told_by_how_far_they_moved() -> None:
    """The first is what a reader looks at."""
    before, after = ((40, 0.5, 0.0, 0),) * 3, ((40, 0.25, 0.1, 0),) * 3

    assert key_shifts("tool", cells_of(before), cells_of(after)) == [
        KeyShift("refund", 0.5, 0.25),
        KeyShift("fresh", 0.0, 0.1),
    ]
