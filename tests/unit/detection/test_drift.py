"""What changed is found, where and when it changed; what did not change is not."""

from dataclasses import replace

import numpy as np
import pytest

from agentvigil.analysis.detection import Alarm, Baseline, Direction, FleetMonitor, StreamKind, fit_fleet
from agentvigil.analysis.detection.explaining import Explanation, explain, explain_further, is_inside
from agentvigil.analysis.detection.observations import moved_of, observation_of, told_of
from agentvigil.analysis.features.cells import Cells
from agentvigil.analysis.findings.model import Kind, Severity
from simulated_agents import START, Agent, cells_of, subject

FIRST = START + 28 * 24
CHANGED = FIRST + 3 * 24 + 5
END = FIRST + 9 * 24
USUAL = Agent(700)
SHIFTS = {
    "tool": replace(USUAL, tools={**USUAL.tools, "search": 0.5, "refund": 0.3}, version="2.4"),
    "longer": replace(USUAL, tokens=USUAL.tokens * 1.25),
    "faster": replace(USUAL, seconds=USUAL.seconds * 0.6),
    "failing": replace(USUAL, failures=0.03, model="gpt-5"),
    "new tool": replace(USUAL, tools={**USUAL.tools, "wire": 0.03}),
    "mix": replace(USUAL, classes={"billing": 0.1, "orders": 0.2, "other": 0.7}),
    "volume": replace(USUAL, runs_per_day=4_000, daily=0.0),
    "nothing": USUAL,
}


@pytest.fixture(scope="module")
def fleet() -> dict[str, Cells]:
    """Return one agent for each shift, on the fourth day of being watched."""
    return {
        name: cells_of(USUAL, 37, 40 + number, changes=[((CHANGED - START) / 24, shifted)])
        for number, (name, shifted) in enumerate(SHIFTS.items())
    }


@pytest.fixture(scope="module")
def baselines(fleet: dict[str, Cells]) -> dict[str, Baseline]:
    found = fit_fleet({subject(n): cells for n, cells in enumerate(fleet.values())}, START, FIRST)
    baselines = dict(zip(fleet, found.values(), strict=True))
    assert all(isinstance(baseline, Baseline) for baseline in baselines.values())
    return baselines  # type: ignore[return-value]


@pytest.fixture(scope="module")
def alarms(fleet: dict[str, Cells], baselines: dict[str, Baseline]) -> dict[str, list[Alarm]]:
    monitor = FleetMonitor(baselines.values())
    cells = {baselines[name].subject: cells for name, cells in fleet.items()}
    found = [alarm for hour in range(FIRST, END) for alarm in monitor.advance(hour, cells)]
    return {name: [a for a in found if a.subject == baselines[name].subject] for name in fleet}


@pytest.fixture(scope="module")
def explained(
    fleet: dict[str, Cells], baselines: dict[str, Baseline], alarms: dict[str, list[Alarm]]
) -> dict[str, Explanation]:
    """Return the first alarm of each that has one; of what fails, that of how runs end."""
    first = {name: next(a for a in mine if a.feature != "response_model") for name, mine in alarms.items() if mine}
    return {name: explain(alarm, baselines[name], fleet[name], fleet[name]) for name, alarm in first.items()}


@pytest.mark.parametrize("quiet", ["mix", "volume", "nothing"])
def test_other_input_or_more_of_it_is_no_drift(alarms: dict[str, list[Alarm]], quiet: str) -> None:
    """Each run is compared with runs of its own class, and counts of runs are no feature."""
    assert alarms[quiet] == []


@pytest.mark.parametrize(
    ("shift", "features", "kind", "key", "direction"),
    [
        ("tool", {"tool"}, StreamKind.KEY, ("refund", "search"), None),
        ("longer", {"output_tokens", "cost"}, StreamKind.MEAN, ("",), Direction.UP),
        ("faster", {"duration"}, StreamKind.MEAN, ("",), Direction.DOWN),
        ("failing", {"status", "response_model"}, None, ("failure", "", "gpt"), None),
        ("new tool", {"tool"}, StreamKind.NEW, ("",), Direction.NEW),
    ],
)
def test_a_shift_is_found_in_its_stream(
    alarms: dict[str, list[Alarm]], shift: str, features: set[str], kind: StreamKind | None, key: tuple[str, ...],
    direction: Direction | None,
) -> None:  # fmt: skip
    """After it began, and nothing else is said to have moved."""
    assert {alarm.feature for alarm in alarms[shift]} == features
    for alarm in alarms[shift]:
        assert alarm.hour >= CHANGED
        assert alarm.statistic >= alarm.threshold == 7_200 * 6
        assert alarm.hours_between_false_alarms == 7_200
        assert 0 < alarm.part <= 1
        assert alarm.stream.key in key
        assert kind in {None, alarm.stream.kind}
        assert direction in {None, alarm.direction}


@pytest.mark.parametrize("shift", ["tool", "longer", "faster", "failing", "new tool"])
def test_the_time_is_found(explained: dict[str, Explanation], shift: str) -> None:
    """Of which the interval tells how well it is known."""
    since = explained[shift].since

    assert since.first_hour - 1 <= CHANGED <= since.last_hour + 1
    assert abs(since.hour - CHANGED) <= 12


def test_an_explanation_tells_how_far(explained: dict[str, Explanation]) -> None:
    """With an interval that holds the truth, which for a tool is above what its classes were made for."""
    tool, longer, faster = explained["tool"], explained["longer"], explained["faster"]

    assert tool.low < tool.window_value < tool.high
    assert longer.baseline_value == pytest.approx(800 if longer.alarm.feature == "output_tokens" else 0.008, rel=0.06)
    assert longer.low < 1.25 * longer.baseline_value < longer.high
    assert faster.effect_size == pytest.approx(-0.4, abs=0.1)
    assert faster.runs_per_day == pytest.approx(700, rel=0.5)


def test_an_explanation_tells_what_else_changed(explained: dict[str, Explanation]) -> None:
    """Which is what most shifts come from."""
    assert [(change.what, change.name) for change in explained["tool"].changes] == [("version", "2.4")]
    assert {(c.what, c.name) for c in explained["failing"].changes} == {("model", "gpt-5"), ("response_model", "gpt-5")}
    assert ("tool", "wire") in {(change.what, change.name) for change in explained["new tool"].changes}
    assert explained["longer"].changes == []


def test_an_explanation_tells_which_part_carries_it(explained: dict[str, Explanation]) -> None:
    """The version that was rolled out, and for the others nobody in particular."""
    version = explained["tool"].parts["version"]

    assert version[0].name == "2.4"
    # Hours that are counted among those since the change, and were before it, have the version before.
    assert 0.8 * sum(part.total for part in version) < version[0].total <= 1.0001 * sum(part.total for part in version)
    assert explained["longer"].parts["version"][0].within == pytest.approx(
        sum(part.total for part in explained["longer"].parts["input_class"])
    )
    assert explained["new tool"].keys[0].key == "wire"


def test_a_series_leads_to_the_alarm(explained: dict[str, Explanation]) -> None:
    """Two weeks in steps of six hours, with what was expected beside it."""
    explanation = explained["failing"]
    before = [p for p in explanation.series if p.hour < CHANGED - 6]

    assert len(explanation.series) > 50
    assert explanation.series[-1].hour == explanation.alarm.hour + 1 - 6
    runs = sum(p.runs for p in before)
    assert sum(p.runs * p.value for p in before) / runs == pytest.approx(
        sum(p.runs * p.expected for p in before) / runs, rel=0.5
    )


def test_what_moved_is_inside_before_and_not_after(
    explained: dict[str, Explanation], fleet: dict[str, Cells], baselines: dict[str, Baseline]
) -> None:
    """A finding closes by itself when it is back, and not for want of runs."""
    for name in ("tool", "longer", "faster"):
        moved, baseline, cells = explained[name].moved, baselines[name], fleet[name]

        assert is_inside(moved, baseline, cells, FIRST + 24, FIRST + 72)
        assert not is_inside(moved, baseline, cells, END - 48, END)
        assert not is_inside(moved, baseline, cells, END + 48, END + 96)
        assert name == "faster" or not is_inside(moved, baseline, cells, FIRST + 27, FIRST + 28)


def test_an_observation_says_it_in_a_sentence(
    explained: dict[str, Explanation], baselines: dict[str, Baseline]
) -> None:
    """What a reader sees first, and the numbers that a program needs."""
    explanation = explained["tool"]
    found = observation_of(explanation, baselines["tool"])

    assert found.kind is Kind.DRIFT
    assert found.explanation.startswith("agent-0000: ")
    assert " % of runs instead of " in found.explanation
    assert "after version 2.4 was first seen" in found.explanation
    assert (found.statistic, found.evidence_level) == (explanation.alarm.statistic, 7_200)
    assert found.changed_from is not None
    assert found.changed_to is not None
    assert found.changed_from <= found.window_start <= found.changed_to <= found.window_end
    assert moved_of(found.details) == explanation.moved


def test_typical_values_are_told_in_their_unit(
    explained: dict[str, Explanation], baselines: dict[str, Baseline], fleet: dict[str, Cells]
) -> None:
    """They are logarithms where they are compared, and tokens or dollars where people read of them."""
    longer = explained["longer"]
    seen = observation_of(longer, baselines["longer"])

    for dimension, parts in longer.parts.items():
        for part, of_it in zip(parts, seen.details["parts"][dimension], strict=True):
            for name in ("value_before", "value_after"):
                assert of_it[name] == pytest.approx(2 ** getattr(part, name))
            # What a factor comes to, in the unit, is between what it comes to at the lower and at the higher value.
            slope = of_it["within"] / part.within
            assert longer.baseline_value * np.log(2) < slope < longer.window_value * np.log(2)
            assert of_it["mix"] + of_it["within"] == pytest.approx(of_it["total"])
    before, after = (
        [point for point in longer.series if (point.hour >= longer.since.hour) is is_after]
        for is_after in (False, True)
    )
    cells = fleet["longer"].of(longer.alarm.feature).between(before[0].hour, before[-1].hour + 6)
    mean = 2 ** (np.average((cells.bin + 0.5) / 8, weights=cells.n))
    assert np.average([p.value for p in before], weights=[p.runs for p in before]) == pytest.approx(mean, rel=0.05)
    for point in before:
        assert point.expected == pytest.approx(longer.baseline_value, rel=0.25)
    ratios = [np.log(p.value / p.expected) for p in after]
    assert np.average(ratios, weights=[p.runs for p in after]) == pytest.approx(
        np.log(longer.window_value / longer.baseline_value), abs=0.02
    )


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        ("tool", "`agentvigil compare agent-0000 1.0 2.4` tells what else is worse."),
        ("failing", "Ask whether gpt-5 was meant to answer"),
        ("new tool", "See who gave the agent the tool wire"),
        ("longer", "No version, model, tool or class of work was first seen then."),
    ],
)
def test_it_is_said_what_to_do(
    explained: dict[str, Explanation], baselines: dict[str, Baseline], shift: str, said: str
) -> None:
    """First about what changed then."""
    first, *_, last = observation_of(explained[shift], baselines[shift]).details["next_actions"]

    assert said in first
    assert last.startswith("Lay a run that shows it beside one as they were before")


def test_no_name_gets_into_a_command_that_would_be_more_than_a_name(
    explained: dict[str, Explanation], baselines: dict[str, Baseline]
) -> None:
    """Versions are what applications say they are."""
    tool = explained["tool"]
    hostile = replace(tool, changes=[replace(tool.changes[0], name="2.4; rm -rf ~")])

    first, *_ = observation_of(hostile, baselines["tool"]).details["next_actions"]

    assert '"2.4; rm -rf ~"' in first
    assert "agentvigil compare" not in first


def test_what_goes_on_is_told_as_it_is_now(
    fleet: dict[str, Cells], baselines: dict[str, Baseline], explained: dict[str, Explanation]
) -> None:
    """Since the change, with the level of the last week: what it was in its first hours says less each day."""
    baseline, now = baselines["tool"], CHANGED + 20 * 24
    told = told_of(observation_of(explained["tool"], baseline))
    stronger = replace(SHIFTS["tool"], tools={**USUAL.tools, "search": 0.4, "refund": 0.5})
    longer = cells_of(USUAL, 50, 40, changes=[((CHANGED - START) / 24, SHIFTS["tool"]), (40, stronger)])

    further = explain_further(told, baseline, fleet["tool"], longer.between(FIRST, now), now, now)

    assert further is not None
    assert (further.since, further.moved, further.hours) == (told.since, told.moved, now - told.since.hour)
    assert further.level_from == now - 7 * 24
    assert further.alarm.statistic == told.alarm.statistic
    week = longer.between(now - 7 * 24, now).of("tool")
    runs, hits = (week.n[week.key == week.words.index(key)].sum() for key in ("", told.moved.stream.key))
    assert further.window_value == pytest.approx(hits / runs)
    assert further.runs_per_day == pytest.approx(runs / 7)
    since = longer.between(told.since.hour, now).of("tool")
    assert further.runs == since.n[since.key == 0].sum()
    assert sum(part.total for part in further.parts["version"]) == pytest.approx(
        further.window_value - _share(fleet["tool"].between(START, FIRST), told.moved.stream.key)
    )
    assert [(change.name, change.hour) for change in further.changes] == [(c.name, c.hour) for c in told.changes]
    seen = observation_of(further, baseline)
    assert f"{further.runs:,} runs in {further.hours} h, told as in the last 7 days of them" in seen.explanation
    assert told_of(seen).moved == told.moved


def test_what_is_not_told_any_more(
    fleet: dict[str, Cells], baselines: dict[str, Baseline], explained: dict[str, Explanation]
) -> None:
    """Without runs, or against a baseline that knows the stream no more, or of no time, there is nothing to tell."""
    baseline = baselines["tool"]
    told = told_of(observation_of(explained["tool"], baseline))
    cells, end = fleet["tool"], told.alarm.hour + 1

    assert explain_further(told, baseline, cells, cells.between(FIRST, end), end, end) is not None
    assert explain_further(told, baseline, cells, cells.between(FIRST, FIRST), end, end) is None
    assert explain_further(told, baseline, cells, cells.between(FIRST, end), told.since.hour, end) is None
    unknown = replace(told, alarm=replace(told.alarm, stream=replace(told.alarm.stream, key="unknown")))
    assert explain_further(unknown, baseline, cells, cells.between(FIRST, end), end, end) is None


def _share(cells: Cells, key: str) -> float:
    tools = cells.of("tool")
    runs, hits = (tools.n[tools.key == tools.words.index(one)].sum() for one in ("", key))
    return float(hits / runs)


def test_severity_is_of_the_effect_and_not_of_the_evidence(
    explained: dict[str, Explanation], baselines: dict[str, Baseline]
) -> None:
    """A tenth more tokens is minor however sure it is; five more failures in a hundred runs are critical."""
    longer = explained["longer"]
    sure = replace(longer, alarm=replace(longer.alarm, statistic=1e100), effect_size=0.1)
    failing = explained["failing"]
    stream = next(s for s in baselines["failing"].streams if s.key == "failure")
    worse = replace(
        failing, alarm=replace(failing.alarm, stream=stream), baseline_value=0.10, window_value=0.16, effect_size=0.6
    )

    def severity(explanation: Explanation) -> Severity:
        return observation_of(explanation, baselines["longer"]).severity

    assert severity(sure) is Severity.MINOR
    assert severity(replace(sure, effect_size=0.3)) is Severity.MAJOR
    assert severity(replace(sure, effect_size=1.2, usd_per_day=None)) is Severity.CRITICAL
    assert severity(worse) is Severity.CRITICAL
    assert severity(replace(worse, window_value=0.05, effect_size=-0.5)) is Severity.MINOR


def test_a_rare_class_that_becomes_common_is_no_drift() -> None:
    """What was learned of it from a few runs is off by more than what was learned of the others."""
    rare = Agent(400, classes={"billing": 0.5, "orders": 0.3, "other": 0.2, "x": 0.01}, class_effect=0.8)
    common = replace(rare, classes={"billing": 0.1, "orders": 0.1, "other": 0.1, "x": 0.7})
    fleet = {subject(n): cells_of(rare, 37, 900 + 3 * n, changes=[(28, common)]) for n in range(4)}
    monitor = FleetMonitor([b for b in fit_fleet(fleet, START, FIRST).values() if isinstance(b, Baseline)])

    assert len(monitor.baselines) == 4
    assert [alarm for hour in range(FIRST, END) for alarm in monitor.advance(hour, fleet)] == []


def test_classes_that_change_places_are_no_drift() -> None:
    """One of them is known from some eighty runs, which four hundred a day show the error of."""
    usual = Agent(400, class_effect=0.8, classes={"billing": 0.985, "other": 0.015})
    swapped = replace(usual, classes={"billing": 0.015, "other": 0.985})
    fleet = {subject(n): cells_of(usual, 42, 7_000 + n, changes=[(14, swapped)]) for n in range(8)}
    first = START + 14 * 24
    monitor = FleetMonitor([b for b in fit_fleet(fleet, START, first).values() if isinstance(b, Baseline)])

    assert len(monitor.baselines) == 8
    assert [a for hour in range(first, first + 28 * 24) for a in monitor.advance(hour, fleet)] == []


def test_rare_classes_that_become_common_are_told_from_each_other() -> None:
    """Of the rarest there are some fifteen runs in the baseline, which are better than what all classes are like."""
    usual = Agent(60, class_effect=0.8, classes={"billing": 0.97, "orders": 0.02, "other": 0.01})
    swapped = replace(usual, classes={"billing": 0.01, "orders": 0.02, "other": 0.97})
    fleet = {subject(n): cells_of(usual, 42, 7_000 + n, changes=[(14, swapped)]) for n in (2, 5, 12, 14, 16, 20)}
    first = START + 14 * 24
    monitor = FleetMonitor([b for b in fit_fleet(fleet, START, first).values() if isinstance(b, Baseline)])

    assert len(monitor.baselines) == 6
    assert [a for hour in range(first, first + 28 * 24) for a in monitor.advance(hour, fleet)] == []


def test_an_agent_whose_classes_are_its_users_is_watched() -> None:
    """Of a thousand users none has numbers of their own; all together are what they were, or not."""
    usual = Agent(400, classes={f"user {n}": 0.001 for n in range(1_000)})
    wrong = replace(usual, tools={**usual.tools, "search": 0.5, "refund": 0.3})
    fleet = {subject(n): cells_of(usual, 37, 80 + n, changes=[(28, after)]) for n, after in enumerate((usual, wrong))}
    monitor = FleetMonitor([b for b in fit_fleet(fleet, START, FIRST).values() if isinstance(b, Baseline)])
    alarms = [alarm for hour in range(FIRST, END) for alarm in monitor.advance(hour, fleet)]

    assert {(alarm.subject, alarm.feature) for alarm in alarms} == {(subject(1), "tool")}
    assert alarms[0].hour < FIRST + 5 * 24


def test_ten_times_as_many_runs_are_no_drift() -> None:
    """They show the error of a baseline of two weeks, which is how far that happened to be off and nothing new."""
    usual = Agent(120)
    busy = replace(usual, runs_per_day=1_200)
    fleet = {subject(n): cells_of(usual, 42, 5_000 + n, changes=[(14, busy)]) for n in range(8, 24)}
    first = START + 14 * 24
    monitor = FleetMonitor([b for b in fit_fleet(fleet, START, first).values() if isinstance(b, Baseline)])

    assert len(monitor.baselines) == 16
    assert [a for hour in range(first, first + 28 * 24) for a in monitor.advance(hour, fleet)] == []


def test_a_class_that_was_never_seen_is_watched_as_well() -> None:
    """Where the class is a digest of the tools, a new version has runs of no other, and may go wrong."""
    usual = Agent(400, classes={"one": 1.0})
    same = replace(usual, classes={"two": 1.0})
    wrong = replace(same, tools={**usual.tools, "search": 0.45, "refund": 0.35})
    fleet = {subject(n): cells_of(usual, 37, 70 + n, changes=[(28, after)]) for n, after in enumerate((same, wrong))}
    monitor = FleetMonitor([b for b in fit_fleet(fleet, START, FIRST).values() if isinstance(b, Baseline)])
    alarms = [alarm for hour in range(FIRST, END) for alarm in monitor.advance(hour, fleet)]

    assert [(alarm.subject, alarm.feature) for alarm in alarms] == [(subject(1), "tool")]
