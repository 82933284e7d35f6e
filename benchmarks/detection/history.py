"""What the recipes read: the counts of one agent by hour, over all input classes, versions and models."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.features.cells import Cells
from agentvigil.analysis.features.names import BINS_PER_OCTAVE, FEATURES, ZERO_BIN, Counting

Floats = NDArray[np.float64]

ZERO_LOG2: Final = -30.0
"""Where zeros stand on a logarithmic axis."""


@dataclass(frozen=True)
class CategoryHistory:
    """Runs with keys."""

    keys: tuple[str, ...]
    n: Floats
    """(H, K)."""
    total: Floats
    """(H,) runs that count."""

    def groups(self) -> Floats:
        """Return counts that add up to the whole: (H, K + 1).

        The last is the runs with no key, as far as each has one; where runs have several, there is no such rest.
        """
        rest = np.maximum(self.total - self.n.sum(axis=1), 0) if self.n.sum() <= self.total.sum() else 0 * self.total
        return np.column_stack([self.n, rest])


@dataclass(frozen=True)
class ValueHistory:
    """Runs with values."""

    log2_low: Floats
    """(B,) where bins begin."""
    n: Floats
    """(H, B)."""
    s: Floats
    """(H,) sums of values."""


@dataclass(frozen=True)
class History:
    """One agent's hours."""

    first_hour: int
    hours: int
    categories: dict[str, CategoryHistory]
    values: dict[str, ValueHistory]


def history_of(cells: Cells, first_hour: int, end_hour: int) -> History:
    """Return the counts of the hours from ``first_hour`` to before ``end_hour``."""
    hours = end_hour - first_hour
    cells = cells.between(first_hour, end_hour)
    categories: dict[str, CategoryHistory] = {}
    values: dict[str, ValueHistory] = {}
    for name, feature in FEATURES.items():
        rows = cells.of(name)
        if not len(rows) or feature.counting is Counting.TALLY:
            continue
        hour = rows.hour - first_hour
        if feature.counting is Counting.CATEGORIES:
            codes, place = np.unique(rows.key, return_inverse=True)
            table = np.bincount(hour * len(codes) + place, rows.n, hours * len(codes)).reshape(hours, len(codes))
            known = codes != 0
            keys = tuple(rows.words[code] for code in codes[known])
            categories[name] = CategoryHistory(keys, table[:, known], table[:, ~known].sum(axis=1))
        else:
            numbers, place = np.unique(rows.bin, return_inverse=True)
            table = np.bincount(hour * len(numbers) + place, rows.n, hours * len(numbers)).reshape(hours, len(numbers))
            low = np.where(numbers == ZERO_BIN, ZERO_LOG2, numbers / BINS_PER_OCTAVE)
            values[name] = ValueHistory(low, table, np.bincount(hour, rows.s, hours))
    return History(first_hour, hours, categories, values)


def hourly_means(history: History) -> dict[str, tuple[str, Floats]]:
    """Return for each stream its feature and its mean in each hour, nan where nothing ran: (H,)."""
    means: dict[str, tuple[str, Floats]] = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for name, category in history.categories.items():
            for place, key in enumerate(category.keys):
                means[f"{name} {key}"] = name, category.n[:, place] / category.total
        for name, value in history.values.items():
            means[name] = name, value.s / value.n.sum(axis=1)
    return means


def sampled_runs(history: History, per_hour: int, random: np.random.Generator) -> dict[str, tuple[str, Floats, Floats]]:
    """Return for each stream its feature, the hours of runs and what each run had, in an order that could have been.

    At most ``per_hour`` runs of each hour. A run has 0 or 1 for a key; of a value it has the logarithm, which is drawn
    evenly within its bin.
    """
    streams: dict[str, tuple[str, Floats, Floats]] = {}
    for name, category in history.categories.items():
        total = category.total.astype(np.int64)
        taken = np.minimum(total, per_hour)
        for place, key in enumerate(category.keys):
            with_key = np.minimum(category.n[:, place].astype(np.int64), total)
            ones = random.hypergeometric(with_key, total - with_key, taken)
            hour = np.repeat(np.arange(history.hours), taken)
            # The first runs of each hour have the key, until all are shuffled within their hour.
            begins = np.repeat(np.cumsum(taken) - taken, taken)
            had = (np.arange(len(hour)) - begins < np.repeat(ones, taken)).astype(float)
            order = np.lexsort((random.random(len(hour)), hour))
            streams[f"{name} {key}"] = name, hour.astype(float), had[order]
    for name, value in history.values.items():
        cell = np.repeat(np.arange(value.n.size), value.n.ravel().astype(np.int64))
        hour, bin_place = np.divmod(cell, value.n.shape[1])
        order = np.lexsort((random.random(len(hour)), hour))
        hour, bin_place = hour[order], bin_place[order]
        begins = np.searchsorted(hour, hour)
        kept = np.arange(len(hour)) - begins < per_hour
        hour, bin_place = hour[kept], bin_place[kept]
        low = value.log2_low[bin_place]
        streams[name] = name, hour.astype(float), low + random.random(len(low)) / BINS_PER_OCTAVE
    return streams
