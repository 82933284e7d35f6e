"""Streams: the yes-or-no questions, and the one mean, that a feature is taken apart into."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from agentvigil.analysis.features.cells import Subject


class StreamKind(StrEnum):
    """What is asked of each run."""

    KEY = "key"
    """Whether it has the key."""
    OTHER = "other"
    """How many it has of the keys that are too rare for streams of their own; nearly always none or one."""
    NEW = "new"
    """Whether it has a key that the baseline never saw."""
    ABOVE = "above"
    """Whether its value lies in ``edge_bin`` or above."""
    MEAN = "mean"
    """Its logarithm, clipped, in standard deviations from the mean of its input class."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One question about the runs of a subject."""

    feature: str
    kind: StreamKind
    key: str = ""
    edge_bin: int = 0
    """Of features/names.py, for ``ABOVE``."""
    level: float = 0.0
    """Quantile of the baseline at that edge."""


@dataclass(frozen=True)
class Plan:
    """What is watched of one subject, before any number is known."""

    subject: Subject
    classes: tuple[str, ...]
    """Input classes with numbers of their own."""
    rare_classes: tuple[str, ...]
    """Those that the baseline saw too, which share numbers."""
    streams: tuple[Stream, ...]
    """Those of one feature stand together: keys, others, new; or thresholds upwards, mean."""
    rare_keys: Mapping[str, tuple[str, ...]]
    """By feature: keys that the baseline saw and that have no stream of their own."""
    clipped_bins: Mapping[str, tuple[int, int]]
    """By feature: the lowest and the highest bin that values are clipped to."""

    @property
    def places_of_classes(self) -> int:
        """How many kinds of inputs have numbers: the classes, all rare ones together if there are some, any other."""
        return len(self.classes) + bool(self.rare_classes) + 1

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The features that have streams, in their order."""
        return tuple(dict.fromkeys(stream.feature for stream in self.streams))
