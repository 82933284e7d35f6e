"""Measures how often usual runs are called unusual, and how many of those that are unusual are found.

``python benchmarks/detection/anomalies.py [--agents 100] [--seed 1]`` makes a fleet of agents with heavy tails:
durations and costs are lognormal given the number of steps and the class of input, for some agents times a power law in
some runs; tools go together and exclude each other; calls repeat. It works out what is usual by 28 days, then judges 7
days without anything wrong, and as many runs with something wrong. The rules that people ask for are judged on the same
runs.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from agentvigil.analysis.anomalies.baselines import ANY_STEPS, Baseline, Cell, ToolSet, step_bucket
from agentvigil.analysis.anomalies.budget import MOST_A_DAY, DayBudget
from agentvigil.analysis.anomalies.judging import Run, Unusual, judge
from agentvigil.analysis.anomalies.kinds import MEASURES, Kind
from agentvigil.analysis.anomalies.loops import Streak, StreakUse
from agentvigil.analysis.anomalies.spread import FEWEST_RUNS, Spread
from agentvigil.analysis.features.cells import Subject

DAYS: Final = 28
TEST_DAYS: Final = 7
INJECTED: Final = 100
"""Runs of each agent with each thing wrong."""


@dataclass(frozen=True)
class Seen:
    """A run with its longest streak, and the day it began on."""

    run: Run
    streak: Streak
    day: int


@dataclass
class Agent:
    """One agent, whose habits are drawn once."""

    number: int
    random: np.random.Generator
    runs_per_day: int = field(init=False)

    def __post_init__(self) -> None:
        random = self.random
        self.runs_per_day = int(np.exp(random.uniform(np.log(20), np.log(800))))
        self.sigma_duration, self.sigma_cost = random.uniform(0.12, 0.45), random.uniform(0.08, 0.35)
        self.tail_share, self.tail_power = random.choice([0.0, 0.003, 0.02]), random.uniform(1.5, 3.0)
        self.more_steps = random.uniform(0.5, 6)
        self.class_factor = np.exp(random.normal(0, 0.8, int(random.integers(1, 4))))
        self.core = random.choice([0.9, 0.99, 0.999, 1.0], size=int(random.integers(1, 4)))
        self.optional = random.uniform(0.01, 0.6, int(random.integers(0, 7)))
        self.goes_on = random.uniform(0.1, 0.6)

    @property
    def group(self) -> str:
        """Which agents it is told with."""
        if self.tail_share:
            return f"a power law for {100 * self.tail_share:g} % of runs"
        return "sigma of durations " + ("up to 0.3" if self.sigma_duration <= 0.3 else "beyond 0.3")

    def runs(self, days: int, first_id: int) -> list[Seen]:
        """Return the usual runs of some days."""
        return [self._run(first_id + number, number % days) for number in range(days * self.runs_per_day)]

    def _run(self, number: int, day: int) -> Seen:
        random = self.random
        input_class = int(random.integers(len(self.class_factor)))
        steps = 2 + int(random.poisson(self.more_steps)) + int(random.random() < 0.02) * int(random.geometric(0.2))
        factor = self.class_factor[input_class] * steps
        tokens = 400 * factor * np.exp(random.normal(0, self.sigma_cost)) * self._tail()
        tools = [f"core{place}" for place, share in enumerate(self.core) if random.random() < share]
        # The second of two that exclude each other; the third only after the first.
        for place, share in enumerate(self.optional):
            chosen = random.random() < share
            if place == 1 and "optional0" in tools:
                chosen = False
            if place == 2 and "optional0" not in tools:
                chosen = False
            if chosen:
                tools.append(f"optional{place}")
        calls = min(int(random.geometric(1 - self.goes_on)), steps)
        run = Run(
            Subject("default", "", f"agent-{self.number}"),
            f"{self.number}-{number}",
            "",
            0,
            0,
            input_class=str(input_class),
            version="",
            has_failed=False,
            steps=steps,
            tools=sorted(tools),
            duration_s=0.8 * factor * np.exp(random.normal(0, self.sigma_duration)) * self._tail(),
            cost_usd=tokens * 5e-6 * np.exp(random.normal(0, 0.1)),
            tokens=int(tokens),
            tool_calls=calls,
        )
        return Seen(run, Streak(tools[0] if tools else "core0", calls, 1, calls), day)

    def _tail(self) -> float:
        if self.random.random() >= self.tail_share:
            return 1.0
        return float((1 - self.random.random()) ** (-1 / self.tail_power))


def baseline_of(seen: Sequence[Seen]) -> Baseline:
    """Return what is usual by these runs, as the store works it out."""
    values: dict[Cell, list[float]] = defaultdict(list)
    for one in seen:
        bucket = step_bucket(one.run.steps)
        for measure in MEASURES.values():
            if (value := one.run.value(measure)) is None:
                continue
            buckets = (bucket, ANY_STEPS) if measure.by_steps else (ANY_STEPS,)
            for its_bucket in buckets:
                for its_class in (one.run.input_class, None):
                    values[Cell(measure.name, its_class, its_bucket)].append(value)
    sets = Counter((one.run.input_class, tuple(one.run.tools)) for one in seen)
    classes = Counter(one.run.input_class for one in seen)
    streaks: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for (tool, calls), count in Counter((one.streak.tool, one.streak.calls) for one in seen).items():
        streaks[tool].append((calls, count))
    return Baseline(
        {cell: Spread.of(its) for cell, its in values.items() if len(its) >= FEWEST_RUNS},
        [ToolSet(its_class, tools, count, classes[its_class]) for (its_class, tools), count in sets.items()],
        frozenset(),
        StreakUse(len(seen), streaks),
    )


# What may be wrong


def _dear(one: Seen) -> Seen:
    return replace(one, run=replace(one.run, cost_usd=10 * (one.run.cost_usd or 0)))


def _slow(one: Seen) -> Seen:
    return replace(one, run=replace(one.run, duration_s=8 * one.run.duration_s))


def _looping(one: Seen) -> Seen:
    return replace(one, streak=Streak(one.streak.tool, 20, 1, 20), run=replace(one.run, tool_calls=20))


def _restless(one: Seen) -> Seen:
    return replace(one, run=replace(one.run, steps=20 + 6 * one.run.steps))


def _forgetful(one: Seen) -> Seen:
    return replace(one, run=replace(one.run, tools=[tool for tool in one.run.tools if tool != "core0"]))


def _strange(one: Seen) -> Seen:
    return replace(one, run=replace(one.run, tools=[*one.run.tools, "drop_table"]))


WRONG: Final[dict[str, tuple[Kind, Callable[[Seen], Seen]]]] = {
    "cost × 10": (Kind.COST_SPIKE, _dear),
    "latency × 8": (Kind.LATENCY_SPIKE, _slow),
    "the same call 20 times": (Kind.LOOP, _looping),
    "6 times the steps": (Kind.RUN_AWAY, _restless),
    "a tool that was never used": (Kind.TOOL_CHANGE, _strange),
    "without a tool that all use": (Kind.TOOL_CHANGE, _forgetful),
}


# The rules that people ask for


@dataclass(frozen=True)
class Recipe:
    """Mean and standard deviation, and which tools most runs use, of an agent."""

    cost_mean: float
    cost_deviation: float
    duration_mean: float
    common_tools: frozenset[str]

    @classmethod
    def of(cls, seen: Sequence[Seen]) -> "Recipe":
        costs = np.array([one.run.cost_usd for one in seen], dtype=float)
        tools = Counter(tool for one in seen for tool in one.run.tools)
        return cls(
            float(costs.mean()),
            float(costs.std()),
            float(np.mean([one.run.duration_s for one in seen])),
            frozenset(tool for tool, count in tools.items() if count >= 0.5 * len(seen)),
        )

    def says(self, run: Run) -> dict[str, bool]:
        return {
            "cost > mean + 3 sigma": (run.cost_usd or 0) > self.cost_mean + 3 * self.cost_deviation,
            "latency > 2 × mean": run.duration_s > 2 * self.duration_mean,
            "a common tool is missing": not self.common_tools <= set(run.tools),
        }


@dataclass
class Result:
    """Of a fleet: how many usual runs were flagged, and how many unusual ones found."""

    runs: int = 0
    agent_days: int = 0
    flagged: int = 0
    told: int = 0
    by_kind: Counter[Kind] = field(default_factory=Counter)
    by_recipe: Counter[str] = field(default_factory=Counter)
    injected: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    recipe_found: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Result") -> None:
        """Count what was counted of another agent."""
        for name in ("runs", "agent_days", "flagged", "told"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("by_kind", "by_recipe", "injected", "found", "recipe_found"):
            getattr(self, name).update(getattr(other, name))

    def table(self) -> str:
        """Return the figures as they stand in the documentation."""

        def line(name: str, count: int) -> str:
            return f"| {name} | {100 * count / self.runs:.3f} % | {count / self.agent_days:.3f} |"

        lines = [
            f"{self.runs:,} usual runs on {self.agent_days:,} agent-days.\n",
            "| rule | usual runs flagged | of each agent and day |",
            "|---|---:|---:|",
            line("**ours**", self.flagged),
            line(f"**ours, told**, at most {MOST_A_DAY} a day", self.told),
            *(line(f"- as {kind}", count) for kind, count in self.by_kind.items()),
            *(line(name, count) for name, count in self.by_recipe.items()),
            "",
            "| what is wrong | found by ours | by the recipe for it |",
            "|---|---:|---:|",
        ]
        for name, count in self.injected.items():
            recipe = f"{100 * self.recipe_found[name] / count:.1f} %" if name in self.recipe_found else "-"
            lines.append(f"| {name} | {100 * self.found[name] / count:.1f} % | {recipe} |")
        return "\n".join(lines)

    def row(self) -> str:
        """Return the figures that differ most between agents."""
        found = (f"{100 * self.found[name] / self.injected[name]:.1f} %" for name in ("cost × 10", "latency × 8"))
        flagged = f"{self.runs:,} | {100 * self.flagged / self.runs:.3f} % | {self.told / self.agent_days:.2f}"
        return f"{flagged} | {' | '.join(found)}"


_RECIPE_FOR: Final = {
    "cost × 10": "cost > mean + 3 sigma",
    "latency × 8": "latency > 2 × mean",
    "without a tool that all use": "a common tool is missing",
}


def measure(agents: int, seed: int) -> dict[str, Result]:
    """Return the results for a fleet of so many agents: of all, and of groups of them."""
    results: dict[str, Result] = defaultdict(Result)
    for number in range(agents):
        agent = Agent(number, np.random.default_rng((seed, number)))
        _measure(agent, (results["all"], results[agent.group]))
    return results


def _measure(agent: Agent, results: Sequence[Result]) -> None:
    result = Result()
    past, usual = agent.runs(DAYS, 0), agent.runs(TEST_DAYS, 10**9)
    baseline, recipe = baseline_of(past), Recipe.of(past)
    days: dict[int, dict[str, float]] = defaultdict(dict)
    for one in usual:
        if found := _found(one, baseline):
            result.flagged += 1
            result.by_kind[found[0].kind] += 1
            days[one.day][one.run.run_id] = max(other.excess for other in found)
        result.by_recipe.update(name for name, is_so in recipe.says(one.run).items() if is_so)
    result.runs += len(usual)
    result.agent_days += TEST_DAYS
    result.told += sum(len(DayBudget().admit(flagged)) for flagged in days.values())
    for name, (kind, make) in WRONG.items():
        if name == "without a tool that all use" and agent.core[0] < 1:
            continue
        for wrong in map(make, _some(usual, agent.random)):
            result.injected[name] += 1
            result.found[name] += any(other.kind is kind for other in _found(wrong, baseline))
            if name in _RECIPE_FOR:
                result.recipe_found[name] += recipe.says(wrong.run)[_RECIPE_FOR[name]]
    for total in results:
        total.add(result)


def _found(one: Seen, baseline: Baseline) -> list[Unusual]:
    return judge(one.run, baseline, one.streak)


def _some(usual: Sequence[Seen], random: np.random.Generator) -> Iterable[Seen]:
    return (usual[int(place)] for place in random.integers(len(usual), size=INJECTED))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    results = measure(asked.agents, asked.seed)
    print(results["all"].table())
    print("\n| agents | usual runs | flagged | told of each agent and day | cost × 10 | latency × 8 |")
    print("|---|---:|---:|---:|---:|---:|")
    for group in sorted(results):
        print(f"| {group} | {results[group].row()} |")


if __name__ == "__main__":
    main()
