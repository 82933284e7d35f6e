"""What of a feature is compared: shares of runs, typical values, and how many values are high.

Both sides are treated alike: what a value is clipped to, and what counts as high, is taken from both together, so that
comparing B with A says the opposite of comparing A with B.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.comparing.strata import Floats, Side, Sums
from agentvigil.analysis.features.names import BINS_PER_OCTAVE, ZERO_BIN, Counting, Feature, Unit

_FEWEST_WITH_KEY: Final = 5
"""A key that fewer runs of both sides have can show nothing."""

_MOST_KEYS: Final = 60
"""Of one feature, the most common ones. Both rules look at the two sides together, which gives neither away."""

_CLIPPED: Final = 0.01
_HIGH: Final = 0.9

_ALWAYS: Final = {
    "status": "failure",
    "retrieval": "empty",
    "retry": "any",
    "tool_error": "any",
    "tool_switch": "any",
    "unfounded": "any",
    "confident": "bad",
}
"""Keys that are compared though no run has them: that nothing failed on either side is worth saying."""

_TALLIES_OF_TROUBLE: Final = ("context", "cascade")
"""Where ``n`` things are counted and ``s`` of them go wrong. ``usage`` sums amounts: they are compared as the cost, the
tokens and the retries of runs."""

_Bins = NDArray[np.int16]


class Measure(StrEnum):
    """What is compared."""

    SHARE = "share"
    """Of runs that have the key; of a tally, of things that go wrong."""
    TYPICAL = "typical"
    """The geometric mean, values beyond the 1st and 99th percentile clipped; of shares the mean."""
    HIGH = "high"
    """The share of runs above the 90th percentile of both sides."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One thing that is compared. Values of ``TYPICAL`` are logarithms to base 2 unless their unit is a share."""

    feature: Feature
    key: str
    measure: Measure
    before: Sums
    after: Sums
    edge: float | None = None
    """What a high value is above, in the feature's unit."""

    @property
    def is_rate(self) -> bool:
        """Say whether all values are 0 or 1."""
        return self.measure is not Measure.TYPICAL

    @property
    def is_logarithm(self) -> bool:
        return self.measure is Measure.TYPICAL and self.feature.unit is not Unit.SHARE


def streams_of(feature: Feature, before: Side, after: Side) -> Iterator[Stream]:
    """Yield what is compared of ``feature``, nothing if one of the sides has no runs that tell of it."""
    sides = (before.of(feature.name), after.of(feature.name))
    if feature.counting is Counting.CATEGORIES:
        yield from _of_categories(feature, *sides)
    elif feature.counting is Counting.VALUES:
        yield from _of_values(feature, *sides)
    elif feature.name in _TALLIES_OF_TROUBLE:
        yield from _of_tally(feature, *sides)


def _of_categories(feature: Feature, before: Side, after: Side) -> Iterator[Stream]:
    runs = [side.with_key("") for side in (before, after)]
    n = [side.table(side.cells.n) for side in runs]
    if not all(table.any() for table in n):
        return
    common = dict.fromkeys(filter(None, [_ALWAYS.get(feature.name)]), 0.0)
    common |= before.runs_by_key() + after.runs_by_key()
    for key, having in sorted(common.items(), key=lambda one: (-one[1], one[0]))[:_MOST_KEYS]:
        if having >= _FEWEST_WITH_KEY or key == _ALWAYS.get(feature.name):
            old, new = (side.table(side.cells.n) for side in (before.with_key(key), after.with_key(key)))
            yield Stream(feature, key, Measure.SHARE, Sums.of_rate(n[0], old), Sums.of_rate(n[1], new))


def _of_tally(feature: Feature, before: Side, after: Side) -> Iterator[Stream]:
    for key in sorted(before.runs_by_key().keys() | after.runs_by_key().keys()):
        sides = (before.with_key(key), after.with_key(key))
        old, new = (Sums.of_rate(side.table(side.cells.n), side.table(side.cells.s)) for side in sides)
        if old.count and new.count and old.total.sum() + new.total.sum() >= _FEWEST_WITH_KEY:
            yield Stream(feature, key, Measure.SHARE, old, new)


def _of_values(feature: Feature, before: Side, after: Side) -> Iterator[Stream]:
    sides = (before, after)
    if not all(side.cells.n.any() for side in sides):
        return
    edges = _Edges.of(*(np.concatenate([getattr(side.cells, name) for side in sides]) for name in ("bin", "n")))
    typical = _shares if feature.unit is Unit.SHARE else edges.logarithms
    old, new = (_sums(side, typical(side.cells.bin)) for side in sides)
    yield Stream(feature, "", Measure.TYPICAL, old, new)
    high = [(side.cells.bin > edges.high).astype(np.float64) for side in sides]
    if any(values.any() for values in high):
        edge = 0.0 if edges.high == ZERO_BIN else float(2.0 ** ((edges.high + 1) / BINS_PER_OCTAVE))
        old, new = (_sums(side, values) for side, values in zip(sides, high, strict=True))
        yield Stream(feature, "", Measure.HIGH, old, new, edge)


@dataclass(frozen=True, slots=True)
class _Edges:
    """Bins at quantiles of both sides together. ``low`` and ``top``, between which values count as they are, are not
    the bin of 0, which has no logarithm."""

    low: int
    top: int
    high: int

    @classmethod
    def of(cls, bins: _Bins, n: Floats) -> "_Edges":
        order = np.argsort(bins, kind="stable")
        ordered, running = bins[order], np.cumsum(n[order])

        def quantile(share: float) -> int:
            return int(ordered[min(int(np.searchsorted(running, share * running[-1])), len(ordered) - 1)])

        positive = ordered[ordered != ZERO_BIN]
        low = max(quantile(_CLIPPED), int(positive[0]) if len(positive) else 0)
        return cls(low, max(quantile(1 - _CLIPPED), low), quantile(_HIGH))

    def logarithms(self, bins: _Bins) -> Floats:
        """Return logarithms to base 2; that of 0 is the lowest."""
        result: Floats = (np.clip(bins.astype(np.float64), self.low, self.top) + 0.5) / BINS_PER_OCTAVE
        return result


def _shares(bins: _Bins) -> Floats:
    values: Floats = np.where(bins == ZERO_BIN, 0.0, np.minimum(1.0, 2.0 ** ((bins + 0.5) / BINS_PER_OCTAVE)))
    return values


def _sums(side: Side, values: Floats) -> Sums:
    n = side.cells.n
    return Sums(side.table(n), side.table(n * values), side.table(n * values**2))
