"""An alarm: a feature of a subject left its baseline."""

from dataclasses import dataclass
from enum import StrEnum

from agentvigil.analysis.detection.streams import Stream
from agentvigil.analysis.features.cells import Subject


class Direction(StrEnum):
    """Which way a stream moved."""

    UP = "up"
    DOWN = "down"
    NEW = "new"
    """A key that the baseline never saw."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """The evidence of one feature has passed its threshold."""

    subject: Subject
    feature: str
    hour: int
    """The last hour that was added, since 1970; the data end with it."""
    watched_from: int
    """The first hour with runs whose evidence is in it."""
    statistic: float
    """R of the feature."""
    threshold: float
    """Hours between false alarms of the agent, times its number of features."""
    hours_between_false_alarms: float
    stream: Stream
    """The one that carries most of R."""
    direction: Direction
    part: float
    """Which part of R it carries, 0 to 1."""
