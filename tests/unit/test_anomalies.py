"""What is out of the ordinary, by arrays alone."""

import sys
from pathlib import Path

import numpy as np
import pytest

from agentvigil.analysis.anomalies.baselines import ANY_STEPS, Baseline, Cell, step_bucket
from agentvigil.analysis.anomalies.budget import DayBudget, grew, said
from agentvigil.analysis.anomalies.culprits import Doing, Step, Taken, Usual, culprit
from agentvigil.analysis.anomalies.judging import Unusual, spike
from agentvigil.analysis.anomalies.kinds import MEASURES, Kind
from agentvigil.analysis.anomalies.loops import Streak, StreakUse, longest
from agentvigil.analysis.anomalies.spread import FEWEST_RUNS, LEAST_Z, Spread, limit_of
from agentvigil.analysis.anomalies.tool_use import ToolUse

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks" / "detection"))

from anomalies import measure

RANDOM = np.random.default_rng(7)
SEARCH, LOOKUP, MODEL = Doing("tool", "search"), Doing("tool", "lookup"), Doing("model", "gpt-4o")


def test_the_recipes_cry_wolf_and_ours_does_not() -> None:
    """On a fleet of heavy tails, of which the figures in docs/anomalies.md are a larger one."""
    result = measure(agents=4, seed=1)["all"]

    assert result.told / result.agent_days <= 1
    assert min(result.by_recipe.values()) > 3 * result.flagged
    for name, least in {"cost × 10": 0.8, "the same call 20 times": 0.95, "a tool that was never used": 0.95}.items():
        assert result.found[name] >= least * result.injected[name], name


@pytest.mark.parametrize("power", [1.5, 2.0, 3.0])
def test_a_power_law_is_what_is_usual(power: float) -> None:
    """Of such values one in a hundred is six robust deviations away."""
    past, now = ((1 - RANDOM.random(20_000)) ** (-1 / power) for _ in range(2))
    limit = limit_of([Spread.of(past)])

    assert limit is not None
    z = (np.log(now) - limit.spread.median) / limit.sigma
    assert (z > LEAST_Z).mean() > 0.005
    assert (z > limit.z).mean() < 0.0006


def test_spikes_of_the_past_hide_none_of_today() -> None:
    """A mean and a standard deviation would be those of the spikes."""
    past = np.exp(RANDOM.normal(0, 0.25, 400))
    past[::50] *= 100
    limit = limit_of([Spread.of(past)])

    assert limit is not None
    assert limit.z_of(10.0) > limit.z
    assert past.mean() + 3 * past.std() > 10


def test_few_runs_are_helped_by_the_coarser_cell() -> None:
    wide, narrow = Spread(5_000, 0.0, 0.4, 1.2, 1.5), Spread(60, 1.0, 0.05, 1.1, 1.15)
    alone, helped = limit_of([narrow]), limit_of([narrow, wide])

    assert alone is not None
    assert helped is not None
    assert helped.spread is narrow
    assert alone.sigma < helped.sigma < 1.4826 * 0.4
    assert limit_of([Spread(FEWEST_RUNS - 1, 0, 1, 1, 1)]) is None


def test_ten_times_next_to_nothing_is_nothing() -> None:
    baseline = Baseline({Cell("cost", None, ANY_STEPS): Spread(1_000, np.log(1e-5), 0.1, np.log(2e-5), np.log(2.1e-5))})

    assert spike(MEASURES["cost"], 1e-3, baseline, "") is None
    assert spike(MEASURES["cost"], 1.0, baseline, "") is not None


@pytest.mark.parametrize(("steps", "bucket"), [(0, 0), (1, 0), (2, 2), (3, 3), (4, 4), (5, 5), (6, 5), (9, 6), (10, 7)])
def test_steps_are_counted_by_half_octaves(steps: int, bucket: int) -> None:
    assert step_bucket(steps) == bucket


# Tools


def test_tools_that_exclude_each_other_are_unusual_together() -> None:
    use = ToolUse.of([(["plan", "a"], 3_000), (["plan", "b"], 3_000), (["plan"], 500)], 6_500)

    assert use is not None
    surprise = use.surprise(["plan", "a", "b"])
    assert surprise is not None
    assert (surprise.tool, surprise.neighbour) in {("a", "b"), ("b", "a")}
    assert (surprise.is_there, surprise.has_neighbour, surprise.runs, surprise.of_runs) == (True, True, 0, 3_000)
    assert [use.surprise(tools) for tools in (["plan", "a"], ["plan", "b"], ["plan"])] == [None] * 3


def test_a_tool_that_may_be_missing_is_not_missed() -> None:
    use = ToolUse.of([(["a", "b"], 970), (["b"], 30)], 1_000)

    assert use is not None
    assert use.surprise(["b"]) is None
    missed = use.surprise(["a"])
    assert missed is not None
    assert (missed.tool, missed.is_there) == ("b", False)


def test_one_odd_run_does_not_hide_the_next() -> None:
    use = ToolUse.of([(["a", "b"], 2_000), (["a", "b", "odd"], 1)], 2_001)

    assert use is not None
    assert use.surprise(["a"]) is not None


def test_tools_that_go_together_in_any_way_are_never_unusual() -> None:
    names = [f"tool{number}" for number in range(12)]
    sets = [([name for name in names if RANDOM.random() < 0.5], 1) for _ in range(2_000)]
    use = ToolUse.of(sets, 2_000)

    assert use is not None
    assert sum(use.surprise(tools) is not None for tools, _ in sets) <= 2
    assert ToolUse.of(sets[:400], 2_000) is None, "the sets of most runs are not known"
    assert ToolUse.of([(["a"], 499)], 499) is None


def test_runs_without_tools_are_a_set_like_any() -> None:
    use = ToolUse.of([([], 1_000)], 1_000)

    assert use is not None
    assert use.surprise([]) is None
    surprise = use.surprise(["a"])
    assert surprise is not None
    assert (surprise.tool, surprise.is_there) == ("a", True)


# Loops


def test_a_streak_ends_with_another_tool() -> None:
    calls = [(2, "a"), (3, "b"), (5, "b"), (8, "b"), (9, "a"), (10, "b")]

    assert longest(calls) == Streak("b", 3, 3, 8)
    assert longest([]) is None


def test_a_loop_is_far_more_than_all_but_a_few_runs_do() -> None:
    use = StreakUse(10_000, {"a": [(1, 9_900), (6, 80), (12, 11), (40, 9)], "b": [(2, 3)]})

    assert use.usual_most("a") == 12, "nine in ten thousand are a few"
    assert (use.limit("a"), use.limit("b"), use.limit("new")) == (23, 7, 7)
    assert StreakUse(10, {}).limit("a") is None


# Budget


def test_the_largest_are_told_and_stay_told() -> None:
    budget = DayBudget()

    assert budget.admit({"a": 1.1, "b": 3.0, "c": 2.0, "d": 1.5}, 2) == ["b", "c"]
    assert budget.admit({"e": 9.0, "c": 2.5}, 2) == ["c"]
    assert (budget.not_told, budget.largest) == ({"a", "d", "e"}, "b")


def test_a_count_is_said_again_when_it_is_ten_times_as_much() -> None:
    assert [said(count) for count in (0, 1, 9, 10, 999)] == [0, 1, 1, 10, 100]
    assert [grew(before, after) for before, after in ((0, 1), (1, 9), (9, 10), (10, 99))] == [True, False, True, False]


# Culprits


def unusual(kind: Kind, value: float, typical: float) -> Unusual:
    return Unusual(kind, value, typical, 10, 6, 1_000)


def steps(*taken: tuple[Doing, float]) -> list[Step]:
    return [Step(number, doing, Taken(value, value, value)) for number, (doing, value) in enumerate(taken, start=1)]


USUALLY = {MODEL: Usual(Taken(5, 5, 5), 2), SEARCH: Usual(Taken(1, 1, 1), 2)}


def test_the_step_that_took_more_than_usual_is_it() -> None:
    """Not the longest one: that one always is."""
    found = culprit(unusual(Kind.LATENCY_SPIKE, 16, 8), steps((MODEL, 6), (SEARCH, 9), (SEARCH, 1)), USUALLY)

    assert found is not None
    assert (found.doing, found.ordinal, found.steps, found.value, found.usual) == (SEARCH, 2, 1, 9, 1)


def test_many_usual_steps_are_it_together() -> None:
    found = culprit(unusual(Kind.COST_SPIKE, 62, 12), steps((SEARCH, 1), *[(MODEL, 6)] * 10), USUALLY)

    assert found is not None
    assert (found.doing, found.ordinal, found.steps, found.value, found.usual) == (MODEL, 2, 10, 60, 10)


def test_where_all_steps_take_more_none_is_it() -> None:
    its = steps((MODEL, 15), (SEARCH, 11), (LOOKUP, 10), (Doing("step", "plan"), 10))

    assert culprit(unusual(Kind.LATENCY_SPIKE, 46, 6), its, USUALLY) is None


def test_what_is_repeated_most_makes_a_run_run_away() -> None:
    found = culprit(unusual(Kind.RUN_AWAY, 40, 4), steps((MODEL, 1), *[(SEARCH, 1)] * 35, (MODEL, 1)), USUALLY)

    assert found is not None
    assert (found.doing, found.ordinal, found.steps, found.usual) == (SEARCH, 2, 35, 2)


def test_a_step_that_usual_runs_do_not_have_may_be_it() -> None:
    found = culprit(unusual(Kind.LATENCY_SPIKE, 30, 6), steps((MODEL, 5), (LOOKUP, 25)), USUALLY)

    assert found is not None
    assert (found.doing, found.usual) == (LOOKUP, None)
