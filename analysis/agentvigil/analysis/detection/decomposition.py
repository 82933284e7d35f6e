"""Which part of the runs carries a shift, by model, version and input class, and how much of it is only another mix.

With shares w of groups and values x inside them, before (0) and after (1), the shift of the mean is exactly

    Σ (w1 - w0)·((x0 + x1)/2 - m)   +   Σ (w0 + w1)/2·(x1 - x0)
      mix: more of one group              within: the group itself changed

for any m, since shares add up to 1 both times; m is the mean before, so that a group that was like all runs carries
nothing by becoming rarer, and what takes its place carries the shift. E. M. Kitagawa, *Components of a difference
between two rates*, https://doi.org/10.1080/01621459.1955.10501299.
A group that was not there before cannot have changed inside: all that it carries is mix.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from agentvigil.analysis.detection.counting import Bools, Floats, log2_of_bin
from agentvigil.analysis.detection.streams import Plan, Stream, StreamKind
from agentvigil.analysis.features.cells import Cells

DIMENSIONS: Final = ("model", "version", "input_class")


@dataclass(frozen=True, slots=True)
class Part:
    """What one group of runs carries of a shift. Values are shares of runs, or mean logarithms to base 2."""

    name: str
    share_before: float
    share_after: float
    value_before: float | None
    value_after: float | None
    mix: float
    within: float

    @property
    def total(self) -> float:
        """What it carries, in the unit of the value."""
        return self.mix + self.within


@dataclass(frozen=True, slots=True)
class KeyShift:
    """How many runs have a key, as a share."""

    key: str
    before: float
    after: float


def parts_of(plan: Plan, stream: Stream, dimension: str, before: Cells, after: Cells) -> list[Part]:
    """Return what groups carry of a stream's shift between two times, the most first. They add up to the shift."""
    n0, x0 = _by_group(plan, stream, dimension, before)
    n1, x1 = _by_group(plan, stream, dimension, after)
    runs0, runs1 = sum(n0.values()), sum(n1.values())
    if not runs0 or not runs1:
        return []
    mean_before = sum(x0.values()) / runs0
    parts = []
    for name in sorted({*n0, *n1}):
        w0, w1 = n0.get(name, 0) / runs0, n1.get(name, 0) / runs1
        own0 = x0.get(name, 0) / n0[name] if n0.get(name) else None
        own1 = x1.get(name, 0) / n1[name] if n1.get(name) else None
        value0 = own0 if own0 is not None else own1
        value1 = own1 if own1 is not None else own0
        assert value0 is not None
        assert value1 is not None
        mix = (w1 - w0) * ((value0 + value1) / 2 - mean_before)
        parts.append(Part(name, w0, w1, own0, own1, mix, (w0 + w1) / 2 * (value1 - value0)))
    return sorted(parts, key=lambda part: (-abs(part.total), part.name))


def key_shifts(feature: str, before: Cells, after: Cells) -> list[KeyShift]:
    """Return how the keys of a feature moved, the most first."""
    shares = [_key_shares(cells.of(feature)) for cells in (before, after)]
    shifts = [KeyShift(key, *(share.get(key, 0.0) for share in shares)) for key in sorted({*shares[0], *shares[1]})]
    return sorted(shifts, key=lambda shift: (-abs(shift.after - shift.before), shift.key))


def is_hit(plan: Plan, stream: Stream, cells: Cells) -> Bools:
    """Say which rows of the stream's feature count as hits."""
    if stream.kind is StreamKind.ABOVE:
        return np.asarray(cells.bin >= stream.edge_bin)
    if stream.kind is StreamKind.MEAN:
        return np.ones(len(cells), dtype=np.bool_)
    wanted = np.zeros(len(cells.words), dtype=np.bool_)
    if stream.kind is StreamKind.KEY:
        wanted[:] = [word == stream.key for word in cells.words]
    else:
        rare = set(plan.rare_keys.get(stream.feature, ()))
        known = {s.key for s in plan.streams if s.feature == stream.feature and s.kind is StreamKind.KEY} | rare
        wanted[:] = [word in rare if stream.kind is StreamKind.OTHER else word not in known for word in cells.words]
    return np.asarray(wanted[cells.key] & (cells.key != 0))


def _by_group(plan: Plan, stream: Stream, dimension: str, cells: Cells) -> tuple[dict[str, float], dict[str, float]]:
    """Return runs, and the sum of what is counted, of each group that has runs."""
    cells = cells.of(stream.feature)
    groups: np.typing.NDArray[np.int32] = getattr(cells, dimension)
    hits = is_hit(plan, stream, cells)
    if stream.kind in {StreamKind.ABOVE, StreamKind.MEAN}:
        runs, value = cells.n, cells.n * hits
        if stream.kind is StreamKind.MEAN:
            low, high = plan.clipped_bins[stream.feature]
            value = cells.n * log2_of_bin(np.clip(cells.bin.astype(np.int64), low, high))
    else:
        runs, value = cells.n * (cells.key == 0), cells.n * hits
    n = np.bincount(groups, runs, minlength=len(cells.words))
    x = np.bincount(groups, value, minlength=len(cells.words))
    present = [int(code) for code in np.flatnonzero(n > 0)]
    return (
        {cells.words[code]: float(n[code]) for code in present},
        {cells.words[code]: float(x[code]) for code in present},
    )


def _key_shares(cells: Cells) -> Mapping[str, float]:
    counts: Floats = np.bincount(cells.key, cells.n, minlength=1).astype(np.float64)
    runs = max(float(counts[0]), 1.0)
    codes: Sequence[int] = [int(code) for code in np.flatnonzero(counts) if code != 0]
    return {cells.words[code]: float(counts[code]) / runs for code in codes}
