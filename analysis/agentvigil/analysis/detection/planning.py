"""Which streams a subject gets: from what its baseline saw, and how often."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.detection.config import CLIPPED, QUANTILES, DetectionConfig
from agentvigil.analysis.detection.counting import FEATURE_PLACES, WATCHED, Floats, Ints
from agentvigil.analysis.detection.streams import Plan, Stream, StreamKind
from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.features.names import BINS_PER_OCTAVE, FEATURES, ZERO_BIN, Counting

_STATUS = "status"
_MOST_RARE_CLASSES = 2_000
"""Kept by name of an agent whose input classes are rather names of its users."""


@dataclass(frozen=True, slots=True)
class TooFewRuns:
    """Why there is no baseline of a subject or a feature: said instead of guessed."""

    runs: int
    needed_runs: int
    days: float
    needed_days: float

    def __str__(self) -> str:
        if self.runs < self.needed_runs:
            return f"too few runs: {self.runs:,} of {self.needed_runs:,}"
        return f"too few days: {self.days:.1f} of {self.needed_days:g}"


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what could not be planned."""

    plan: Plan
    runs: int
    runs_of_feature: dict[str, float]
    keys_seen_once: dict[str, int]
    too_few: dict[str, TooFewRuns]


def plan_of(subject: Subject, cells: Cells, days: float, config: DetectionConfig) -> Planned | TooFewRuns:
    """Plan the streams of a subject from the cells of its baseline, which cover ``days``."""
    parts = _parts(cells)
    totals = {name: _totals(part, FEATURES[name].counting) for name, part in parts.items()}
    runs_of_feature = {name: float(total.n.sum()) for name, total in totals.items()}
    # Each run has a status; where somebody watches without it, the feature that most runs have stands in.
    counted = (
        _STATUS if runs_of_feature.get(_STATUS) else max(runs_of_feature, key=lambda f: runs_of_feature[f], default="")
    )
    runs = round(runs_of_feature.get(counted, 0))
    if runs < config.min_runs or days < config.min_days:
        return TooFewRuns(runs, config.min_runs, days, config.min_days)

    streams: list[Stream] = []
    rare_keys: dict[str, tuple[str, ...]] = {}
    clipped_bins: dict[str, tuple[int, int]] = {}
    keys_seen_once: dict[str, int] = {}
    too_few: dict[str, TooFewRuns] = {}
    for feature in WATCHED:
        name, feature_runs = feature.name, round(runs_of_feature.get(feature.name, 0))
        if feature_runs < config.min_runs:
            if feature_runs:
                too_few[name] = TooFewRuns(feature_runs, config.min_runs, days, config.min_days)
            continue
        if feature.counting is Counting.CATEGORIES:
            keys = _by_count(parts[name].key, parts[name].n, cells.words)
            known = [key for key, n in keys if n >= config.min_key_runs][: config.max_keys]
            rare = tuple(key for key, _ in keys if key not in known)
            streams += [Stream(name, StreamKind.KEY, key=key) for key in known]
            streams += [Stream(name, StreamKind.OTHER)] if rare else []
            streams.append(Stream(name, StreamKind.NEW))
            rare_keys[name] = rare
            keys_seen_once[name] = sum(n <= 1 for _, n in keys)
        else:
            values, clipped = planned_values(name, totals[name].bin, totals[name].n, config)
            streams += values
            if clipped is not None:
                clipped_bins[name] = clipped
    seen = _by_count(totals[counted].input_class, totals[counted].n, cells.words, empty=True)
    least = max(config.min_class_runs, config.min_class_share * runs)
    classes = tuple(name for name, n in seen if n >= least)[: config.max_classes]
    rare_classes = tuple(name for name, _ in seen[len(classes) : len(classes) + _MOST_RARE_CLASSES])
    plan = Plan(subject, classes, rare_classes, tuple(streams), rare_keys, clipped_bins)
    return Planned(plan, runs, runs_of_feature, keys_seen_once, too_few)


def planned_values(
    feature: str, bins: NDArray[np.int16], n: Floats, config: DetectionConfig
) -> tuple[list[Stream], tuple[int, int] | None]:
    """Return the streams of a feature with values, and the bins that these are clipped to, if they have a mean."""
    found, runs = _by_bin(bins, n)
    thresholds = _thresholds(feature, found, runs, config)
    low, high = _clipped(found, runs)
    return ([*thresholds, Stream(feature, StreamKind.MEAN)], (low, high)) if high > low else (thresholds, None)


class _Part(NamedTuple):
    """The rows of one feature, as far as plans are made of them."""

    input_class: NDArray[np.int32]
    key: NDArray[np.int32]
    bin: NDArray[np.int16]
    n: Floats

    def where(self, rows: "slice | NDArray[np.bool_] | Ints") -> "_Part":
        return _Part(self.input_class[rows], self.key[rows], self.bin[rows], self.n[rows])


def _parts(cells: Cells) -> dict[str, _Part]:
    """Return the rows of each feature that is watched and has a word, told apart in one pass."""
    places = np.array([FEATURE_PLACES.get(word, len(WATCHED)) for word in cells.words], dtype=np.int8)[cells.feature]
    ordered = _Part(cells.input_class, cells.key, cells.bin, cells.n).where(np.argsort(places, kind="stable"))
    ends = np.cumsum(np.bincount(places, minlength=len(WATCHED)))[: len(WATCHED)]
    words = set(cells.words)
    return {
        feature.name: ordered.where(slice(int(start), int(end)))
        for feature, start, end in zip(WATCHED, [0, *ends[:-1]], ends, strict=True)
        if feature.name in words
    }


def _totals(part: _Part, counting: Counting) -> _Part:
    return part if counting is Counting.VALUES else part.where(part.key == 0)


def _by_bin(bins: NDArray[np.int16], runs: Floats) -> tuple[Ints, Floats]:
    """Return the bins that have runs, from low to high, and how many."""
    lowest = int(bins.min())
    n = np.bincount(bins.astype(np.int64) - lowest, runs)
    found = np.flatnonzero(n)
    return found + lowest, n[found].astype(np.float64)


def _by_count(
    codes: NDArray[np.int32], n: Floats, words: Sequence[str], *, empty: bool = False
) -> list[tuple[str, float]]:
    """Return words and how often they came, the most frequent first, without the empty one unless it is wanted."""
    counts = np.bincount(codes, n)
    found = [(words[int(code)], float(counts[code])) for code in np.flatnonzero(counts)]
    return sorted((pair for pair in found if pair[1] > 0 and (empty or pair[0])), key=lambda pair: (-pair[1], pair[0]))


def _thresholds(feature: str, bins: Ints, n: Floats, config: DetectionConfig) -> list[Stream]:
    """Return streams above the lower edges of bins that come next to the wanted quantiles."""
    above = n[::-1].cumsum()[::-1]
    useful = (above >= config.min_key_runs) & (n.sum() - above >= config.min_key_runs)
    streams: dict[int, Stream] = {}
    if useful.any():
        edges, shares = bins[useful], above[useful] / n.sum()
        for quantile in QUANTILES:
            nearest = int(np.argmin(np.abs(shares - (1 - quantile))))
            level = round(1 - float(shares[nearest]), 4)
            streams.setdefault(
                int(edges[nearest]), Stream(feature, StreamKind.ABOVE, edge_bin=int(edges[nearest]), level=level)
            )
    return [streams[edge] for edge in sorted(streams)]


def _clipped(bins: Ints, n: Floats) -> tuple[int, int]:
    share = n.cumsum() / n.sum()
    low, high = (int(bins[np.searchsorted(share, quantile)]) for quantile in CLIPPED)
    if low == ZERO_BIN:
        # Zeros count as an octave below the least value, which is as far as they are told from it.
        low = int(bins[bins > ZERO_BIN].min()) - BINS_PER_OCTAVE if (bins > ZERO_BIN).any() else low
    return low, max(low, high)
