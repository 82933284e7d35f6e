"""Runs of two sides by day and input class: what all comparisons are made of.

A rate is the mean of values that are 0 or 1, so that rates and means are one thing here.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.features.cells import Cells

Floats = NDArray[np.float64]
HOURS_PER_DAY: Final = 24


@dataclass(frozen=True, slots=True)
class Sums:
    """How many values there are by day (rows) and class (columns), their sum, and the sum of their squares."""

    n: Floats
    total: Floats
    squares: Floats

    @classmethod
    def of_rate(cls, n: Floats, having: Floats) -> Self:
        """Return the sums of ``n`` values of which ``having`` are 1 and all others 0."""
        return cls(n, having, having)

    @property
    def count(self) -> float:
        return float(self.n.sum())

    @property
    def mean(self) -> float:
        """Of all values, whatever their class."""
        return float(self.total.sum()) / self.count


@dataclass(frozen=True, slots=True)
class Side:
    """Cells of one side, and where the day and the class of each row stand in tables of ``shape``."""

    cells: Cells
    day: NDArray[np.int64]
    column: NDArray[np.int64]
    shape: tuple[int, int]

    def where(self, rows: NDArray[np.bool_]) -> "Side":
        """Return these rows; the tables stay as large."""
        return Side(self.cells.where(rows), self.day[rows], self.column[rows], self.shape)

    def of(self, feature: str) -> "Side":
        """Return the rows of one feature."""
        return self.where(self.cells.feature == _code(self.cells, feature))

    def with_key(self, key: str) -> "Side":
        """Return the rows with this key."""
        return self.where(self.cells.key == _code(self.cells, key))

    def table(self, weights: Floats) -> Floats:
        """Add up ``weights``, one for each row, by day and class."""
        places = self.day * self.shape[1] + self.column
        flat: Floats = np.bincount(places, weights, self.shape[0] * self.shape[1]).astype(np.float64)
        return flat.reshape(self.shape)

    def runs_by_key(self) -> Counter[str]:
        """Return how many runs have each key, the empty one left out."""
        codes, place = np.unique(self.cells.key, return_inverse=True)
        sums = np.bincount(place, self.cells.n, len(codes))
        return Counter({self.cells.words[int(code)]: float(n) for code, n in zip(codes, sums, strict=True) if code})


def sides_of(before: Cells, after: Cells) -> tuple[Side, Side]:
    """Return both with the same classes in the same columns. Each has its own days, which begin with its first hour:
    an evening and the morning after it are one."""
    names = sorted({*_class_names(before), *_class_names(after)})
    columns = {name: place for place, name in enumerate(names)}

    def side(cells: Cells) -> Side:
        first_hour = cells.hour[0] if len(cells) else 0
        days, day = np.unique((cells.hour - first_hour) // HOURS_PER_DAY, return_inverse=True)
        codes, place = np.unique(cells.input_class, return_inverse=True)
        column = np.array([columns[cells.words[int(code)]] for code in codes], np.int64)[place]
        return Side(cells, day.astype(np.int64), column, (len(days), len(names)))

    return side(before), side(after)


def _class_names(cells: Cells) -> Iterable[str]:
    return (cells.words[int(code)] for code in np.unique(cells.input_class))


def _code(cells: Cells, word: str) -> int:
    return cells.words.index(word) if word in cells.words else -1
