"""What is the same in the rows of weeks: most of what is asked of them is asked of that once, and not hour by hour.

Weeks of an agent are some ten thousand rows, but hour after hour of the same thousand of input classes, features, keys
and bins.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.detection.counting import Ints, Rows
from agentvigil.analysis.features.cells import Cells
from agentvigil.analysis.features.names import ZERO_BIN

_MOST_CODES: Final = 1 << 22
"""So many are counted faster than rows are sorted. There are some ten thousand, unless values are absurd."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Sums of rows that differ in hour, version or model alone, and which row is in which sum."""

    sums: Cells
    """All at hour 0, of no version and model; ``s`` is NaN."""
    place: Ints
    """Of each row, the place of its sum."""

    def by_hour(self, sums: Rows, cells: Cells) -> Rows:
        """Return the rows of ``cells``, which were added up, where those of their sums are ``sums`` in a layout."""
        row_of_sum = np.full(len(self.sums), -1)
        row_of_sum[sums.given] = np.arange(len(sums.given))
        row = row_of_sum.take(self.place)
        given = np.flatnonzero(row >= 0)
        return replace(sums.where(row[given]), given=given, hour=cells.hour[given].astype(np.int64), n=cells.n[given])


def added_up(cells: Cells) -> Alike:
    """Add up the rows of the same input class, feature, and key or bin."""
    classes, class_place = _places(cells.input_class, len(cells.words))
    features, feature_place = _places(cells.feature, len(cells.words))
    keys, key_place = _places(cells.key, len(cells.words))
    # The bin of zeros lies far below all others.
    least = int(np.where(cells.bin == ZERO_BIN, 0, cells.bin).min(initial=0)) - 1
    bin_place = np.maximum(cells.bin, least).astype(np.int64) - least
    # A row counts a key or has a bin, so one number tells both.
    items = len(keys) + int(bin_place.max(initial=0)) + 1
    code = class_place.take(cells.input_class)
    code *= len(features)
    code += feature_place.take(cells.feature)
    code *= items
    code += np.where(cells.key == 0, len(keys) + bin_place, key_place.take(cells.key))
    found, place = _found(code, len(classes) * len(features) * items)
    class_and_feature, item = np.divmod(found, items)
    is_key = item < len(keys)
    bins = np.where(is_key, 0, item - len(keys) + least)
    nothing = np.zeros(len(found), dtype=np.int32)
    return Alike(
        Cells(
            cells.words,
            nothing,
            classes[class_and_feature // max(len(features), 1)],
            nothing,
            nothing,
            features[class_and_feature % max(len(features), 1)],
            np.where(is_key, keys[np.minimum(item, len(keys) - 1)], 0).astype(np.int32),
            np.where(bins == least, ZERO_BIN, bins).astype(np.int16),
            np.bincount(place, cells.n, minlength=len(found)).astype(np.float64, copy=False),
            np.broadcast_to(np.nan, len(found)),
        ),
        place,
    )


def _places(codes: NDArray[np.int32], words: int) -> tuple[NDArray[np.int32], Ints]:
    """Return which of ``words`` there are, and of each word its place among these."""
    is_there = np.zeros(words, dtype=np.bool_)
    is_there[codes] = True
    return np.flatnonzero(is_there).astype(np.int32), np.cumsum(is_there) - 1


def _found(code: Ints, codes: int) -> tuple[Ints, Ints]:
    """Return which codes there are, in their order, and the place of each one given among these."""
    if codes > _MOST_CODES:
        found, place = np.unique(code, return_inverse=True)
        return found, place.reshape(-1)
    is_there = np.zeros(codes, dtype=np.bool_)
    is_there[code] = True
    return np.flatnonzero(is_there), (np.cumsum(is_there) - 1).take(code)
