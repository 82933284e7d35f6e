"""Finished runs counted by the hour, as columns of numpy: what all detectors read, wherever it comes from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

SECONDS_PER_HOUR: Final = 3600


def time_of(hour: int) -> datetime:
    """Return the moment at which an hour since 1970 begins."""
    return datetime.fromtimestamp(hour * SECONDS_PER_HOUR, UTC)


def hour_of(time: datetime) -> int:
    """Return the hour since 1970 that ``time`` is in."""
    return int(time.timestamp()) // SECONDS_PER_HOUR


class Subject(NamedTuple):
    """Whose runs are watched together: an agent in one environment of one project."""

    project: str
    environment: str
    agent: str


@dataclass(frozen=True, slots=True)
class Cells:
    """Counts of the runs of one subject: a row for each hour, input class, version, model, feature, and key or bin.

    All arrays have the same length, and rows are in the order of their hours. Texts are codes: places in ``words``,
    where place 0 is the empty text. How ``n`` and ``s`` are to be read is said by the feature.
    """

    words: Sequence[str]
    hour: NDArray[np.int32]
    """Hours since 1970, UTC."""
    input_class: NDArray[np.int32]
    version: NDArray[np.int32]
    model: NDArray[np.int32]
    feature: NDArray[np.int32]
    key: NDArray[np.int32]
    """0 where the feature has values, and in the row that tells of how many runs the keys are counted."""
    bin: NDArray[np.int16]
    """0 where the feature has keys."""
    n: NDArray[np.float64]
    s: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.hour)

    def between(self, first_hour: int, end_hour: int) -> "Cells":
        """Return the rows of the hours from ``first_hour`` to before ``end_hour``."""
        start, end = np.searchsorted(self.hour, (first_hour, end_hour))
        return self.where(slice(int(start), int(end)))

    def of(self, feature: str) -> "Cells":
        """Return the rows of one feature."""
        code = self.words.index(feature) if feature in self.words else -1
        return self.where(self.feature == code)

    def where(self, rows: "slice | NDArray[np.bool_]") -> "Cells":
        """Return these rows, which stay in order."""
        return Cells(
            self.words,
            self.hour[rows],
            self.input_class[rows],
            self.version[rows],
            self.model[rows],
            self.feature[rows],
            self.key[rows],
            self.bin[rows],
            self.n[rows],
            self.s[rows],
        )


class Words:
    """Codes of texts, given out as they come; 0 is the empty text."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {"": 0}

    def code(self, text: str) -> int:
        """Return the code of ``text``, a new one if it has none."""
        return self._codes.setdefault(text, len(self._codes))

    def __iter__(self) -> Iterator[str]:
        return iter(self._codes)

    def __len__(self) -> int:
        return len(self._codes)
