"""Sums by day and stratum: what the statistics of this package take in.

Runs of one day are less different from each other than runs of different days (an outage of a service, a batch of one
customer), so the day is the unit by which they spread. Strata are what must not be mixed: input classes, and models
where calls are counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.failure_modes.looking import LEAST_BASELINE_DAYS, Period
from agentvigil.analysis.features.cells import Cells
from agentvigil.analysis.features.names import ZERO_BIN, value_of

Matrix = NDArray[np.float64]
Stratum = tuple[str, str]
"""Input class and model, the model empty where it does not matter."""

OTHER: Final[Stratum] = ("", "other")
_LEAST_COUNT: Final = 30
"""A stratum with fewer before than this has no rate of its own, and is put together with others of its kind."""


@dataclass(frozen=True, slots=True)
class DayTable:
    """Of each day and stratum, (D, K): how many, the sum of their values, and of the squares of their values.

    Of things that happen or do not, the value is 1 or 0.
    """

    strata: tuple[Stratum, ...]
    n: Matrix
    s: Matrix
    q: Matrix

    @property
    def total(self) -> float:
        return float(self.n.sum())

    @property
    def days_with_any(self) -> int:
        return int((self.n.sum(axis=1) > 0).sum())

    def last(self, days: int) -> "DayTable":
        return DayTable(self.strata, self.n[-days:], self.s[-days:], self.q[-days:])

    def before_last(self, days: int) -> "DayTable":
        return DayTable(self.strata, self.n[:-days], self.s[:-days], self.q[:-days])

    def followed_by(self, later: "DayTable") -> "DayTable":
        """Return the days of both."""
        one, other = aligned([self, later])
        return DayTable(
            one.strata, *(np.concatenate(days) for days in ((one.n, other.n), (one.s, other.s), (one.q, other.q)))
        )

    def is_baseline(self) -> bool:
        """Whether it reaches far enough back, and tells of days enough, to be compared with."""
        days = np.flatnonzero(self.n.sum(axis=1) > 0)
        return len(days) >= LEAST_BASELINE_DAYS // 2 and len(self.n) - int(days[0]) >= LEAST_BASELINE_DAYS


def shares(cells: Cells, feature: str, key: str, period: Period) -> DayTable:
    """Return how many runs there are of a feature with keys, and how many of them have ``key``."""
    rows = cells.of(feature)
    counted = rows.where(rows.key == 0)
    having = rows.where(rows.key == _code(rows, key))
    return _table(
        period,
        [(counted, counted.n, np.zeros(len(counted))), (having, np.zeros(len(having)), having.n)],
        by_model=False,
    )


def tallies(cells: Cells, feature: str, key: str, period: Period) -> DayTable:
    """Return how many things of kind ``key`` there are, and how many of them go wrong, by class and model."""
    rows = cells.of(feature)
    rows = rows.where(rows.key == _code(rows, key))
    return _table(period, [(rows, rows.n, rows.s)], by_model=True)


def values(cells: Cells, feature: str, period: Period, cap: float | None = None) -> DayTable:
    """Return runs and their values, those above ``cap`` counted as ``cap``."""
    rows = cells.of(feature)
    middle = middles(rows.bin)
    sums, squares = rows.s, rows.n * middle**2
    if cap is not None:
        is_over = middle > cap
        sums = np.where(is_over, rows.n * cap, sums)
        squares = np.where(is_over, rows.n * cap**2, squares)
    found = _table(period, [(rows, rows.n, sums)], by_model=False)
    return DayTable(found.strata, found.n, found.s, _table(period, [(rows, rows.n, squares)], by_model=False).s)


def logarithms(cells: Cells, feature: str, period: Period, low: float, high: float) -> DayTable:
    """Return runs and the natural logarithms of their values, which are taken as ``low`` or ``high`` where beyond."""
    rows = cells.of(feature)
    logs = np.log(np.clip(middles(rows.bin), low, high))
    found = _table(period, [(rows, rows.n, rows.n * logs)], by_model=False)
    return DayTable(
        found.strata, found.n, found.s, _table(period, [(rows, rows.n, rows.n * logs**2)], by_model=False).s
    )


def middles(bins: NDArray[np.int16]) -> Matrix:
    """Return the values in the middle of bins."""
    known, places = np.unique(bins, return_inverse=True)
    return np.array([value_of(int(number)) for number in known], dtype=np.float64)[places]


def quantile(cells: Cells, feature: str, share: float) -> float | None:
    """Return the value below which ``share`` of the values of a feature are, to the width of a bin."""
    rows = cells.of(feature)
    known, places = np.unique(rows.bin, return_inverse=True)
    if not len(known):
        return None
    below = np.cumsum(np.bincount(places, rows.n, len(known)))
    number = int(known[int(np.searchsorted(below, share * below[-1]))])
    return 0.0 if number == ZERO_BIN else value_of(number)


def aligned(tables: Sequence[DayTable]) -> list[DayTable]:
    """Return the tables with the same strata in the same order."""
    strata = tuple(sorted({stratum for table in tables for stratum in table.strata}))
    return [_on(table, strata, [strata.index(stratum) for stratum in table.strata]) for table in tables]


def comparable(before: DayTable, after: DayTable) -> tuple[DayTable, DayTable]:
    """Return both with the same strata: small ones together, and without what is known of one side only.

    What comes in an input class that was not there before can be compared with nothing.
    """
    before, after = aligned([before, after])
    count = before.n.sum(axis=0)
    is_small = (count < _LEAST_COUNT) & (count > 0)
    if is_small.any():
        strata = (*(stratum for stratum, small in zip(before.strata, is_small, strict=True) if not small), OTHER)
        places = [
            strata.index(OTHER if small else stratum) for stratum, small in zip(before.strata, is_small, strict=True)
        ]
        before, after = _on(before, strata, places), _on(after, strata, places)
    keep = (before.n.sum(axis=0) > 0) & (after.n.sum(axis=0) > 0)
    return only(before, keep), only(after, keep)


def _code(cells: Cells, key: str) -> int:
    return cells.words.index(key) if key in cells.words else -1


def _table(period: Period, parts: Sequence[tuple[Cells, Matrix, Matrix]], *, by_model: bool) -> DayTable:
    codes = [_stratum_codes(cells, by_model) for cells, _, _ in parts]
    known, places = np.unique(np.concatenate(codes), return_inverse=True)
    words = parts[0][0].words
    size = len(words)
    strata = tuple((words[int(code) // size], words[int(code) % size]) for code in known)
    days = np.concatenate([period.day_of(cells.hour) for cells, _, _ in parts])
    is_inside = (days >= 0) & (days < period.days)
    at = (days * len(known) + places)[is_inside]
    n = np.concatenate([n for _, n, _ in parts])[is_inside]
    s = np.concatenate([s for _, _, s in parts])[is_inside]
    shape = (period.days, len(known))
    cells_count = shape[0] * shape[1]
    of_n = np.bincount(at, n, cells_count).astype(np.float64).reshape(shape)
    of_s = np.bincount(at, s, cells_count).astype(np.float64).reshape(shape)
    return DayTable(strata, of_n, of_s, of_s)


def _stratum_codes(cells: Cells, by_model: bool) -> NDArray[np.int64]:
    model = cells.model.astype(np.int64) if by_model else 0
    return cells.input_class.astype(np.int64) * len(cells.words) + model


def _on(table: DayTable, strata: tuple[Stratum, ...], places: Sequence[int]) -> DayTable:
    def moved(matrix: Matrix) -> Matrix:
        # A row of a stratum for each place where it goes, so that those that go to one place are added up.
        to = np.zeros((len(places), len(strata)))
        to[np.arange(len(places)), list(places)] = 1.0
        return matrix @ to

    return DayTable(strata, moved(table.n), moved(table.s), moved(table.q))


def only(table: DayTable, keep: NDArray[np.bool_]) -> DayTable:
    """Return the table with these strata alone."""
    strata = tuple(stratum for stratum, kept in zip(table.strata, keep, strict=True) if kept)
    return DayTable(strata, table.n[:, keep], table.s[:, keep], table.q[:, keep])
