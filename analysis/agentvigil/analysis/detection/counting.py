"""From cells to counts by stream: many subjects in one hour, or one subject over many hours, by the same few passes.

Everything is flat. A *group* is one feature of one subject, and its streams are neighbours. A *slot* is a group and an
input class; the last slot of a group is that of all classes that the baseline does not know. Rows of cells are given
their places once (:meth:`Layout.rows`), and then added up by whatever they are to be told apart by: hours, classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.detection.streams import Plan, StreamKind
from agentvigil.analysis.features.cells import Cells
from agentvigil.analysis.features.names import BINS_PER_OCTAVE, FEATURES, Counting

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

WATCHED: Final = tuple(feature for feature in FEATURES.values() if feature.counting is not Counting.TALLY)
FEATURE_PLACES: Final = {feature.name: place for place, feature in enumerate(WATCHED)}
WATCHED_FEATURES: Final = tuple(FEATURE_PLACES)
"""Names of the features that are looked at here: whoever reads cells for this alone needs no others."""
_HAS_VALUES: Final = np.array([feature.counting is Counting.VALUES for feature in WATCHED])
_MAX_EDGES: Final = 8
PAIRED_KEYS: Final = 5
"""Keys of a feature that are watched in pairs, the commonest: ten pairs."""
_SUDDEN: Final = {StreamKind.KEY, StreamKind.MEAN}
_NO_EDGE: Final = np.iinfo(np.int16).max
# Places of texts fit below it, so that one integer holds a group or subject and a text. A text without a place is -1,
# which makes an integer that no other text makes.
_TEXTS: Final = 1 << 32


def log2_of_bin(bins: "NDArray[np.integer]") -> Floats:
    """Return the logarithm to base 2 in the middle of bins; that of the bin of zeros is far below all others."""
    return (bins.astype(np.float64) + 0.5) / BINS_PER_OCTAVE


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of cells with their places in a layout; rows of what is not watched are left out."""

    given: Ints
    """Their places among the rows that were given, of all subjects one after another."""
    hour: Ints
    group: Ints
    slot: Ints
    stream: Ints
    """Of rows that count keys, and of values that of the highest threshold that they pass; -1 of values that pass none,
    and in rows that tell of how many runs."""
    bin: Ints
    is_value: Bools
    n: Floats
    log2: Floats
    """Clipped logarithms of values; of no meaning in rows that count keys."""

    def where(self, rows: Bools | Ints) -> "Rows":
        """Return some of them, or some of them some times."""
        return Rows(
            self.given[rows],
            self.hour[rows],
            self.group[rows],
            self.slot[rows],
            self.stream[rows],
            self.bin[rows],
            self.is_value[rows],
            self.n[rows],
            self.log2[rows],
        )


class Layout:
    """The places of the groups, slots and streams of some plans, one after another."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self.plans = tuple(plans)
        self.subject_places = {plan.subject: place for place, plan in enumerate(plans)}
        self._texts: dict[str, int] = {"": 0}
        # The last place is that of what is not watched, which is found at -1.
        self._group_of_feature = np.full((len(plans), len(WATCHED) + 1), -1, dtype=np.int64)
        group_subject: list[int] = []
        group_feature: list[int] = []
        first_stream: list[int] = []
        first_slot: list[int] = []
        slots_of_group: list[int] = []
        streams_of_group: list[int] = []
        first_edge_stream: list[int] = []
        mean_stream: list[int] = []
        other_stream: list[int] = []
        new_stream: list[int] = []
        clipped: list[tuple[int, int]] = []
        edges: list[list[int]] = []
        class_places: dict[int, int] = {}
        key_streams: dict[int, int] = {}
        stream_count = slot_count = 0
        for subject, plan in enumerate(plans):
            for place, name in enumerate(plan.classes):
                class_places[subject * _TEXTS + self._text(name)] = place
            for name in plan.rare_classes:
                class_places[subject * _TEXTS + self._text(name)] = len(plan.classes)
            for feature in plan.features:
                group = len(group_subject)
                streams = [stream for stream in plan.streams if stream.feature == feature]
                kinds = {stream.kind: stream_count + at for at, stream in enumerate(streams)}
                edge_streams = [s for s in streams if s.kind is StreamKind.ABOVE]
                self._group_of_feature[subject, FEATURE_PLACES[feature]] = group
                group_subject.append(subject)
                group_feature.append(FEATURE_PLACES[feature])
                first_stream.append(stream_count)
                streams_of_group.append(len(streams))
                first_slot.append(slot_count)
                slots_of_group.append(plan.places_of_classes)
                # Thresholds come first in their group.
                first_edge_stream.append(stream_count)
                mean_stream.append(kinds.get(StreamKind.MEAN, -1))
                new_stream.append(kinds.get(StreamKind.NEW, -1))
                other_stream.append(kinds.get(StreamKind.OTHER, -1))
                clipped.append(plan.clipped_bins.get(feature, (0, 0)))
                edges.append([s.edge_bin for s in edge_streams] + [_NO_EDGE] * (_MAX_EDGES - len(edge_streams)))
                for at, stream in enumerate(streams):
                    if stream.kind is StreamKind.KEY:
                        key_streams[group * _TEXTS + self._text(stream.key)] = stream_count + at
                for key in plan.rare_keys.get(feature, ()):
                    key_streams[group * _TEXTS + self._text(key)] = kinds[StreamKind.OTHER]
                stream_count += len(streams)
                slot_count += plan.places_of_classes

        self.stream_count, self.slot_count, self.group_count = stream_count, slot_count, len(group_subject)
        self.group_subject = np.array(group_subject, dtype=np.int64)
        self.group_feature = np.array(group_feature, dtype=np.int64)
        self.first_stream = np.array(first_stream, dtype=np.int64)
        self.first_slot = np.array(first_slot, dtype=np.int64)
        self.slots_of_group = np.array(slots_of_group, dtype=np.int64)
        self.streams_of_group = np.array(streams_of_group, dtype=np.int64)
        self.mean_stream = np.array(mean_stream, dtype=np.int64)
        self.other_stream = np.array(other_stream, dtype=np.int64)
        self.new_stream = np.array(new_stream, dtype=np.int64)
        self.group_of_stream = np.repeat(np.arange(self.group_count), self.streams_of_group)
        self.group_of_slot = np.repeat(np.arange(self.group_count), self.slots_of_group)
        self.pairs = _pairs(plans, self.first_stream, self.streams_of_group, group_feature)
        """2 × pairs: streams whose bets are added up, as their keys may take each other's place."""
        group_of_pair = self.group_of_stream[self.pairs[0]]
        self.group_of_column = np.concatenate([self.group_of_stream, group_of_pair])
        """Of what there is evidence of: the streams, then the pairs."""
        self.column_count = len(self.group_of_column)
        # What a stream weighs in its feature: half for the mean, since most changes of values move it.
        alone = self.mean_stream < 0
        weight = np.where(alone, 1 / self.streams_of_group, 0.5 / np.maximum(self.streams_of_group - 1, 1))
        self.weight = weight[self.group_of_stream]
        has_others = ~alone & (self.streams_of_group > 1)
        self.weight[self.mean_stream[has_others]] = 0.5
        self.weight[self.mean_stream[~alone & ~has_others]] = 1.0
        # Half for the pairs, where there are some.
        pairs_of_group = np.bincount(group_of_pair, minlength=self.group_count)
        self.weight[pairs_of_group[self.group_of_stream] > 0] /= 2
        self.weight = np.concatenate([self.weight, 0.5 / pairs_of_group[group_of_pair]])
        """By column."""
        self._of_sudden_shifts([stream.kind for plan in plans for stream in plan.streams])
        self.is_mean = np.zeros(stream_count, dtype=np.bool_)
        self.is_mean[self.mean_stream[self.mean_stream >= 0]] = True
        self._edges = np.array(edges, dtype=np.int64).reshape(-1, _MAX_EDGES).T.copy()
        self._edge_count = (self._edges < _NO_EDGE).sum(axis=0)
        self._lowest, self._highest = np.array(clipped, dtype=np.int64).reshape(-1, 2).T.copy()
        self._class_codes, self._class_places = _sorted(class_places)
        self._key_codes, self._key_streams = _sorted(key_streams)
        # Entries: each stream with each slot of its group, in the order of streams, then slots.
        entries_of_stream = self.slots_of_group[self.group_of_stream]
        self.first_entry = np.cumsum(entries_of_stream) - entries_of_stream
        inside = np.arange(int(entries_of_stream.sum())) - np.repeat(self.first_entry, entries_of_stream)
        self.slot_of_entry = np.repeat(self.first_slot[self.group_of_stream], entries_of_stream) + inside

    def _of_sudden_shifts(self, kinds: Sequence[StreamKind]) -> None:
        """Choose where sudden shifts are looked for. Half of what a feature weighs is theirs, where it has some."""
        self.sudden_streams = np.flatnonzero([kind in _SUDDEN for kind in kinds])
        place = np.cumsum([kind in _SUDDEN for kind in kinds]) - 1
        self.sudden_pairs = place[self.pairs] if len(kinds) else self.pairs
        """The pairs, as places among these streams."""
        self.sudden_columns = np.concatenate([self.sudden_streams, np.arange(self.stream_count, self.column_count)])
        group = self.group_of_column[self.sudden_columns]
        is_pair = self.sudden_columns >= self.stream_count
        pairs = np.bincount(group[is_pair], minlength=self.group_count)
        singles = np.bincount(group[~is_pair], minlength=self.group_count)
        halved = np.where(pairs > 0, 4.0, 2.0)[group]
        self.sudden_weight = 1 / halved / np.where(is_pair, pairs[group], singles[group])
        self.weight[np.flatnonzero(singles[self.group_of_column] > 0)] /= 2

    def _text(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))

    def rows(self, given: Sequence[tuple[int, Cells]], only: tuple[str, str] | None = None) -> Rows:
        """Return the places of the rows of cells, each given with the place of its subject among the plans.

        ``only`` names a column and the text that rows must have there: ``("model", "gpt-5")``.
        """
        texts: dict[int, Ints] = {}
        features: dict[int, Ints] = {}
        code_of: dict[int, int] = {}
        parts: list[Sequence[NDArray[Any]]] = []
        for subject, cells in given:
            if not len(cells):
                continue
            words = id(cells.words)
            if words not in texts:
                texts[words] = np.array([self._texts.get(word, -1) for word in cells.words], dtype=np.int64)
                if only is not None:
                    code_of[words] = cells.words.index(only[1]) if only[1] in cells.words else -1
                features[words] = np.array([FEATURE_PLACES.get(word, -1) for word in cells.words], dtype=np.int64)
            parts.append(
                (
                    self._group_of_feature[subject].take(features[words].take(cells.feature)),
                    cells.n if only is None else cells.n * (getattr(cells, only[0]) == code_of[words]),
                    cells.hour,
                    texts[words].take(cells.input_class) + subject * _TEXTS,
                    cells.key,
                    texts[words].take(cells.key),
                    cells.bin,
                )
            )
        if not parts:
            nothing = np.zeros(0, dtype=np.int64)
            none = nothing.astype(np.float64)
            return Rows(nothing, nothing, nothing, nothing, nothing, nothing, nothing.astype(np.bool_), none, none)
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        watched = np.flatnonzero((columns[0] >= 0) & (columns[1] > 0))
        if len(watched) < len(columns[0]):
            columns = [column[watched] for column in columns]
        group, n, hour, class_, key, key_text, bin_ = columns
        class_place = _found(self._class_codes, self._class_places, class_)
        is_value = _HAS_VALUES[self.group_feature][group]
        keyed = np.flatnonzero(~is_value & (key != 0))
        known = _found(self._key_codes, self._key_streams, group[keyed] * _TEXTS + key_text[keyed])
        stream = np.full(len(group), -1, dtype=np.int64)
        stream[keyed] = np.where(known >= 0, known, self.new_stream[group[keyed]])
        bin_ = bin_.astype(np.int64)
        valued = np.flatnonzero(is_value)
        stream[valued] = self._highest_passed(group[valued], bin_[valued])
        return Rows(
            watched,
            hour.astype(np.int64),
            group,
            self.first_slot[group] + np.where(class_place >= 0, class_place, self.slots_of_group[group] - 1),
            stream,
            bin_,
            is_value,
            n,
            log2_of_bin(np.clip(bin_, self._lowest[group], self._highest[group])),
        )

    def runs(self, rows: Rows, at: Ints, count: int) -> Floats:
        """Return how many runs each slot has, by ``at``: an array of ``count`` × slots."""
        total = rows.is_value | (rows.stream < 0)
        places = at[total] * self.slot_count + rows.slot[total]
        return _added(places, rows.n[total], count, self.slot_count)

    def hits(self, rows: Rows, at: Ints, count: int, center: Floats, scale: Floats) -> Floats:
        """Return what is counted of each stream, by ``at``: an array of ``count`` × streams.

        ``center`` and ``scale`` are the mean and the standard deviation of clipped logarithms by slot.
        """
        counted = rows.stream >= 0
        hits = _added(at[counted] * self.stream_count + rows.stream[counted], rows.n[counted], count, self.stream_count)
        # Runs that pass a threshold pass those below it.
        for edge in range(_MAX_EDGES - 2, -1, -1):
            lower = self.first_stream[self._edge_count > edge + 1] + edge
            hits[:, lower] += hits[:, lower + 1]
        mean = self.mean_stream[rows.group]
        # Where all values are one there is no mean to watch.
        averaged = np.flatnonzero(rows.is_value & (mean >= 0))
        if not len(averaged):
            return hits
        slot = rows.slot[averaged]
        deviation = rows.n[averaged] * (rows.log2[averaged] - center[slot]) / scale[slot]
        places = at[averaged] * self.stream_count + mean[averaged]
        return hits + _added(places, deviation, count, self.stream_count)

    def of_classes(self, by_slot: Floats, numbers: Floats) -> Floats:
        """Return what slots have, times the numbers of a stream's classes, added up: times × streams.

        ``by_slot`` is times × slots, and ``numbers`` are those of all classes of the first stream, then of the next.
        """
        if len(by_slot) < self.group_count:
            return summed(by_slot[:, self.slot_of_entry] * numbers, self.first_entry)
        # Many hours of few groups: a product of matrices for each group.
        found = np.empty((len(by_slot), self.stream_count))
        for group, classes in enumerate(self.slots_of_group.tolist()):
            slots = slice(self.first_slot[group], self.first_slot[group] + classes)
            streams = slice(self.first_stream[group], self.first_stream[group] + self.streams_of_group[group])
            entry = self.first_entry[streams.start]
            mine = numbers[entry : entry + classes * self.streams_of_group[group]].reshape(-1, classes)
            np.matmul(by_slot[:, slots], mine.T, out=found[:, streams])
        return found

    def _highest_passed(self, group: Ints, bins: Ints) -> Ints:
        """Return the streams of the highest thresholds that values pass, -1 where they pass none."""
        passed = np.zeros(len(group), dtype=np.int64)
        for edge in self._edges[: int(self._edge_count.max(initial=0))]:
            passed += bins >= edge[group]
        return np.where(passed > 0, self.first_stream[group] + passed - 1, -1)


def summed(values: Floats, starts: Ints) -> Floats:
    """Sum neighbours along the last axis of two, from each start to the next."""
    return np.add.reduceat(values, starts, axis=1) if len(starts) else np.zeros((len(values), 0))


def _pairs(plans: Sequence[Plan], first_stream: Ints, streams_of_group: Ints, group_feature: list[int]) -> Ints:
    """Return the pairs of the commonest keys of each feature with keys, as places of streams: 2 × pairs."""
    streams = [stream for plan in plans for stream in plan.streams]
    found: list[tuple[int, int]] = []
    for first, count, feature in zip(first_stream, streams_of_group, group_feature, strict=True):
        if not _HAS_VALUES[feature]:
            places = range(int(first), int(first + count))
            keys = [place for place in places if streams[place].kind is StreamKind.KEY]
            found += combinations(keys[:PAIRED_KEYS], 2)
    return np.array(found, dtype=np.int64).reshape(-1, 2).T


def _sorted(places: dict[int, int]) -> tuple[Ints, Ints]:
    codes = np.fromiter(places, dtype=np.int64, count=len(places))
    order = np.argsort(codes)
    return codes[order], np.fromiter(places.values(), dtype=np.int64, count=len(places))[order]


def _found(codes: Ints, places: Ints, wanted: Ints) -> Ints:
    """Return the place of each wanted code, -1 where there is none."""
    if not len(codes):
        return np.full(len(wanted), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
    return np.where(codes[at] == wanted, places[at], -1)


def _added(places: Ints, weights: Floats, rows: int, columns: int) -> Floats:
    added: Floats = np.bincount(places, weights, minlength=rows * columns).astype(np.float64, copy=False)
    return added.reshape(rows, columns)
