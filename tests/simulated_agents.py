"""Small made-up agents, as cells: enough to see whether the drift detector keeps its promises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.features.cells import Cells, Subject, Words
from agentvigil.analysis.features.names import BINS_PER_OCTAVE

START = 20_000 * 24 - 72
"""A Monday, in hours since 1970."""

_TOOLS = {"search": 0.6, "refund": 0.2, "lookup": 0.1, "mail": 0.03}
_CLASSES = {"billing": 0.5, "orders": 0.3, "other": 0.2}
_CLASS_LEVELS = {"billing": -1.0, "orders": 0.3, "other": 1.2}

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Agent:
    """How an agent's runs are made. Shares are of runs; lengths and durations are log-normal."""

    runs_per_day: float = 500
    tools: Mapping[str, float] = field(default_factory=lambda: dict(_TOOLS))
    failures: float = 0.01
    tokens: float = 800
    seconds: float = 12
    sigma: float = 0.8
    classes: Mapping[str, float] = field(default_factory=lambda: dict(_CLASSES))
    class_effect: float = 0.5
    """How far classes lie apart, in log odds and logarithms."""
    daily: float = 0.6
    """Amplitude of the number of runs over the day."""
    weekend: float = 0.5
    """Runs on a day of a weekend, of those of another."""
    season: float = 0.15
    """Amplitude of shares and lengths over the day, in log odds and logarithms."""
    wander: float = 0.0
    """Standard deviation of the level of a day, in log odds and logarithms."""
    cluster: float = 1.0
    """Mean number of alike runs that come together."""
    heavy: bool = False
    """Lengths with the tail of a Student distribution with 3 degrees of freedom."""
    version: str = "1.0"
    model: str = "gpt"


def cells_of(
    agent: Agent, days: float, seed: int, *, start: int = START, changes: Sequence[tuple[float, Agent]] = ()
) -> Cells:
    """Return the cells of an agent's runs; ``changes`` are days from which on it is another."""
    rng = np.random.default_rng(seed)
    hours = np.arange(start, start + round(days * 24))
    words = Words()
    tools = sorted({name for one in (agent, *(one for _, one in changes)) for name in one.tools})
    # The level of each day: of lengths, durations, failures, and of each tool.
    levels = rng.normal(size=(int(np.ceil(days)) + 1, 3 + len(tools)))
    periods = [(0.0, agent), *changes]
    ends = [first for first, _ in periods[1:]] + [days]
    parts: list[list[Numbers]] = []
    for (first, now), end in zip(periods, ends, strict=True):
        mine = hours[round(first * 24) : round(end * 24)]
        parts += _period(rng, now, mine, levels[(mine - start) // 24], words, tools) if len(mine) else []
    columns = [np.concatenate([part[column] for part in parts]) for column in range(9)]
    order = np.argsort(columns[0], kind="stable")
    codes = [column[order].astype(np.int32) for column in columns[:6]]
    bins, n, s = (column[order] for column in columns[6:])
    return Cells(tuple(words), *codes, bins.astype(np.int16), n.astype(np.float64), s.astype(np.float64))


def _period(
    rng: np.random.Generator, agent: Agent, hours: NDArray[np.int64], levels: Numbers, words: Words, tools: list[str]
) -> list[list[Numbers]]:
    phase = np.cos(2 * np.pi * (hours % 24 - 15) / 24)
    is_weekend = (hours // 24 + 3) % 7 >= 5
    rate = agent.runs_per_day / 24 * (1 + agent.daily * phase) * np.where(is_weekend, agent.weekend, 1)
    clusters = rng.poisson(rate / agent.cluster)
    sizes = rng.geometric(1 / agent.cluster, clusters.sum())
    names = list(agent.classes)
    shares = np.array(list(agent.classes.values()))
    # Runs of a cluster share their class and their luck.
    place = np.repeat(rng.choice(len(names), len(sizes), p=shares / shares.sum()), sizes)
    at = np.repeat(np.repeat(np.arange(len(hours)), clusters), sizes)
    luck = np.repeat(rng.normal(size=(len(sizes), 2)) * (0.5 if agent.cluster > 1 else 0), sizes, axis=0)
    level = agent.class_effect * np.array([_CLASS_LEVELS.get(name, 0.0) for name in names])[place]
    level = level + agent.season * phase[at]
    wander = agent.wander * levels[at]

    def hits(share: float, column: int, sign: float = 1.0) -> NDArray[np.bool_]:
        odds = np.log(share / (1 - share)) + sign * level + luck[:, 0] + wander[:, column]
        return np.asarray(rng.random(len(at)) < 1 / (1 + np.exp(-odds)))

    def logs(typical: float, column: int) -> Numbers:
        noise = rng.standard_t(3, len(at)) / np.sqrt(3) if agent.heavy else rng.normal(size=len(at))
        return np.asarray(np.log(typical) + level + agent.sigma * noise + luck[:, 1] + wander[:, column])

    class_codes = np.array([words.code(name) for name in names])
    version, model = words.code(agent.version), words.code(agent.model)
    counted: list[list[Numbers]] = []

    def count(
        feature: str, key: str = "", rows: NDArray[np.bool_] | None = None, values: Numbers | None = None
    ) -> None:
        bins = np.zeros(len(at)) if values is None else np.floor(BINS_PER_OCTAVE * values / np.log(2))
        places = (at * len(names) + place) * 2**16 + bins.astype(np.int64) + 2**15
        found, n = np.unique(places if rows is None else places[rows], return_counts=True)
        where, found_bins = found // 2**16, found % 2**16 - 2**15
        same = np.ones(len(found))
        sums = n * 2.0 ** ((found_bins + 0.5) / BINS_PER_OCTAVE) if values is not None else 0 * same
        columns = [hours[where // len(names)], class_codes[where % len(names)], version * same, model * same]
        counted.append([*columns, words.code(feature) * same, words.code(key) * same, found_bins, n, sums])

    count("status")
    count("status", "failure", hits(agent.failures, 2))
    count("tool")
    for number, name in enumerate(tools):
        if agent.tools.get(name):
            count("tool", name, hits(agent.tools[name], 3 + number, 1.0 if number % 2 else -1.0))
    count("response_model")
    count("response_model", agent.model, np.ones(len(at), dtype=np.bool_))
    tokens = logs(agent.tokens, 0)
    count("output_tokens", values=tokens)
    count("duration", values=logs(agent.seconds, 1))
    count("cost", values=tokens + np.log(1e-5))
    return counted


def subject(number: int = 0) -> Subject:
    """Return one of some subjects."""
    return Subject("p", "prod", f"agent-{number:04}")
