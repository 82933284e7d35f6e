"""Cells written by hand, for tests of failure modes: so many things of a kind each day, in one hour of it."""

from collections.abc import Callable, Sequence

import numpy as np

from agentvigil.analysis.failure_modes.looking import Look, Period
from agentvigil.analysis.features.cells import Cells, Subject, Words
from agentvigil.analysis.features.names import bin_of

SUBJECT = Subject("shop", "production", "support")
BASELINE = Period(24 * 20_000, 24 * 20_028)
WINDOW = Period(24 * 20_028, 24 * 20_056)
LOOK = Look(SUBJECT, BASELINE, WINDOW)

Counts = float | Callable[[int], float]
"""The same for each day, or by the place of the day in its period."""


class Book:
    """Rows as they are counted; hours are given, or are noon of each day of a period."""

    def __init__(self) -> None:
        self._words = Words()
        self._rows: list[tuple[int, str, str, str, str, int, float, float]] = []

    def row(
        self,
        hour: int,
        feature: str,
        key: str,
        n: float,
        s: float = 0.0,
        *,
        of: str = "",
        model: str = "",
        bin_: int = 0,
    ) -> None:
        if n or s:
            self._rows.append((hour, of, model, feature, key, bin_, n, s))

    def share(self, period: Period, feature: str, key: str, n: Counts, k: Counts, *, of: str = "") -> "Book":
        """Of ``n`` runs a day, ``k`` have ``key``."""
        for day, hour in noons(period):
            self.row(hour, feature, "", number(n, day), of=of)
            self.row(hour, feature, key, number(k, day), of=of)
        return self

    def tally(
        self, period: Period, feature: str, key: str, n: Counts, s: Counts, *, of: str = "", model: str = ""
    ) -> "Book":
        for day, hour in noons(period):
            self.row(hour, feature, key, number(n, day), number(s, day), of=of, model=model)
        return self

    def value(self, period: Period, feature: str, n: Counts, value: Counts, *, of: str = "") -> "Book":
        """``n`` runs a day have the same ``value``."""
        for day, hour in noons(period):
            each = number(value, day)
            self.row(hour, feature, "", number(n, day), number(n, day) * each, of=of, bin_=bin_of(each))
        return self

    def cells(self, period: Period | None = None) -> Cells:
        rows = sorted(self._rows, key=lambda row: row[0])

        def codes(texts: Sequence[str]) -> np.ndarray:
            return np.array([self._words.code(text) for text in texts], np.int32)

        hour, of, model, feature, key, bins, n, s = zip(*rows, strict=True) if rows else ([],) * 8
        columns = [codes(of), codes([""] * len(rows)), codes(model), codes(feature), codes(key)]
        cells = Cells(
            tuple(self._words),
            np.array(hour, np.int32),
            *columns,
            np.array(bins, np.int16),
            np.array(n, float),
            np.array(s, float),
        )
        return cells.between(*period) if period else cells


def noons(period: Period) -> list[tuple[int, int]]:
    return [(day, period.start_of(day) + 12) for day in range(period.days)]


def number(counts: Counts, day: int) -> float:
    return counts(day) if callable(counts) else counts
