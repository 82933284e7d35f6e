"""The Turing Change Point Dataset, as far as river ships it, scored as its authors did."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "detection"))

from tcpd import PUBLISHED, Series, covering, f1, series


@pytest.mark.parametrize("one", series(), ids=lambda one: one.name)
def test_finding_nothing_scores_as_published(one: Series) -> None:
    """The same marks, the same length and the same arithmetic: else no score can be put beside theirs."""
    published = PUBLISHED[one.name].zero

    assert f1(one.marks, []) == pytest.approx(published[0], abs=1e-4)
    assert covering(one.marks, [], len(one.values)) == pytest.approx(published[1], abs=1e-4)


def test_finding_what_everybody_marked_is_perfect() -> None:
    """And a place within five of it is as good for F1, though not for the covering."""
    marks = ((100, 200), (100, 200))

    assert f1(marks, [100, 200]) == covering(marks, [100, 200], 300) == 1
    assert f1(marks, [104, 197]) == 1
    assert covering(marks, [104, 197], 300) < 1
    assert f1(marks, [106, 200]) < 1
