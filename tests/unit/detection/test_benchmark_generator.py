"""The generator of the detection benchmark: what it draws is what it was asked for, and faults touch only their own."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "detection"))

from climates import CALM, HARSH
from drifts import DRIFTS, INPUT_MIX, Drift, onset
from generator import count_runs, course_of, subject_of
from modes import CASES
from traits import draw

from agentvigil.analysis.features.cells import Cells
from agentvigil.analysis.features.names import FEATURES, ZERO_BIN, Counting, bin_of

DAYS = 30
NUMBER, COUNT = 27, 50
"""An agent with about a thousand runs a day, in a fleet of fifty."""


@pytest.fixture(scope="module")
def quiet() -> Cells:
    return count_runs(course_of(3, NUMBER, COUNT, CALM, DAYS))


def totals(cells: Cells, feature: str, first: int = 0, end: int = 2**31 - 1) -> dict[str, float]:
    """Return for each key how many runs had it; under the empty key, how many counted."""
    rows = cells.between(first, end).of(feature)
    return {rows.words[key]: float(rows.n[rows.key == key].sum()) for key in np.unique(rows.key)}


def mean(cells: Cells, feature: str, first: int, end: int) -> float:
    rows = cells.between(first, end).of(feature)
    return float(rows.s.sum() / rows.n.sum())


def test_the_same_seed_gives_the_same_runs(quiet: Cells) -> None:
    """A figure that nobody can compute again is none."""
    again = count_runs(course_of(3, NUMBER, COUNT, CALM, DAYS))
    other = count_runs(course_of(4, NUMBER, COUNT, CALM, DAYS))

    assert again.words == quiet.words
    for column in ("hour", "input_class", "version", "model", "feature", "key", "bin", "n", "s"):
        np.testing.assert_array_equal(getattr(again, column), getattr(quiet, column))
    assert len(other) != len(quiet)


def test_rows_are_as_the_rollup_writes_them(quiet: Cells) -> None:
    """Ordered by the hour, each combination once, every feature there, and sums that fit their bins."""
    assert (np.diff(quiet.hour) >= 0).all()
    texts = (quiet.input_class, quiet.version, quiet.model, quiet.feature, quiet.key)
    columns = np.stack([quiet.hour, *texts, quiet.bin.astype(np.int32)])
    assert np.unique(columns, axis=1).shape[1] == len(quiet)
    assert {quiet.words[code] for code in np.unique(quiet.feature)} == set(FEATURES)
    assert (quiet.n > 0).all()

    duration = quiet.of("duration")
    assert [bin_of(float(value)) for value in duration.s / duration.n] == duration.bin.tolist()
    zeros = quiet.of("sequential_share")
    assert zeros.s[zeros.bin == ZERO_BIN].sum() == 0
    assert zeros.n[zeros.bin == ZERO_BIN].sum() > 0


def test_no_key_has_more_runs_than_count(quiet: Cells) -> None:
    """The row with the empty key is the whole that shares are of."""
    for name, feature in FEATURES.items():
        if feature.counting is Counting.CATEGORIES:
            n = totals(quiet, name)
            assert max(n.values()) == n[""]


@pytest.mark.parametrize(("number", "runs_per_day"), [(0, 21), (25, 680), (40, 5_370)])
def test_as_many_runs_come_as_were_asked_for(number: int, runs_per_day: float) -> None:
    """Volumes are spread evenly by their logarithm from 20 to 20,000 runs a day."""
    course = course_of(3, number, COUNT, CALM, DAYS)

    assert course.agent.runs_per_day == pytest.approx(runs_per_day, rel=0.03)
    assert totals(count_runs(course), "status")[""] / DAYS == pytest.approx(runs_per_day, rel=0.25)


def test_keys_come_as_often_as_was_asked_for(quiet: Cells) -> None:
    """Wander and noise move shares to and fro, not away."""
    course = course_of(3, NUMBER, COUNT, CALM, DAYS)
    n = totals(quiet, "tool")

    for key in course.agent.categories["tool"].keys:
        expected = float((course.categories["tool"].share(key) * course.runs).sum() / course.runs.sum())
        assert n[key] / n[""] == pytest.approx(expected, abs=0.02)


def test_runs_of_a_harsh_climate_vary_more_than_independent_ones() -> None:
    """A detector that takes runs for independent has to fail here, as it would with real ones."""
    ratios = {}
    for climate in (CALM, HARSH):
        rows = count_runs(course_of(3, 40, COUNT, climate, DAYS)).of("tool")
        key = rows.words.index("tool-0")
        n = np.bincount(rows.hour - rows.hour[0], rows.n * (rows.key == 0))
        y = np.bincount(rows.hour - rows.hour[0], rows.n * (rows.key == key), len(n))
        kept = n > 20
        p = y[kept].sum() / n[kept].sum()
        ratios[climate] = float(np.mean((y[kept] - n[kept] * p) ** 2 / (n[kept] * p * (1 - p))))

    assert 1.2 < ratios[CALM] < ratios[HARSH]


@pytest.mark.parametrize("drift", [*DRIFTS, INPUT_MIX], ids=lambda drift: drift.name)
def test_a_drift_changes_only_what_it_names(quiet: Cells, drift: Drift) -> None:
    """Else an alarm of one feature could be the work of another, and a delay that of nothing."""
    course = course_of(3, NUMBER, COUNT, CALM, DAYS, [drift.fault()])
    cells = count_runs(course)
    hour = course.first_hour + onset(course)

    before, drifted = quiet.between(0, hour), cells.between(0, hour)
    assert len(before) == len(drifted)
    np.testing.assert_array_equal(before.n, drifted.n)
    if drift == INPUT_MIX:
        assert totals(cells, "status", hour) != totals(quiet, "status", hour)
    elif drift.name != "new_model":  # whose runs stand under another model
        for name in FEATURES:
            named = name in drift.features or (name == "usage" and drift.features[0] in ("cost", "output_tokens"))
            one, other = quiet.between(hour, 2**31 - 1).of(name), cells.between(hour, 2**31 - 1).of(name)
            same = len(one) == len(other) and bool((one.n == other.n).all()) and bool((one.s == other.s).all())
            assert same is not named, name


def test_drifts_are_as_large_as_they_say() -> None:
    """Ten points are ten points, and a new tool is in three runs of a hundred."""
    drifted = {}
    for drift in DRIFTS:
        course = course_of(3, 38, COUNT, CALM, DAYS, [drift.fault()])
        drifted[drift.name] = count_runs(course)
    first, hour, end = course.first_hour, course.first_hour + onset(course), course.first_hour + course.hours

    def moved(name: str, feature: str, key: str) -> float:
        after, before = totals(drifted[name], feature, hour, end), totals(drifted[name], feature, first, hour)
        return after[key] / after[""] - before.get(key, 0) / before[""]

    def ratio(name: str, feature: str) -> float:
        return mean(drifted[name], feature, hour, end) / mean(drifted[name], feature, first, hour)

    assert moved("tool_mix_10", "tool", "tool-1") == pytest.approx(0.10, abs=0.02)
    assert moved("tool_mix_20", "tool", "tool-0") == pytest.approx(-0.20, abs=0.02)
    assert moved("new_tool", "tool", "tool-new") == pytest.approx(0.03, abs=0.003)
    assert moved("new_model", "response_model", "model-new") == pytest.approx(0.2, abs=0.01)
    assert moved("errors", "status", "failure") == pytest.approx(0.02, abs=0.01)
    assert ratio("length", "output_tokens") == pytest.approx(1.15, abs=0.05)
    assert ratio("cost_creep", "cost") > 1.05


def test_cases_of_each_mode_have_something_like_them_that_is_none() -> None:
    """Precision without negatives that look alike is no precision."""
    modes = {case.mode for case in CASES}

    assert len(modes) == 7
    for mode in modes:
        assert {case.is_failure for case in CASES if case.mode == mode} == {True, False}


def test_subjects_differ() -> None:
    """Each agent of a fleet is watched for itself."""
    assert len({subject_of(course_of(3, number, 5).agent) for number in range(5)}) == 5


def test_agents_have_as_many_input_classes_as_they_are_asked_to_have() -> None:
    """And one to four where nobody asks."""
    many = draw(3, NUMBER, COUNT, classes=60)

    assert (len(many.classes), len(many.mix), len(many.categories["tool"].log_odds)) == (60, 60, 60)
    assert {len(draw(3, number, COUNT).classes) for number in range(COUNT)} == {1, 2, 3, 4}
