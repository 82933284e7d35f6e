"""What the flat arrays count is what one would count by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentvigil.analysis.detection.counting import Layout
from agentvigil.analysis.detection.streams import Plan, Stream, StreamKind
from agentvigil.analysis.features.cells import Cells, Words
from agentvigil.analysis.features.names import ZERO_BIN
from simulated_agents import subject

STREAMS = (
    Stream("tool", StreamKind.KEY, key="search"),
    Stream("tool", StreamKind.KEY, key="refund"),
    Stream("tool", StreamKind.OTHER),
    Stream("tool", StreamKind.NEW),
    Stream("cost", StreamKind.ABOVE, edge_bin=-3, level=0.2),
    Stream("cost", StreamKind.ABOVE, edge_bin=2, level=0.5),
    Stream("cost", StreamKind.ABOVE, edge_bin=9, level=0.9),
    Stream("cost", StreamKind.MEAN),
    Stream("steps", StreamKind.ABOVE, edge_bin=8, level=0.5),
)
CLIPPED = (-4, 12)
PLANS = tuple(
    Plan(subject(number), classes, rare, STREAMS, {"tool": ("rare", "odd")}, {"cost": CLIPPED})
    for number, (classes, rare) in enumerate(
        (
            (("x", "y"), ()),
            ((), ("y", "")),
            (("", "x"), ("y",)),
        )
    )
)
CLASSES = ("x", "y", "", "unknown")
TOOLS = ("", "search", "refund", "rare", "odd", "fresh", "x")
BINS = (ZERO_BIN, -9, -4, -3, 1, 2, 8, 9, 10, 30)

row = st.tuples(
    st.integers(0, 3), st.sampled_from(CLASSES), st.sampled_from(("tool", "cost", "steps", "usage", "other")),
    st.sampled_from(TOOLS), st.sampled_from(BINS), st.integers(0, 5),
)  # fmt: skip
tables = st.lists(st.lists(row, max_size=25), min_size=3, max_size=3)


def cells_of(rows: list[tuple[int, str, str, str, int, int]]) -> Cells:
    words = Words()
    codes = [
        (hour, words.code(c), 0, 0, words.code(f), words.code(key) if f == "tool" else 0, 0 if f == "tool" else b, n)
        for hour, c, f, key, b, n in sorted(rows)
    ]
    columns = np.array(codes, dtype=np.float64).reshape(-1, 8).T
    return Cells(
        tuple(words),
        *(c.astype(np.int32) for c in columns[:6]),
        columns[6].astype(np.int16),
        columns[7],
        0 * columns[7],
    )


def by_hand(stream: Stream, f: str, key: str, bin_: int) -> float:
    if f != stream.feature:
        return 0
    if stream.kind is StreamKind.ABOVE:
        return bin_ >= stream.edge_bin
    if stream.kind is StreamKind.MEAN:
        return ((min(max(bin_, CLIPPED[0]), CLIPPED[1]) + 0.5) / 8 - 0.25) / 2
    if not key:
        return 0
    kind = {"search": StreamKind.KEY, "refund": StreamKind.KEY, "rare": StreamKind.OTHER, "odd": StreamKind.OTHER}
    return kind.get(key, StreamKind.NEW) is stream.kind and (stream.kind is not StreamKind.KEY or key == stream.key)


@settings(max_examples=25)
@given(tables)
def test_runs_and_hits_are_those_counted_by_hand(table: list) -> None:  # type: ignore[type-arg]
    """Three subjects at once, with unknown classes, features, keys, zeros, and rows without runs."""
    layout = Layout(PLANS)
    rows = layout.rows([(number, cells_of(mine)) for number, mine in enumerate(table)])
    center, scale = np.full(layout.slot_count, 0.25), np.full(layout.slot_count, 2.0)
    runs, hits = layout.runs(rows, rows.hour, 4), layout.hits(rows, rows.hour, 4, center, scale)

    stream_place = slot_place = 0
    for plan, mine in zip(PLANS, table, strict=True):
        for stream in plan.streams:
            for hour in range(4):
                wanted = sum(n * by_hand(stream, f, key, b) for h, _, f, key, b, n in mine if h == hour)
                assert hits[hour, stream_place] == pytest.approx(wanted)
            stream_place += 1
        for feature in plan.features:
            for names in [
                *([name] for name in plan.classes),
                *([plan.rare_classes] if plan.rare_classes else []),
                None,
            ]:
                for hour in range(4):
                    wanted = sum(
                        n for h, c, f, key, _, n in mine
                        if h == hour and f == feature and (f != "tool" or not key)
                        and (c in names if names is not None else c not in (*plan.classes, *plan.rare_classes))
                    )  # fmt: skip
                    assert runs[hour, slot_place] == wanted
                slot_place += 1


def test_rows_may_be_those_of_one_model_alone() -> None:
    """Pools look at the runs that a model answered."""
    cells = cells_of([(0, "x", "tool", "", 0, 5), (0, "x", "tool", "search", 0, 3)])
    layout = Layout(PLANS[:1])

    assert len(layout.rows([(0, cells)], ("model", "")).n) == 2
    assert len(layout.rows([(0, cells)], ("model", "gpt")).n) == 0


def test_weights_of_a_feature_add_up_to_one() -> None:
    """R of a feature is an average of what each has a promise for."""
    layout = Layout(PLANS)

    lasting = np.bincount(layout.group_of_column, layout.weight)
    sudden = np.bincount(layout.group_of_column[layout.sudden_columns], layout.sudden_weight, layout.group_count)

    assert lasting + sudden == pytest.approx(1)
    assert set(np.round(sudden, 9)) <= {0, 0.5}


def test_sums_over_classes_are_the_same_for_many_hours_as_for_each() -> None:
    """One hour of many subjects and many hours of few go different ways."""
    layout, rng = Layout(PLANS), np.random.default_rng(5)
    by_slot = rng.normal(size=(layout.group_count, layout.slot_count))
    numbers = rng.normal(size=len(layout.slot_of_entry))
    hour_by_hour = np.concatenate([layout.of_classes(hour[None], numbers) for hour in by_slot])

    assert layout.of_classes(by_slot, numbers) == pytest.approx(hour_by_hour)
    assert hour_by_hour[0, 1] == pytest.approx(by_slot[0, :3] @ numbers[3:6])
