"""Drifts that are laid over a course: each changes what it names from an hour on, and nothing else.

Each sets in once for each agent, at an hour of its own on the ninth monitored day, which leaves three weeks for finding
it. *Points* are hundredths of the runs; *per cent* are parts of what was there before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from course import Course, expit, logit, stream
from generator import BASELINE_DAYS, Fault

QUIET_DAYS: Final = 8
"""Monitored days before a drift sets in."""


@dataclass(frozen=True)
class Drift:
    """One kind of drift."""

    name: str
    words: str
    features: tuple[str, ...]
    """What moves. An alarm on anything else says nothing about it."""
    change: Callable[[Course, int], None]
    """Lays it over a course from an hour on, counted from its beginning."""

    def fault(self) -> Fault:
        """Return the change at the hour at which it sets in for each course."""
        return lambda course: self.change(course, onset(course))


def onset(course: Course) -> int:
    """Return the hour at which a drift sets in, counted from the beginning of the course."""
    return 24 * (BASELINE_DAYS + QUIET_DAYS) + int(stream(course.seed, course.agent.number, "onset").integers(24))


def tool_mix(points: float) -> Callable[[Course, int], None]:
    """Let that many hundredths of the runs use the second tool instead of the first."""

    def change(course: Course, hour: int) -> None:
        _move(course, "tool", course.categories["tool"].keys[0], course.categories["tool"].keys[1], points / 100, hour)

    return change


def tool_order(points: float) -> Callable[[Course, int], None]:
    """Let that many hundredths of the runs use two tools in another order than they did."""

    def change(course: Course, hour: int) -> None:
        order = course.categories["tool_order"]
        common = sorted(order.keys, key=lambda pair: -float(order.share(pair).mean()))
        _move(course, "tool_order", common[0], common[1], points / 100, hour)

    return change


def _move(course: Course, feature: str, one: str, other: str, share: float, hour: int) -> None:
    categories, after = course.categories[feature], slice(hour, None)
    lost = np.minimum(share, 0.9 * categories.share(one)[after])
    categories.set_share(one, after, categories.share(one)[after] - lost)
    categories.set_share(other, after, np.minimum(categories.share(other)[after] + lost, 0.98))


def new_key(feature: str, key: str, share: float) -> Callable[[Course, int], None]:
    """Let a share of the runs have a key that no run had."""
    return lambda course, hour: course.categories[feature].add(key, share, slice(hour, None))


def times(feature: str, key: str, factor: float) -> Callable[[Course, int], None]:
    """Let so many times as many runs have a key."""

    def change(course: Course, hour: int) -> None:
        categories, after = course.categories[feature], slice(hour, None)
        categories.set_share(key, after, np.minimum(categories.share(key)[after] * factor, 0.9))

    return change


def larger(feature: str, factor: float) -> Callable[[Course, int], None]:
    """Let values be so many times as large."""

    def change(course: Course, hour: int) -> None:
        course.values[feature].log2_mean[hour:] += np.log2(factor)

    return change


def creep(feature: str, per_day: float) -> Callable[[Course, int], None]:
    """Let values grow by a part of themselves each day."""

    def change(course: Course, hour: int) -> None:
        days = np.arange(course.hours - hour) / 24
        course.values[feature].log2_mean[hour:] += (days * np.log2(1 + per_day))[:, None]

    return change


def new_model(share: float, name: str = "model-new") -> Callable[[Course, int], None]:
    """Let a model that no run had answer a share of the runs, no better and no worse than the others."""

    def change(course: Course, hour: int) -> None:
        answered = np.zeros((*course.model_share.shape[:2], 1))
        answered[hour:] = share
        course.models.append(name)
        course.model_share = np.concatenate([course.model_share * (1 - answered), answered], axis=2)

    return change


def input_mix(course: Course, hour: int) -> None:
    """Let two classes of input change places in how often they come, and each do what it did before."""
    if course.runs.shape[1] > 1:
        often, seldom = int(course.agent.mix.argmax()), int(course.agent.mix.argmin())
        course.runs[hour:, [often, seldom]] = course.runs[hour:, [seldom, often]]


def together(*changes: Callable[[Course, int], None]) -> Callable[[Course, int], None]:
    """Return what does all of these."""

    def change(course: Course, hour: int) -> None:
        for one in changes:
            one(course, hour)

    return change


def of_model(model: str, feature: str, log2_factor: float) -> Callable[[Course, int], None]:
    """Let the values of one model's runs be larger, whoever's runs they are."""

    def change(course: Course, hour: int) -> None:
        if model in course.models:
            values = course.values[feature]
            values.by_model = (
                np.zeros((course.hours, len(course.models))) if values.by_model is None else values.by_model
            )
            values.by_model[hour:, course.models.index(model)] += log2_factor

    return change


def keys_of_model(model: str, feature: str, key: str, log_odds: float) -> Callable[[Course, int], None]:
    """Let one model's runs have a key more often, by log-odds."""

    def change(course: Course, hour: int) -> None:
        if model in course.models:
            shares = course.categories[feature]
            if shares.by_model is None:
                shares.by_model = np.zeros((course.hours, len(course.models), len(shares.keys)))
            shares.by_model[hour:, course.models.index(model), shares.keys.index(key)] += log_odds

    return change


def tally_odds(name: str, key: str, ratio: float) -> Callable[[Course, int], None]:
    """Multiply the odds that things of a kind go wrong."""

    def change(course: Course, hour: int) -> None:
        tally = course.tallies[name]
        tally.log_odds[hour:, tally.keys.index(key)] += np.log(ratio)

    return change


def tally_share(name: str, key: str, share: float) -> Callable[[Course, int], None]:
    """Let that share of the things of a kind go wrong."""

    def change(course: Course, hour: int) -> None:
        tally = course.tallies[name]
        place = tally.keys.index(key)
        moved = tally.log_odds[hour:, place] - logit(expit(tally.log_odds[:, place]).mean())
        tally.log_odds[hour:, place] = logit(np.float64(share)) + moved

    return change


def tally_more(name: str, key: str, factor: float) -> Callable[[Course, int], None]:
    """Let there be so many times as many things of a kind, of which the same share goes wrong."""

    def change(course: Course, hour: int) -> None:
        tally = course.tallies[name]
        tally.per_run[hour:, tally.keys.index(key)] *= factor

    return change


def more_runs(factor: float) -> Callable[[Course, int], None]:
    """Let so many times as many runs come."""

    def change(course: Course, hour: int) -> None:
        course.runs[hour:] *= factor

    return change


DRIFTS: Final = (
    Drift("tool_mix_10", "tool mix, 10 points", ("tool",), tool_mix(10)),
    Drift("tool_mix_20", "tool mix, 20 points", ("tool",), tool_mix(20)),
    Drift("tool_order", "tool order, 10 points", ("tool_order",), tool_order(10)),
    Drift("new_tool", "new tool, 3 % of runs", ("tool",), new_key("tool", "tool-new", 0.03)),
    Drift("new_model", "new model, 20 % of runs", ("response_model",), new_model(0.2)),
    Drift("cost_creep", "cost +2 % a day", ("cost",), creep("cost", 0.02)),
    Drift("length", "length +15 %", ("output_tokens",), larger("output_tokens", 1.15)),
    Drift("latency", "latency +25 %", ("duration",), larger("duration", 1.25)),
    Drift(
        "errors",
        "errors 1 → 3 %",
        ("status", "failure"),
        together(times("status", "failure", 3), times("failure", "tool/timeout", 3), times("failure", "tool/error", 3)),
    ),
    Drift("finish_reason", "cut off 3 → 8 %", ("finish_reason",), times("finish_reason", "length", 8 / 3)),
    Drift("retrieval", "empty searches 6 → 14 %", ("retrieval",), times("retrieval", "empty", 14 / 6)),
)
"""What is to be found."""

INPUT_MIX: Final = Drift("input_mix", "input mix alone", (), input_mix)
"""What is not to be found: nothing of it is about any agent."""
