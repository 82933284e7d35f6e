"""A baseline is learned from what there is, and says so where there is too little."""

from dataclasses import replace

import numpy as np
import pytest

from agentvigil.analysis.detection import (
    Baseline,
    DetectionConfig,
    FleetMonitor,
    ForeignState,
    StreamKind,
    TooFewRuns,
    fit,
    fit_fleet,
)
from agentvigil.analysis.detection.clusters_and_wander import Family, FamilySpread, FleetSpread, Part
from agentvigil.analysis.features.cells import Cells
from simulated_agents import START, Agent, cells_of, subject

END = START + 28 * 24


def test_streams_have_the_shares_and_quantiles_of_the_runs(baseline: Baseline, agent: Agent) -> None:
    """What is said to be usual must be."""
    levels = {(s.feature, s.key): level for s, level in zip(baseline.streams, baseline.level, strict=True) if s.key}
    above = [(s.level, level) for s, level in zip(baseline.streams, baseline.level, strict=True) if s.level]

    assert levels["tool", "refund"] == pytest.approx(agent.tools["refund"], abs=0.03)
    assert levels["response_model", "gpt"] == 1
    assert len(above) == 21
    assert all(level == pytest.approx(1 - quantile, abs=1e-3) for quantile, level in above)


def test_classes_have_shares_of_their_own(baseline: Baseline) -> None:
    """Else a change of their mix would be a change of the agent."""
    place = next(n for n, s in enumerate(baseline.streams) if s.key == "search")
    shares = dict(zip(baseline.plan.classes, baseline.share[place], strict=False))

    assert shares["billing"] < shares["orders"] - 0.05
    assert shares["orders"] < shares["other"] - 0.05


def test_rare_classes_have_numbers_together_and_keep_their_names() -> None:
    """A class of which there are five runs may be a kind of inputs; one of a thousand is the name of a user."""
    few = Agent(60, classes={"billing": 0.9, "orders": 0.09, "odd": 0.008, "rare": 0.002})
    many = Agent(400, classes={"billing": 0.5, **{f"user {n}": 0.001 for n in range(500)}})
    found = [fit(subject(), cells_of(agent, 28, 3), START, END) for agent in (few, many)]
    plans = [one.plan for one in found if isinstance(one, Baseline)]

    assert (plans[0].classes, plans[0].rare_classes) == (("billing", "orders", "odd"), ("rare",))
    assert plans[1].classes == ("billing",)
    assert 480 < len(plans[1].rare_classes) <= 500
    for one in found:
        assert isinstance(one, Baseline)
        assert one.share.shape == (len(one.streams), one.plan.places_of_classes)
        assert Baseline.from_bytes(one.to_bytes()).fingerprint == one.fingerprint


@pytest.mark.parametrize(
    ("runs_per_day", "days", "said"), [(3.0, 28, "too few runs: "), (500.0, 9, "too few days: 9.0 of 14")]
)
def test_too_little_is_said_and_not_guessed(runs_per_day: float, days: float, said: str) -> None:
    """A baseline of a few runs would alarm, or never."""
    found = fit(subject(), cells_of(Agent(runs_per_day), days, 1), START, START + round(days * 24))

    assert isinstance(found, TooFewRuns)
    assert str(found).startswith(said)
    assert (found.needed_runs, found.needed_days) == (200, 14)


def test_no_runs_are_too_few() -> None:
    """An agent that was seen once, long ago."""
    cells = cells_of(Agent(), 1, 1)

    assert fit(subject(), cells, END, END + 28 * 24) == TooFewRuns(0, 200, 28.0, 14)
    assert str(fit(subject(), cells.between(0, 0), START, END)) == "too few runs: 0 of 200"


def test_a_feature_that_few_runs_have_is_left_out_and_named(cells: Cells) -> None:
    """Time to the first chunk is recorded by one instrumentation in ten."""
    cost = np.flatnonzero(cells.feature == cells.words.index("cost"))
    rows = np.ones(len(cells), dtype=np.bool_)
    rows[cost[40:]] = False

    found = fit(subject(), cells.where(rows), START, END)

    assert isinstance(found, Baseline)
    assert "cost" not in found.plan.features
    assert str(found.too_few["cost"]).startswith("too few runs: ")


def one_class(cells: Cells) -> Cells:
    return replace_column(cells, "input_class", np.zeros_like(cells.input_class))


def a_class_for_each_hour(cells: Cells) -> Cells:
    words = (*cells.words, *(f"class {hour}" for hour in range(24 * 60)))
    return replace(replace_column(cells, "input_class", len(cells.words) + cells.hour - START), words=words)


def millions_of_runs(cells: Cells) -> Cells:
    return replace(cells, n=cells.n * 1e6, s=cells.s * 1e6)


def with_gaps(cells: Cells) -> Cells:
    return cells.where((cells.hour // 24) % 3 == 0)


def one_value(cells: Cells) -> Cells:
    return replace(cells, bin=np.zeros_like(cells.bin))


def only_totals(cells: Cells) -> Cells:
    return cells.where(cells.key == 0)


def nothing_in_rows(cells: Cells) -> Cells:
    return replace(cells, n=np.where(cells.hour % 2 == 0, cells.n, 0.0))


def everything_has_every_key(cells: Cells) -> Cells:
    return replace(cells, n=np.where(cells.key == 0, cells.n, 100.0))


def replace_column(cells: Cells, name: str, values: "np.typing.NDArray[np.integer]") -> Cells:
    return replace(cells, **{name: values.astype(np.int32)})


@pytest.mark.parametrize(
    "twist",
    [
        one_class, a_class_for_each_hour, millions_of_runs, with_gaps, one_value, only_totals, nothing_in_rows,
        everything_has_every_key,
    ],
)  # fmt: skip
def test_strange_cells_give_finite_numbers_and_no_alarm_while_nothing_changes(cells: Cells, twist) -> None:  # type: ignore[no-untyped-def]
    """Whatever a fleet sends, no number may become none, and strange is not the same as changed."""
    twisted = twist(cells.between(START, START + 38 * 24))
    with np.errstate(all="raise", under="ignore"):
        found = fit(subject(), twisted, START, END)
        assert isinstance(found, Baseline)
        monitor = FleetMonitor([found])
        alarms = [a for hour in range(END, END + 96) for a in monitor.advance(hour, {subject(): twisted})]

    for name in (
        "share",
        "variance",
        "season",
        "constant",
        "by_hour",
        "by_day",
        "pair_dispersion",
        "cumulants",
        "scale",
    ):
        assert np.isfinite(getattr(found, name)).all(), name
    assert (found.constant >= 1).all()
    assert alarms == []


def test_a_baseline_that_alarms_on_itself_is_trusted_less() -> None:
    """A level that jumped in its midst is how much this agent varies."""
    agent = Agent(1_000)
    jumped = cells_of(agent, 28, 3, changes=[(14, replace(agent, tokens=1_600))])
    still = FamilySpread(1, 0, 0)
    steady = FleetSpread({Family(name, part): still for name in ("output_tokens", "cost") for part in Part})
    trusting = DetectionConfig(prior_days=1e6)

    found = fit(subject(), jumped, START, END, fleet=steady, config=trusting)

    assert isinstance(found, Baseline)
    assert set(found.raised) == {"output_tokens", "cost"}
    assert all(factor > 2 for factor in found.raised.values())


def test_wander_and_clusters_are_told_apart() -> None:
    """The first slows large agents down, the second all alike; both are learned from the fleet."""
    rates = (200, 1_500)
    fleets = {
        kind: fit_fleet({subject(n): cells_of(replace(a, runs_per_day=rate), 28, n) for n, rate in enumerate(rates)},
                        START, END)
        for kind, a in {"still": Agent(), "wander": Agent(wander=0.15), "cluster": Agent(cluster=4)}.items()
    }  # fmt: skip

    def of_refund(kind: str, name: str) -> list[float]:
        found = []
        for baseline in fleets[kind].values():
            assert isinstance(baseline, Baseline)
            place = next(n for n, s in enumerate(baseline.streams) if s.key == "refund" and s.kind is StreamKind.KEY)
            found.append(float(getattr(baseline, name)[place]))
        return found

    wander = (
        DetectionConfig().dispersion_factor
        * 0.15**2
        * 1_500
        * of_refund("wander", "level")[-1]
        * (1 - of_refund("wander", "level")[-1])
    )
    assert of_refund("wander", "by_day")[-1] == pytest.approx(wander, rel=0.6)
    assert of_refund("still", "by_day")[-1] < 0.2 * wander
    assert of_refund("cluster", "by_day")[-1] < 0.2 * wander
    inside_of_days = [
        sum(of_refund(kind, part)[-1] for part in ("constant", "by_hour")) for kind in ("cluster", "still")
    ]
    assert inside_of_days[0] > 1.05 * inside_of_days[1]


def test_the_fingerprint_tells_baselines_apart(baseline: Baseline, cells: Cells) -> None:
    """State is kept for the same baseline only."""
    again = fit(subject(), cells, START, END)
    other = fit(subject(), cells, START, END - 24)

    assert isinstance(again, Baseline)
    assert isinstance(other, Baseline)
    assert again.fingerprint == baseline.fingerprint != other.fingerprint


def test_a_baseline_may_be_stored(baseline: Baseline) -> None:
    """Learned anew from runs that were corrected since, it would be another one, and evidence would be lost."""
    read = Baseline.from_bytes(baseline.to_bytes())

    assert read.fingerprint == baseline.fingerprint
    assert (read.plan, read.too_few, read.raised) == (baseline.plan, baseline.too_few, baseline.raised)
    for foreign in (b"", baseline.to_bytes()[:-30], FleetMonitor([baseline]).to_bytes()):
        with pytest.raises(ForeignState):
            Baseline.from_bytes(foreign)


def test_a_baseline_may_be_cut_out_of_the_middle_of_days(cells: Cells) -> None:
    """A person pins from a moment to another, and these are no midnights."""
    found = fit(subject(), cells, START + 5, START + 5 + 17 * 24 + 8)

    assert isinstance(found, Baseline)
    assert (found.end_hour - found.first_hour) % 24 == 8
    assert np.isfinite(found.by_day).all()
