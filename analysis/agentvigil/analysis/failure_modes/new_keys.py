"""Keys of a feature that were not there before, and whether that can be chance.

What is rare is seen late: a tool that one run in 2,000 uses may first be seen after weeks, and is not new. So a key
counts as new only if its runs could hardly all have fallen behind the hour in which it was first seen by chance. With N
runs before that hour, M since, and k runs with the key, that chance is (M / (N + M))^k.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from agentvigil.analysis.failure_modes.looking import HOURS_PER_DAY
from agentvigil.analysis.features.cells import Cells

OTHER: Final = "(other)"
"""The key of what had no room in the counts of an hour."""
_CHANCE: Final = 1e-3
_LEAST_DAYS: Final = 3


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that only the window has."""

    key: str
    first_hour: int
    runs: float
    days: int
    """Different days on which it was seen, each 24 hours from the first."""


def first_seen(cells: Cells, feature: str) -> dict[str, int]:
    """Return the first hour of each key."""
    rows = cells.of(feature)
    keys, places = np.unique(rows.key, return_index=True)
    found = {rows.words[int(key)]: int(rows.hour[place]) for key, place in zip(keys, places, strict=True) if key}
    return {key: hour for key, hour in found.items() if key != OTHER}


def has_unnamed(cells: Cells, feature: str) -> bool:
    """Whether some keys had no room, so that nobody knows all that were there."""
    return OTHER in cells.words and bool((cells.of(feature).key == cells.words.index(OTHER)).any())


def new_keys(baseline: Cells, window: Cells, feature: str) -> list[NewKey]:
    """Return the keys that the window has and the baseline has not, in the order of their first hours."""
    known = set(first_seen(baseline, feature))
    rows = window.of(feature)
    found = []
    for key, first_hour in first_seen(window, feature).items():
        if key not in known:
            of_key = rows.where(rows.key == rows.words.index(key))
            days = len(np.unique((of_key.hour - first_hour) // HOURS_PER_DAY))
            found.append(NewKey(key, first_hour, float(of_key.n.sum()), days))
    return sorted(found, key=lambda new: (new.first_hour, new.key))


def sustained(new: NewKey, runs_before: float, runs_since: float) -> bool:
    """Whether a key came to stay: seen on several days, and more often than a rare key that was there all along."""
    if new.days < _LEAST_DAYS or runs_before <= 0 or runs_since <= 0:
        return False
    return new.runs * math.log(runs_since / (runs_before + runs_since)) <= math.log(_CHANCE)


def runs_around(baseline: Cells, window: Cells, feature: str, hour: int) -> tuple[float, float]:
    """Return how many runs are counted of a feature before an hour of the window, and since."""
    earlier, since = window.between(-(2**31), hour), window.between(hour, 2**31 - 1)
    return counted_runs(baseline, feature) + counted_runs(earlier, feature), counted_runs(since, feature)


def runs_by_key(cells: Cells, feature: str) -> dict[str, float]:
    """Return how many runs had each key."""
    rows = cells.of(feature)
    count = np.bincount(rows.key, rows.n, len(rows.words)) if len(rows) else np.zeros(0)
    runs = {rows.words[int(key)]: float(count[key]) for key in np.flatnonzero(count) if key}
    return {key: number for key, number in runs.items() if key != OTHER}


def counted_runs(cells: Cells, feature: str) -> float:
    """Return of how many runs the keys of a feature are counted."""
    rows = cells.of(feature)
    return float(rows.n[rows.key == 0].sum())
