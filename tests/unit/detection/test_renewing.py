"""One feature takes the level that it has now, and nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest

from agentvigil.analysis.detection import FleetMonitor, TooFewRuns, fit
from agentvigil.analysis.detection.baseline import Baseline
from agentvigil.analysis.detection.renewing import renewed
from agentvigil.analysis.features.cells import Cells
from simulated_agents import START, Agent, cells_of, subject

CHANGED_DAY, ACCEPTED_DAY, MOVED_DAY, DAYS = 28, 31, 45, 52
FIRST, CHANGED, ACCEPTED, MOVED, END = (START + 24 * day for day in (0, CHANGED_DAY, ACCEPTED_DAY, MOVED_DAY, DAYS))
USUAL = Agent(400, wander=0.05)
MORE = replace(USUAL, tokens=USUAL.tokens * 1.8, tools={**USUAL.tools, "search": 0.4, "refund": 0.4, "translate": 0.3})
ON = replace(MORE, tokens=MORE.tokens * 1.5, tools={**MORE.tools, "refund": 0.7})


def cells(seed: int, *changes: tuple[float, Agent]) -> Cells:
    return cells_of(USUAL, DAYS, seed, changes=[(CHANGED_DAY, MORE), *changes])


def learned(runs: Cells) -> Baseline:
    baseline = fit(subject(), runs, FIRST, CHANGED)
    assert isinstance(baseline, Baseline)
    return baseline


def accepted(baseline: Baseline, runs: Cells, *features: str, until: int = ACCEPTED) -> Baseline:
    for feature in features:
        new = renewed(baseline, feature, runs, CHANGED, until)
        assert isinstance(new, Baseline)
        baseline = new
    return baseline


def alarms(monitor: FleetMonitor, runs: Cells, first_hour: int, end_hour: int) -> dict[str, int]:
    """Return in which hour each feature alarmed first."""
    found: dict[str, int] = {}
    for hour in range(first_hour, end_hour):
        for alarm in monitor.advance(hour, {subject(): runs}):
            found.setdefault(alarm.feature, hour)
    return found


@pytest.fixture(scope="module")
def runs() -> Cells:
    return cells(1, (MOVED_DAY, ON))


def test_the_others_stay_to_the_bit_and_the_evidence_of_them_goes_on(runs: Cells) -> None:
    """What somebody accepts of tools says nothing of what was found, or nearly, of the rest."""
    baseline = learned(runs)
    monitor = FleetMonitor([baseline])
    assert set(alarms(monitor, runs, CHANGED, ACCEPTED)) >= {"tool", "output_tokens", "cost"}
    new = accepted(baseline, runs, "tool")

    after = monitor.with_baselines([new])

    assert new.plan.features == baseline.plan.features
    for feature in baseline.plan.features:
        assert (new.fingerprint_of(feature) == baseline.fingerprint_of(feature)) == (feature != "tool"), feature
    assert monitor.alarmed() - after.alarmed() == {(subject(), "tool")}
    old, now = monitor.evidence, after.evidence
    for group, feature in enumerate(baseline.plan.features):
        before, since = (one.log_r[:, one.layout.group_of_column == group] for one in (old, now))
        assert np.array_equal(before, since) if feature != "tool" else np.all(since == -np.inf), feature


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_new_level_is_normal_and_what_leaves_it_is_found(seed: int) -> None:
    """From the day on that it is accepted, not a fortnight later; a tool that was new is known."""
    runs = cells(seed, (MOVED_DAY, ON))
    new = accepted(learned(runs), runs, "tool", "output_tokens", "cost")

    found = alarms(FleetMonitor([new]), runs, ACCEPTED, END)

    assert set(found) == {"tool", "output_tokens", "cost"}
    assert all(MOVED <= hour < MOVED + 72 for hour in found.values())
    assert "translate" in new.plan.rare_keys["tool"]


def test_what_goes_back_to_where_it_was_has_left_its_normal() -> None:
    runs = cells(4, (MOVED_DAY, USUAL))
    new = accepted(learned(runs), runs, "tool", "output_tokens", "cost")

    found = alarms(FleetMonitor([new]), runs, ACCEPTED, END)

    assert set(found) == {"tool", "output_tokens", "cost"}
    assert min(found.values()) >= MOVED


def test_what_few_days_tell_is_allowed_for(runs: Cells) -> None:
    """The error of a level is that of the days it was learned from."""
    baseline = learned(runs)
    day, week = (accepted(baseline, runs, "cost", until=CHANGED + 24 * days) for days in (1, 8))
    mine = [place for place, stream in enumerate(day.streams) if stream.feature == "cost"]

    assert np.all(day.common_error[mine] > 1.5 * week.common_error[mine])
    assert np.all(week.common_error[mine] > baseline.common_error[mine].min())
    mean = mine[-1]
    assert abs(week.level[mean] - baseline.level[mean] - np.log2(1.8)) < 0.15


@pytest.mark.parametrize(("hours", "needed"), [(23, "too few days"), (24, "too few runs")])
def test_too_few_runs_are_said_instead_of_guessed(hours: int, needed: str) -> None:
    after = replace(MORE, runs_per_day=100 if hours == 24 else 999)
    runs = cells_of(Agent(100), DAYS, 5, changes=[(CHANGED_DAY, after)])

    found = renewed(learned(runs), "tool", runs, CHANGED, CHANGED + hours)

    assert isinstance(found, TooFewRuns)
    assert str(found).startswith(needed)


def test_it_is_kept_like_any_other(runs: Cells) -> None:
    new = accepted(learned(runs), runs, "tool", "cost")

    assert Baseline.from_bytes(new.to_bytes()).fingerprint == new.fingerprint
