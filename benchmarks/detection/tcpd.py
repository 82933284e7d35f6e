"""Series of the Turing Change Point Dataset, with what five people each marked in them, and how well a method agrees.

river ships seven of the dataset's 37 series (``river.drift.datasets``), some as they were before the dataset thinned or
shortened them; here they are brought to the dataset's lengths. Scores are those of van den Burg and Williams 2020
(https://arxiv.org/abs/2003.06222): F1 with a margin of five places, precision against all marks together and recall as
the mean over people, and the covering of each person's segments. That both are computed as published shows in the row
"zero", finding nothing, which needs no method (see tests/unit/detection).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from river.drift import datasets

Floats = NDArray[np.float64]
MARGIN: Final = 5

Segmenter = Callable[[Floats], Sequence[int]]
"""Given a series (n, d), returns the places at which something new begins."""


@dataclass(frozen=True)
class Series:
    """One series and what people marked in it."""

    name: str
    values: Floats
    """(n, d)."""
    marks: tuple[tuple[int, ...], ...]
    """For each person, the places at which something new begins."""


@dataclass(frozen=True)
class Published:
    """Scores of the benchmark's methods with their default settings, as (F1, covering)."""

    zero: tuple[float, float]
    bocpd: tuple[float, float] | None
    pelt: tuple[float, float] | None
    ecp: tuple[float, float] | None


PUBLISHED: Final = {
    "apple": Published((0.5938, 0.4246), (0.5131, 0.3653), None, (0.5131, 0.3050)),
    "bitcoin": Published((0.4496, 0.5162), (0.6923, 0.7174), (0.6725, 0.7578), (0.3381, 0.2089)),
    "brent_spot": Published((0.3146, 0.2658), (0.5208, 0.5859), (0.4647, 0.6266), (0.4778, 0.3872)),
    "jfk_passengers": Published((0.7234, 0.6298), (0.4368, 0.5412), (0.7755, 0.8393), (0.4368, 0.4380)),
    "occupancy": Published((0.3408, 0.2356), (0.8074, 0.5490), None, (0.7497, 0.5304)),
    "run_log": Published((0.4456, 0.3035), (1.0, 0.8154), None, (0.7920, 0.6568)),
}
"""From ``analysis/output/scores`` of https://github.com/alan-turing-institute/TCPDBench, 2022. PELT takes one series at
a time and has no score where there are several at once. The seventh series, of employment in coal mines, has missing
values in the dataset, which river's copy has filled in, so that its scores are of another series."""


def series() -> list[Series]:
    """Return the series that river ships, as the dataset has them."""
    apple = _columns(datasets.Apple(), "Close", "Volume")[1::3]
    brent = datasets.BrentSpotPrice()
    years = np.array([x["day"].year for x, _ in brent])[::10]
    passengers = datasets.AirlinePassengers()
    return [
        _series("apple", datasets.Apple(), apple),
        _series("bitcoin", datasets.Bitcoin(), _columns(datasets.Bitcoin(), "price")[:774]),
        _series("brent_spot", brent, _columns(brent, "DPB")[::10][years >= 2000][:500]),
        _series("jfk_passengers", passengers, _columns(passengers, "Total Passengers")),
        _series("occupancy", datasets.Occupancy(), _columns(datasets.Occupancy(), "V1", "V2", "V3", "V4")),
        _series("run_log", datasets.RunLog(), _columns(datasets.RunLog(), "Pace", "Distance")),
    ]


def _columns(dataset: Iterable[tuple[object, object]], *names: str) -> Floats:
    return np.array([[y[name] for name in names] if isinstance(y, dict) else [y] for _, y in dataset], float)


def _series(name: str, dataset: datasets.base.ChangePointFileDataset, values: Floats) -> Series:
    return Series(name, values, tuple(tuple(marks) for marks in dataset.annotations.values()))


def f1(marks: Sequence[Sequence[int]], found: Sequence[int]) -> float:
    """Return the harmonic mean of precision and recall; the beginning of the series is found by everybody."""
    ours = {0, *found}
    everybody = set().union(*({0, *one} for one in marks))
    precision = len(_matched(everybody, ours)) / len(ours)
    recall = float(np.mean([len(_matched({0, *one}, ours)) / len({0, *one}) for one in marks]))
    return 2 * precision * recall / (precision + recall)


def _matched(true: set[int], found: set[int]) -> set[int]:
    """Return the true places that were found, each by a place of its own within the margin, the nearest first."""
    left, matched = set(found), set()
    for place in sorted(true):
        near = [(abs(place - other), other) for other in left if abs(place - other) <= MARGIN]
        if near:
            matched.add(place)
            left.remove(min(near)[1])
    return matched


def covering(marks: Sequence[Sequence[int]], found: Sequence[int], length: int) -> float:
    """Return how well people's segments are covered by those found, by the share that both have of both together."""
    ours = _segments(found, length)
    return float(np.mean([_cover(_segments(one, length), ours, length) for one in marks]))


def _segments(places: Sequence[int], length: int) -> list[range]:
    borders = sorted({0, length, *places})
    return [range(one, other) for one, other in pairwise(borders)]


def _cover(theirs: list[range], ours: list[range], length: int) -> float:
    return sum(len(one) * max(_overlap(one, other) for other in ours) for one in theirs) / length


def _overlap(one: range, other: range) -> float:
    both = max(0, min(one.stop, other.stop) - max(one.start, other.start))
    return both / (len(one) + len(other) - both)
