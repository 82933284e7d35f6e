"""Comparisons say what is there and nothing else: on runs made by chance, of which it is known what moved."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentvigil.analysis.comparing.compare import compare
from agentvigil.analysis.comparing.differences import difference_of
from agentvigil.analysis.comparing.evidence import TILTS, evidence_of_rates
from agentvigil.analysis.comparing.hypergeometric import log_factorial, log_mean_exp
from agentvigil.analysis.comparing.intervals import Share, difference_of_shares
from agentvigil.analysis.comparing.observing import regressions_of
from agentvigil.analysis.comparing.report import LEVEL, Change, FeatureReport, Report, Verdict
from agentvigil.analysis.comparing.strata import Sums
from agentvigil.analysis.comparing.streams import Measure
from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.findings.model import Kind, Severity, SubjectType
from runs_in_cells import FIRST_HOUR, Class, Fleet, cells_of

MOVED: Final = (Verdict.WORSE, Verdict.BETTER, Verdict.CHANGED)
CLASSES: Final = {
    "easy": Class(0.6),
    "hard": Class(0.4, failing=0.08, tools={"kb": 0.3, "search": 0.5}, duration_s=9.0, tokens=3000.0, steps=6),
}
SMALL: Final = Fleet(CLASSES, runs_per_day=150, days=3)
LARGE: Final = Fleet(CLASSES, runs_per_day=1000, days=4)


def feature(report: Report, name: str) -> FeatureReport:
    return next(one for one in report.features if one.feature.name == name)


def change(report: Report, name: str, key: str = "", measure: Measure = Measure.SHARE) -> Change:
    return next(one for one in feature(report, name).changes if (one.key, one.measure) == (key, measure))


def moved(report: Report) -> set[str]:
    return {one.feature.name for one in report.features if one.verdict in MOVED}


def with_classes(fleet: Fleet, **changes: object) -> Fleet:
    """Every class with these changes."""
    classes: Mapping[str, Class] = {name: replace(one, **changes) for name, one in fleet.classes.items()}  # type: ignore[arg-type]
    return replace(fleet, classes=classes)


# Nothing moved


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (SMALL, SMALL),
        (replace(SMALL, wander=0.1, days=6), replace(SMALL, wander=0.1, days=6)),
        (replace(SMALL, wander=0.1, days=10), replace(SMALL, wander=0.1, days=1, runs_per_day=400)),
        (SMALL, replace(SMALL, runs_per_day=15, days=1)),
    ],
    ids=["alike", "days that wander", "one day that wanders", "few runs"],
)
def test_what_is_the_same_is_rarely_said_to_move(before: Fleet, after: Fleet) -> None:
    """At most ``LEVEL`` of comparisons say of any of a dozen things that it moved."""
    seeds = 20

    said = [moved(compare(cells_of(before, 2 * seed), cells_of(after, 2 * seed + 1))) for seed in range(seeds)]

    assert sum(map(bool, said)) <= LEVEL * seeds, said


def test_looking_again_and_again_finds_no_more_than_is_there() -> None:
    """CI compares after each batch of runs: what counts is whether any of the looks was wrong."""
    seeds, wrong = 10, 0
    for seed in range(seeds):
        before, after = cells_of(SMALL, 1000 + seed), cells_of(replace(SMALL, days=4), 2000 + seed)
        looks = [after.between(0, FIRST_HOUR + hours) for hours in (6, 12, 24, 48, 96)]
        wrong += any(moved(compare(before, look)) for look in looks)

    assert wrong <= LEVEL * seeds


def test_other_work_is_no_regression() -> None:
    """With more of the hard work more runs fail, and all take longer: none of it is worse than it was."""
    harder = {"easy": replace(CLASSES["easy"], share=0.2), "hard": replace(CLASSES["hard"], share=0.8)}

    for seed in range(4):
        report = compare(cells_of(LARGE, 2 * seed), cells_of(replace(LARGE, classes=harder), 2 * seed + 1))

        assert not moved(report)
        failing = change(report, "status", "failure")
        assert failing.after - failing.before > 0.015
        assert failing.mix is not None
        assert failing.within is not None
        assert failing.mix > 0.01
        assert failing.mix + failing.within == pytest.approx(failing.after - failing.before)
        steps = change(report, "steps", measure=Measure.TYPICAL)
        assert steps.within == pytest.approx(0)
        assert steps.mix == pytest.approx(2 ** (0.4 * math.log2(6 / 3)) - 1, rel=0.2)


def test_classes_that_one_side_alone_has_are_left_out() -> None:
    new = {**CLASSES, "new": Class(1.0, failing=0.5)}

    report = compare(cells_of(LARGE, 1), cells_of(replace(LARGE, classes=new), 2))

    assert not moved(report)
    assert report.share_compared == pytest.approx(2 / 3, abs=0.02)


def test_without_a_class_in_common_nothing_is_said() -> None:
    other = {"other": Class(failing=0.9)}

    report = compare(cells_of(SMALL, 1), cells_of(replace(SMALL, classes=other), 2))

    assert {one.verdict for one in report.features} == {Verdict.TOO_FEW_RUNS}
    assert report.share_compared == 0


@given(st.integers(0, 10**6), st.sampled_from([1.0, 2.0]))
@settings(max_examples=8, deadline=None)
def test_the_other_way_round_is_the_mirror_image(seed: int, factor: float) -> None:
    one, other = cells_of(SMALL, seed), cells_of(with_classes(SMALL, failing=0.05 * factor), seed + 1)
    opposite = {Verdict.WORSE: Verdict.BETTER, Verdict.BETTER: Verdict.WORSE}

    forth, back = compare(one, other), compare(other, one)

    for there in forth.features:
        here = feature(back, there.feature.name)
        assert here.verdict is opposite.get(there.verdict, there.verdict)
        for a in there.changes:
            b = next(b for b in here.changes if (b.key, b.measure) == (a.key, a.measure))
            assert b.log_evidence == pytest.approx(a.log_evidence, abs=1e-6)
            assert (a.within is None) == (b.within is None)
            if a.within is not None and b.within is not None and a.measure is not Measure.TYPICAL:
                assert b.within == pytest.approx(-a.within, abs=1e-9)


# Something moved


def test_errors_that_triple_are_found() -> None:
    """1 to 3 %, in 4,000 runs."""
    before, after = with_classes(LARGE, failing=0.01), with_classes(LARGE, failing=0.03)

    found = [compare(cells_of(before, seed), cells_of(after, 100 + seed)) for seed in range(5)]

    assert sum(feature(one, "status").verdict is Verdict.WORSE for one in found) >= 4
    for one in found:
        told = change(one, "status", "failure")
        assert told.low is not None
        assert told.high is not None
        assert told.low < 0.02 < told.high
        assert moved(one) <= {"status", "failure"}


@pytest.mark.parametrize(
    ("moves", "name", "verdict", "severity"),
    [
        ({"failing": 0.2}, "status", Verdict.WORSE, Severity.CRITICAL),
        ({"failing": 0.001}, "status", Verdict.BETTER, None),
        ({"steps": 4}, "steps", Verdict.WORSE, Severity.MAJOR),
        ({"tokens": 1440.0}, "output_tokens", Verdict.WORSE, Severity.MINOR),
        ({"tokens": 1700.0}, "cost", Verdict.WORSE, Severity.MAJOR),
        ({"tokens": 3000.0}, "cost", Verdict.WORSE, Severity.CRITICAL),
        ({"duration_s": 2.0}, "duration", Verdict.BETTER, None),
        ({"tools": {"kb": 0.6, "refund": 0.3, "new": 0.03}}, "tool", Verdict.CHANGED, None),
    ],
)
def test_what_moved_is_found_and_weighed(
    moves: dict[str, object], name: str, verdict: Verdict, severity: Severity | None
) -> None:
    fleet = Fleet(runs_per_day=700, days=4, wander=0.02)

    report = compare(cells_of(fleet, 5), cells_of(with_classes(fleet, **moves), 6))

    found = feature(report, name)
    assert (found.verdict, found.severity) == (verdict, severity)
    assert report.features[0].verdict is report.verdict
    if severity is not None:
        assert report.severity is severity
        assert found in report.worse


def test_a_new_tool_is_new() -> None:
    fleet = Fleet(runs_per_day=700, days=4)
    after = with_classes(fleet, tools={"kb": 0.8, "refund": 0.3, "new": 0.03})

    report = compare(cells_of(fleet, 1), cells_of(after, 2))

    assert (change(report, "tool", "new").direction, change(report, "tool", "new").verdict) == ("new", Verdict.CHANGED)
    assert change(report, "tool", "kb").verdict is Verdict.SAME


def test_slow_runs_are_seen_where_the_typical_one_is_as_fast() -> None:
    """A tenth of the runs takes four times as long."""
    fleet = Fleet({"": Class(0.9), "slow": Class(0.1)}, runs_per_day=800, days=4, wander=0.02)
    before, after = (
        cells_of(fleet, 1),
        cells_of(replace(fleet, classes={"": Class(0.9), "slow": Class(0.1, duration_s=16.0)}), 2),
    )
    # Nobody says which runs these are.
    before, after = (replace(cells, input_class=np.zeros_like(cells.input_class)) for cells in (before, after))

    high = change(compare(before, after), "duration", measure=Measure.HIGH)

    assert (high.verdict, high.direction) == (Verdict.WORSE, "up")


# Too few runs


def test_few_runs_tell_nothing_and_say_how_many_would() -> None:
    few = replace(SMALL, days=1, runs_per_day=20)

    told = feature(compare(cells_of(LARGE, 1), cells_of(few, 2)), "status")

    assert told.verdict is Verdict.TOO_FEW_RUNS
    assert told.more_before == 0
    assert told.more_after is not None
    enough = replace(SMALL, days=4, runs_per_day=(20 + told.more_after) / 4)
    decided = [
        feature(compare(cells_of(LARGE, seed), cells_of(enough, 50 + seed)), "status").verdict for seed in range(8)
    ]
    assert sum(verdict is Verdict.SAME for verdict in decided) >= 5


def test_where_both_sides_are_small_both_need_more() -> None:
    few = replace(SMALL, days=1, runs_per_day=20)

    told = feature(compare(cells_of(few, 1), cells_of(few, 2)), "duration")

    assert told.verdict is Verdict.TOO_FEW_RUNS
    assert told.more_before is not None
    assert told.more_after is not None
    assert min(told.more_before, told.more_after) > 0


def test_no_runs_are_too_few() -> None:
    cells = cells_of(SMALL, 1)
    nothing = cells.between(0, 1)

    for before, after in ((cells, nothing), (nothing, cells), (nothing, nothing)):
        report = compare(before, after)
        assert (report.verdict, report.severity, list(report.features)) == (Verdict.TOO_FEW_RUNS, None, [])
    assert "status" in compare(cells, nothing).only_before


# What it is made of


@given(st.integers(0, 40), st.integers(0, 40), st.data())
@settings(max_examples=25, deadline=None)
def test_the_bet_is_fair(before: int, after: int, data: st.DataObject) -> None:
    """If both are alike, an e-value is 1 in the mean, or less; here over all that can happen, not over samples."""
    have = data.draw(st.integers(0, before + after))
    possible = range(max(0, have - before), min(after, have) + 1)
    weights = [math.comb(after, k) * math.comb(before, have - k) for k in possible]

    def e_values(k: int) -> tuple[float, float]:
        def sums(n: int, of: int) -> Sums:
            return Sums.of_rate(np.array([[float(n)]]), np.array([[float(of)]]))

        found = evidence_of_rates(sums(before, have - k), sums(after, k), 0.0)
        return math.exp(found.log_up), math.exp(found.log_down)

    for values in zip(*map(e_values, possible), strict=True):
        assert sum(w * e for w, e in zip(weights, values, strict=True)) / sum(weights) <= 1 + 1e-9


@pytest.mark.parametrize(
    ("before", "after", "have"),
    [(0, 5, 3), (10, 10, 3), (1000, 1000, 60), (5000, 200, 8), (9000, 9000, 5000), (50_000, 3000, 4000)],
)
def test_means_of_bets_are_those_of_the_hypergeometric(before: int, after: int, have: int) -> None:
    def log_weight(k: int) -> float:
        parts = (k, after - k, have - k, before - have + k)
        return -sum(math.lgamma(part + 1) for part in parts)

    possible = np.arange(max(0, have - before), min(after, have) + 1)
    weights = np.array([log_weight(int(k)) for k in possible])
    tilts = np.concatenate([TILTS, -TILTS])

    for tilt, told in zip(tilts, log_mean_exp(tilts, before, after, have)[:, 0], strict=True):
        true = np.logaddexp.reduce(weights + tilt * possible) - np.logaddexp.reduce(weights)
        assert told == pytest.approx(true, abs=0.01)


def test_factorials_are_those_of_the_library() -> None:
    values = np.array([0.0, 1, 2, 9, 10, 100, 123_456_789])

    assert log_factorial(values) == pytest.approx([math.lgamma(value + 1) for value in values], abs=1e-10, rel=1e-13)


@given(st.integers(1, 3000), st.integers(1, 3000), st.data())
def test_of_one_class_the_interval_is_that_of_the_versions_page(before: int, after: int, data: st.DataObject) -> None:
    """``/v1/agents/NAME/versions/diff`` and comparisons must not tell two truths."""
    had, has = data.draw(st.integers(0, before)), data.draw(st.integers(0, after))

    def sums(n: int, of: int) -> Sums:
        return Sums.of_rate(np.array([[float(n)]]), np.array([[float(of)]]))

    found = difference_of(sums(before, had), sums(after, has), 0.0, is_rate=True)
    plain = difference_of_shares(Share(had, before), Share(has, after))

    assert found is not None
    assert found.interval is not None
    assert plain is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((plain.low, plain.high), abs=1e-12)
    assert (found.mix, found.within) == pytest.approx((0.0, has / after - had / before), abs=1e-12)


# Observations


def test_regressions_become_observations() -> None:
    fleet = Fleet(runs_per_day=700, days=4, wander=0.02)
    before, after = cells_of(fleet, 5), _later(cells_of(with_classes(fleet, failing=0.2, tokens=3000.0), 6))
    report = compare(before, after)

    found = {one.feature: one for one in regressions_of(report, Subject("p", "prod", "a"), "1.4", before, after, "1.3")}

    assert set(found) == {one.feature.name for one in report.worse} >= {"status", "cost"}
    status, cost = found["status"], found["cost"]
    assert (status.kind, status.subject_type, status.subject) == (Kind.REGRESSION, SubjectType.VERSION, "1.4")
    assert (status.project, status.environment, status.agent) == ("p", "prod", "a")
    assert (status.stream, status.direction, status.severity) == ("failure", "up", Severity.CRITICAL)
    assert status.baseline_end is not None
    assert status.baseline_end <= status.window_start < status.window_end == status.seen_at
    assert status.window_value is not None
    assert status.window_low is not None
    assert status.window_high is not None
    assert status.window_low < status.window_value < status.window_high
    assert status.statistic is not None
    assert status.threshold is not None
    assert status.statistic >= status.threshold
    assert status.failed_runs_per_day == pytest.approx(0.18 * 700, rel=0.2)
    assert cost.usd_per_day == pytest.approx(700 * 1.8e-5 * 1000 * 1.13, rel=0.2)
    assert "version 1.4: status failure: 2" in status.explanation
    assert regressions_of(compare(before, before), Subject("p", "", "a"), "1.4", before, before) == []


def _later(cells: Cells) -> Cells:
    return replace(cells, hour=cells.hour + 24 * 30)
