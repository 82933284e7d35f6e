"""What agents are like: how many runs, which tools, how long and how dear; drawn once for each agent from a seed."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MODELS: Final = ("model-a", "model-b", "model-c", "model-d")
FEWEST, MOST = 20, 20_000
"""Runs a day of the smallest and the largest agent."""


@dataclass(frozen=True)
class CategoryTrait:
    """How often runs have keys."""

    keys: tuple[str, ...]
    log_odds: Floats
    """(C, K)."""
    daily: float
    phase: float
    counted: float = 1.0


@dataclass(frozen=True)
class ValueTrait:
    """How large values are."""

    log2_mean: Floats
    """(C,)."""
    spread: float
    daily: float
    phase: float
    tail_share: float = 0.0
    tail_index: float = 2.0
    counted: float = 1.0
    zeros: float = 0.0
    whole: bool = False
    highest: float = np.inf


@dataclass(frozen=True)
class TallyTrait:
    """How many things there are in a run, and how many of them go wrong."""

    keys: tuple[str, ...]
    per_run: Floats
    bad: Floats


@dataclass(frozen=True)
class Agent:
    """Traits of one agent."""

    number: int
    name: str
    runs_per_day: float
    daily: float
    phase: float
    weekend: float
    classes: tuple[str, ...]
    mix: Floats
    models: tuple[str, ...]
    model_share: Floats
    """(C, M)."""
    calls_per_run: float
    cached: float
    categories: dict[str, CategoryTrait] = field(default_factory=dict)
    values: dict[str, ValueTrait] = field(default_factory=dict)
    tallies: dict[str, TallyTrait] = field(default_factory=dict)


SMALL_SHARES: Final = {
    # feature: keys with their shares of runs, how much input classes differ (log-odds), share of the runs that count
    "status": ({"failure": 0.01, "partial": 0.01}, 0.3, 1.0),
    "failure": ({"tool/timeout": 0.005, "tool/error": 0.003, "model/rate_limit": 0.002}, 0.3, 1.0),
    "finish_reason": ({"stop": 0.97, "tool_calls": 0.8, "length": 0.03, "content_filter": 0.004}, 0.4, 1.0),
    "retrieval": ({"empty": 0.06}, 0.4, 0.7),
    "retry": ({"any": 0.04}, 0.4, 1.0),
    "tool_error": ({"any": 0.04}, 0.4, 1.0),
    "tool_switch": ({"any": 0.015}, 0.4, 1.0),
    "unfounded": ({"any": 0.01}, 0.4, 1.0),
    "confident": ({"bad": 0.06}, 0.2, 0.2),
}
VALUES: Final = {
    # feature: mean, spread in octaves, how much input classes differ in octaves, and what else is so
    "duration": (12.0, 0.9, 0.5, {"tail_share": 0.02, "tail_index": 1.4}),
    "time_to_first_chunk": (0.8, 0.6, 0.2, {"tail_share": 0.01, "tail_index": 1.6, "counted": 0.6}),
    "cost": (0.02, 1.2, 0.7, {"tail_share": 0.02, "tail_index": 1.6}),
    "input_tokens": (3_000.0, 1.1, 0.6, {"tail_share": 0.01, "tail_index": 1.8, "whole": True}),
    "output_tokens": (500.0, 0.9, 0.6, {"tail_share": 0.01, "tail_index": 1.8, "whole": True}),
    "steps": (6.0, 0.6, 0.4, {"whole": True}),
    "sequential_share": (0.06, 0.8, 0.2, {"zeros": 0.4, "highest": 1.0}),
}
TALLIES: Final = {
    "context": (("low", "middle", "high"), (2.0, 0.8, 0.3), (0.04, 0.042, 0.045)),
    "cascade": (("after_failure", "after_success"), (0.05, 0.7), (0.1, 0.04)),
}


def draw(seed: int, number: int, count: int, most: float = MOST, classes: int = 0) -> Agent:
    """Return the agent with a number of a fleet of ``count``, in which volumes are evenly spread by their logarithm.

    It has so many input classes, or one to four if ``classes`` is 0.
    """
    random = np.random.default_rng([seed, number])
    place = (number % count + 0.5) / count
    runs_per_day = FEWEST * (most / FEWEST) ** place
    few = int(random.integers(1, 5))
    names = tuple(f"intent-{index}" for index in range(classes or few))
    models = tuple(MODELS[index] for index in random.permutation(len(MODELS))[:2])
    first = random.uniform(0.7, 0.98, len(names))
    return Agent(
        number=number,
        name=f"agent-{number:04d}",
        runs_per_day=runs_per_day,
        daily=random.uniform(0.2, 1.2),
        phase=random.uniform(0, 24),
        weekend=random.uniform(0.2, 1.0),
        classes=names,
        mix=random.dirichlet(np.full(len(names), 3.0)),
        models=models,
        model_share=np.stack([first, 1 - first], axis=1),
        calls_per_run=random.uniform(2, 5),
        cached=random.uniform(0.2, 0.7),
        categories=_categories(random, len(names)),
        values=_values(random, len(names)),
        tallies={
            name: TallyTrait(keys, np.array(per_run), np.array(bad)) for name, (keys, per_run, bad) in TALLIES.items()
        },
    )


def _categories(random: np.random.Generator, classes: int) -> dict[str, CategoryTrait]:
    tools = int(random.integers(4, 10))
    often = np.sort(random.uniform(0.03, 0.5, tools))[::-1]
    often[:2] = random.uniform(0.4, 0.7), random.uniform(0.25, 0.45)
    names = [f"tool-{index}" for index in range(tools)]
    pairs = [f"{names[one]}>{names[other]}" for one in range(3) for other in range(min(4, tools)) if one != other]
    shares = {
        "tool": (dict(zip(names, often, strict=True)), 0.7, 1.0),
        "tool_order": (dict(zip(pairs, random.uniform(0.05, 0.4, len(pairs)), strict=True)), 0.5, 1.0),
        **SMALL_SHARES,
    }
    return {
        name: CategoryTrait(
            tuple(keys),
            _log_odds(np.array(list(keys.values())))[None, :] + random.normal(0, differ, (classes, len(keys))),
            random.uniform(0.0, 0.2),
            random.uniform(0, 24),
            counted,
        )
        for name, (keys, differ, counted) in shares.items()
    }


def _values(random: np.random.Generator, classes: int) -> dict[str, ValueTrait]:
    return {
        name: ValueTrait(
            np.log2(mean) + random.normal(0, 0.5 if mean > 1 else 0.2) + random.normal(0, differ, classes),
            spread,
            random.uniform(0.0, 0.25) * spread,
            random.uniform(0, 24),
            **more,
        )
        for name, (mean, spread, differ, more) in VALUES.items()
    }


def _log_odds(share: Floats) -> Floats:
    return np.log(share / (1 - share))
