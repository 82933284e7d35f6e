"""What an agent is expected to do in each hour: the parameters that runs are drawn with, before anything is drawn.

A course is laid out from an agent's traits and the climate that it lives in; then faults are laid over it, which change
the arrays of what they are about from an hour on and nothing else. All arrays begin with the axis of hours (H); C is
the number of input classes, M of models, K of keys.
"""

import zlib
from dataclasses import dataclass, field

import numpy as np
from climates import Climate
from numpy.typing import NDArray
from traits import Agent

Floats = NDArray[np.float64]

FIRST_HOUR = 490_896
"""2026-01-01 00:00 UTC in hours since 1970. A Thursday."""


def stream(*of: int | str) -> np.random.Generator:
    """Return random numbers of their own for what is named, so that a change of one thing changes no other."""
    return np.random.default_rng([zlib.crc32(part.encode()) if isinstance(part, str) else part for part in of])


def wander(random: np.random.Generator, hours: int, count: int, days: float) -> Floats:
    """Return ``count`` slow walks around 0 with standard deviation 1 that forget themselves in ``days``: (H, count)."""
    keep = float(np.exp(-1 / (24 * days)))
    steps = random.standard_normal((hours, count))
    steps[1:] *= np.sqrt(1 - keep**2)
    # In blocks, since a loop over hours in Python would be most of what a small agent takes.
    walk = np.empty_like(steps)
    state = np.zeros(count)
    block = 48
    powers = keep ** np.arange(1, block + 1)
    lags = np.subtract.outer(np.arange(block), np.arange(block))
    weights = np.where(lags >= 0, keep ** np.maximum(lags, 0), 0.0)
    for start in range(0, hours, block):
        part = steps[start : start + block]
        size = len(part)
        walk[start : start + size] = weights[:size, :size] @ part + powers[:size, None] * state
        state = walk[start + size - 1]
    return walk


@dataclass
class Categories:
    """Runs that have a key, or several, of those that count at all."""

    keys: list[str]
    log_odds: Floats
    """(H, C, K) of a run having the key."""
    counted: float = 1.0
    """Share of the runs that count: of those that search, for the key ``empty``."""
    by_model: Floats | None = None
    """(H, M, K) to be added to the log-odds, for what only the runs of one model do."""

    def add(self, key: str, share: Floats | float, hours: slice) -> None:
        """Let a share of the runs of some hours have another key."""
        new = np.full((*self.log_odds.shape[:2], 1), -np.inf)
        new[hours] = logit(np.asarray(share))
        assert self.by_model is None, "keys are added before models differ"
        self.keys.append(key)
        self.log_odds = np.concatenate([self.log_odds, new], axis=2)

    def share(self, key: str) -> Floats:
        """Return the share of runs with ``key``: (H, C)."""
        return expit(self.log_odds[:, :, self.keys.index(key)])

    def set_share(self, key: str, hours: slice, share: Floats) -> None:
        """Let runs of some hours have ``key`` as often as ``share`` says."""
        self.log_odds[hours, :, self.keys.index(key)] = logit(share)


@dataclass
class Values:
    """Values of runs: a lognormal body with a Pareto tail."""

    log2_mean: Floats
    """(H, C): of the body."""
    spread: float
    """Standard deviation of the body, in octaves."""
    tail_share: float = 0.0
    tail_index: float = 2.0
    """Of the Pareto distribution that a run in the tail is multiplied with."""
    counted: float = 1.0
    """Share of the runs that have a value."""
    zeros: float = 0.0
    """Share of the values that are 0."""
    whole: bool = False
    """Whether values are whole numbers from 1 on."""
    highest: float = np.inf
    by_model: Floats | None = None
    """(H, M) to be added to the mean."""


@dataclass
class Tally:
    """Things of several kinds, a share of which goes wrong."""

    keys: list[str]
    per_run: Floats
    """(H, K) expected."""
    log_odds: Floats
    """(H, K) of going wrong."""


@dataclass
class Course:
    """What one agent is expected to do."""

    agent: Agent
    climate: Climate
    seed: int
    first_hour: int
    runs: Floats
    """(H, C) expected."""
    models: list[str]
    model_share: Floats
    """(H, C, M)."""
    versions: list[tuple[int, str]]
    """From which hour on, from the beginning of the course, and what it is called."""
    categories: dict[str, Categories] = field(default_factory=dict)
    values: dict[str, Values] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    calls_per_run: Floats = field(default_factory=lambda: np.zeros(0))
    """(H,) calls of models."""
    cached: Floats = field(default_factory=lambda: np.zeros(0))
    """(H,) share of the input tokens that were read from a cache."""

    @property
    def hours(self) -> int:
        return len(self.runs)

    def random(self, of: str) -> np.random.Generator:
        """Return the random numbers that ``of`` is drawn with."""
        return stream(self.seed, self.agent.number, of)


def expit(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def logit(p: Floats) -> Floats:
    p = np.clip(p, 1e-9, 1 - 1e-9)
    return np.log(p / (1 - p))


def lay_out(agent: Agent, climate: Climate, seed: int, days: int, *, calm_days: int) -> Course:
    """Return the course of ``agent`` over ``days`` days; what a climate does once, it does after ``calm_days``."""
    hours = 24 * days
    clock = np.arange(hours) + FIRST_HOUR
    course = Course(
        agent,
        climate,
        seed,
        FIRST_HOUR,
        _runs(agent, climate, seed, clock, calm_days),
        list(agent.models),
        np.broadcast_to(agent.model_share, (hours, *agent.model_share.shape)).copy(),
        _versions(agent, climate, seed, hours, calm_days),
    )
    for name, trait in agent.categories.items():
        moved = climate.category_wander * wander(stream(seed, agent.number, "walk", name), hours, len(trait.keys), 2)
        log_odds = trait.log_odds[None] + (trait.daily * _season(clock, trait.phase))[:, None, None] + moved[:, None, :]
        course.categories[name] = Categories(list(trait.keys), log_odds, trait.counted)
    for name, value in agent.values.items():
        moved = climate.value_wander * value.spread * wander(stream(seed, agent.number, "walk", name), hours, 1, 2)
        course.values[name] = Values(
            log2_mean=value.log2_mean[None] + (value.daily * _season(clock, value.phase))[:, None] + moved,
            spread=value.spread,
            tail_share=value.tail_share,
            tail_index=value.tail_index,
            counted=value.counted,
            zeros=value.zeros,
            whole=value.whole,
            highest=value.highest,
        )
    for name, tally in agent.tallies.items():
        moved = climate.category_wander * wander(stream(seed, agent.number, "walk", name), hours, len(tally.keys), 2)
        course.tallies[name] = Tally(
            list(tally.keys), np.tile(tally.per_run, (hours, 1)), logit(tally.bad)[None, :] + moved
        )
    course.calls_per_run = np.full(hours, agent.calls_per_run)
    course.cached = np.full(hours, agent.cached)
    return course


def _season(clock: NDArray[np.int64], phase: float) -> Floats:
    """Return a wave of a day with height 1, half as high on weekends: (H,)."""
    return np.sin(2 * np.pi * (clock - phase) / 24) * np.where(_weekend(clock), 0.5, 1.0)


def _weekend(clock: NDArray[np.int64]) -> NDArray[np.bool_]:
    return (clock // 24 + 3) % 7 >= 5  # 1970 began on a Thursday


def _runs(agent: Agent, climate: Climate, seed: int, clock: NDArray[np.int64], calm_days: int) -> Floats:
    """Return the runs that are expected of each hour and class: (H, C)."""
    random = stream(seed, agent.number, "runs")
    hours, classes = len(clock), len(agent.classes)
    season = np.exp(agent.daily * _season(clock, agent.phase)) * np.where(_weekend(clock), agent.weekend, 1.0)
    a_day = agent.runs_per_day * season / season[:168].mean() / 24
    a_day = a_day * np.exp(climate.volume_wander * wander(random, hours, 1, 3)[:, 0])
    mix = np.log(agent.mix)[None, :] + climate.mix_wander * wander(random, hours, classes, 2)
    mix += 0.3 * np.stack([_season(clock, 24 * number / classes) for number in range(classes)], axis=1)
    after = 24 * calm_days
    if climate.mix_step and classes > 1:
        at = random.integers(after, hours)
        one, other = random.permutation(classes)[:2]
        mix[at:, one] += random.uniform(0.7, 1.5)
        mix[at:, other] -= random.uniform(0.7, 1.5)
    if climate.volume_step:
        a_day[random.integers(after, hours) :] *= 3.0 if random.random() < 0.5 else 1 / 3
    share = np.exp(mix) / np.exp(mix).sum(axis=1, keepdims=True)
    runs = a_day[:, None] * share
    bursts = random.random((hours, classes)) < climate.bursts_per_hour / classes
    runs = runs * np.where(bursts, random.uniform(2, climate.burst_size, (hours, classes)), 1.0)
    for _ in range(random.poisson(climate.outages * hours / 720)):
        begin = int(random.integers(0, hours))
        runs[begin : begin + int(random.integers(3, 15))] = 0
    return runs


def _versions(agent: Agent, climate: Climate, seed: int, hours: int, calm_days: int) -> list[tuple[int, str]]:
    random = stream(seed, agent.number, "versions")
    versions = [(0, "1.0")]
    if climate.releases and random.random() < 0.5:
        versions.append((int(random.integers(24 * calm_days, hours)), "1.1"))
    return versions
