"""Adding rows up first and asking for places once gives the same counts as asking for those of each row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentvigil.analysis.detection import alike
from agentvigil.analysis.detection.alike import added_up
from agentvigil.analysis.detection.counting import Layout
from agentvigil.analysis.detection.streams import Plan, Stream, StreamKind
from agentvigil.analysis.features.cells import Cells, Words
from agentvigil.analysis.features.names import ZERO_BIN
from simulated_agents import subject

PLAN = Plan(
    subject(0),
    ("x", ""),
    (),
    (
        Stream("tool", StreamKind.KEY, key="search"),
        Stream("tool", StreamKind.OTHER),
        Stream("tool", StreamKind.NEW),
        Stream("cost", StreamKind.ABOVE, edge_bin=-7, level=0.5),
        Stream("cost", StreamKind.ABOVE, edge_bin=2, level=0.9),
        Stream("cost", StreamKind.MEAN),
    ),
    {"tool": ("rare",)},
    {"cost": (-9, 12)},
)
BINS = (ZERO_BIN, -32_767, -9, -1, 0, 1, 2, 30, 32_767)

counts_of_keys = st.tuples(st.just("tool"), st.sampled_from(("", "search", "rare", "fresh")), st.just(0))
counts_of_values = st.tuples(st.sampled_from(("cost", "steps")), st.just(""), st.sampled_from(BINS))
row = st.tuples(
    st.integers(0, 5), st.sampled_from(("", "x", "y")), st.sampled_from(("v1", "v2")), st.integers(0, 4),
    counts_of_keys | counts_of_values,
)  # fmt: skip


def cells_of(rows: list[tuple[int, str, str, int, tuple[str, str, int]]]) -> Cells:
    words = Words()
    codes = [
        (hour, words.code(c), words.code(v), 0, words.code(f), words.code(key), bin_, n)
        for hour, c, v, n, (f, key, bin_) in sorted(rows)
    ]
    columns = np.array(codes, dtype=np.float64).reshape(-1, 8).T
    texts = (column.astype(np.int32) for column in columns[:6])
    return Cells(tuple(words), *texts, columns[6].astype(np.int16), columns[7], 0 * columns[7])


@pytest.mark.parametrize("most_codes", [alike._MOST_CODES, 0], ids=["counted", "sorted"])
@settings(max_examples=40)
@given(st.lists(row, max_size=40))
def test_what_is_added_up_counts_what_its_rows_count(
    most_codes: int, rows: list[tuple[int, str, str, int, tuple[str, str, int]]]
) -> None:
    """In all, and hour by hour; with features and classes that nobody watches, and rows without runs."""
    cells, layout = cells_of(rows), Layout([PLAN])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alike, "_MOST_CODES", most_codes)
        added = added_up(cells)
    mine = [column.tolist() for column in (cells.input_class, cells.feature, cells.key, cells.bin)]
    sums = [column.tolist() for column in (added.sums.input_class, added.sums.feature, added.sums.key, added.sums.bin)]
    center, scale = np.full(layout.slot_count, 0.25), np.full(layout.slot_count, 2.0)
    whole = layout.rows([(0, added.sums)])
    by_hour = added.by_hour(whole, cells)
    plain = layout.rows([(0, cells)])

    assert [list(zip(*sums, strict=True))[place] for place in added.place] == list(zip(*mine, strict=True))
    assert len(added.sums) == len(set(zip(*mine, strict=True)))
    for one, hours in ((whole, 1), (by_hour, 6)):
        at = plain.hour if hours > 1 else 0 * plain.hour
        assert (layout.runs(one, one.hour, hours) == layout.runs(plain, at, hours)).all()
        assert layout.hits(one, one.hour, hours, center, scale) == pytest.approx(
            layout.hits(plain, at, hours, center, scale)
        )
