"""Runs of an agent made by chance, counted as the rollups count them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.features.cells import Cells, Words
from agentvigil.analysis.features.names import BINS_PER_OCTAVE, ZERO_BIN

FIRST_HOUR = 24 * 20_600
"""Midnight of May 27, 2026."""


@dataclass(frozen=True, slots=True)
class Class:
    """How the runs of one input class are."""

    share: float = 1.0
    failing: float = 0.02
    tools: Mapping[str, float] = field(default_factory=lambda: {"kb": 0.8, "refund": 0.3})
    duration_s: float = 4.0
    tokens: float = 1200.0
    steps: int = 3
    """Of every run."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """An agent. ``wander`` is how far its days lie apart: standard deviation of log-odds and of logarithms."""

    classes: Mapping[str, Class] = field(default_factory=lambda: {"": Class()})
    runs_per_day: float = 500.0
    days: int = 7
    wander: float = 0.05
    version: str = "1.3"
    first_hour: int = FIRST_HOUR


def cells_of(fleet: Fleet, seed: int) -> Cells:
    """Return the runs of ``fleet``."""
    chance = np.random.default_rng(seed)
    words = Words()
    counted: dict[tuple[int, int, int, int, int, int], list[float]] = {}
    version = words.code(fleet.version)
    for day in range(fleet.days):
        shift, stretch = chance.normal(0, fleet.wander), chance.normal(0, fleet.wander)
        for name, of_class in fleet.classes.items():
            n = int(chance.poisson(fleet.runs_per_day * of_class.share))
            hours = fleet.first_hour + day * 24 + chance.integers(0, 24, n)

            def count(
                feature: str, rows: NDArray[np.bool_], key: str = "", input_class: int = words.code(name)
            ) -> None:
                for hour, runs in zip(*np.unique(hours[rows], return_counts=True), strict=True):  # noqa: B023
                    place = (int(hour), input_class, version, words.code(feature), words.code(key), 0)
                    counted.setdefault(place, [0.0, 0.0])[0] += runs

            def values(feature: str, of: NDArray[np.float64], input_class: int = words.code(name)) -> None:
                bins = np.where(of > 0, np.floor(BINS_PER_OCTAVE * np.log2(np.maximum(of, 1e-12))), ZERO_BIN)
                for hour, number, value in zip(hours, bins, of, strict=True):  # noqa: B023
                    place = (int(hour), input_class, version, words.code(feature), 0, int(number))
                    sums = counted.setdefault(place, [0.0, 0.0])
                    sums[0] += 1
                    sums[1] += value

            def happens(probability: float) -> NDArray[np.bool_]:
                odds = probability / (1 - probability) * np.exp(shift)  # noqa: B023
                result: NDArray[np.bool_] = chance.random(n) < odds / (1 + odds)  # noqa: B023
                return result

            everything, fails = np.ones(n, bool), happens(of_class.failing)
            for feature in ("status", "failure", "tool", "retry"):
                count(feature, everything)
            count("status", fails, "failure")
            count("failure", fails, "tool/timeout")
            count("retry", happens(0.05), "any")
            for tool, share in of_class.tools.items():
                count("tool", happens(share), tool)
            values("duration", of_class.duration_s * np.exp(chance.normal(stretch, 0.6, n)))
            tokens = of_class.tokens * np.exp(chance.normal(stretch, 0.5, n))
            values("output_tokens", np.ceil(tokens))
            values("cost", tokens * 1e-5)
            values("steps", np.full(n, float(of_class.steps)))
    places = sorted(counted)
    columns = np.array(places, np.int64).reshape(-1, 6).T
    n, s = np.array([counted[place] for place in places]).reshape(-1, 2).T
    hour, input_class, of_version, feature, key, number = columns
    return Cells(
        list(words),
        hour.astype(np.int32),
        input_class.astype(np.int32),
        of_version.astype(np.int32),
        np.zeros(len(hour), np.int32),
        feature.astype(np.int32),
        key.astype(np.int32),
        number.astype(np.int16),
        n,
        s,
    )


def together(*parts: Cells) -> Cells:
    """Return all rows of ``parts`` in the order of their hours."""
    words = Words()

    def recoded(cells: Cells, name: str) -> NDArray[np.int32]:
        codes = np.array([words.code(word) for word in cells.words], np.int32)
        found: NDArray[np.int32] = codes[getattr(cells, name)]
        return found

    def column(name: str) -> NDArray[Any]:
        found = np.concatenate([recoded(cells, name) if name in texts else getattr(cells, name) for cells in parts])
        return found[order]

    texts = ("input_class", "version", "model", "feature", "key")
    order = np.argsort(np.concatenate([cells.hour for cells in parts]), kind="stable")
    columns = {name: column(name) for name in ("hour", *texts, "bin", "n", "s")}
    return Cells(list(words), **columns)
