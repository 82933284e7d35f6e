"""Features that are the new normal: what they are compared with is learned from the runs since, and from nothing else.

Somebody says so of one finding, and it holds for the feature of its agent. Its levels are learned at once from the runs
since it began, if these are a day and 200 runs, else as soon as they are. A day tells less than a month, so the levels
are learned again whenever there are twice as many hours, up to 28 days. The others are compared with what they were.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from agentvigil.analysis.baselines.choosing import TRAILING_DAYS, Hours, Pin, Source
from agentvigil.analysis.detection import DetectionConfig, TooFewRuns
from agentvigil.analysis.detection.clusters_and_wander import FleetSpread
from agentvigil.analysis.detection.renewing import renewed
from agentvigil.analysis.features.cells import Subject
from agentvigil.analysis.watching.drift import HOURS_PER_DAY, Reading, Watched

_LONGEST: Final = TRAILING_DAYS * HOURS_PER_DAY
_MORE: Final = 2
"""So many times the hours, and levels are learned again."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is the new normal of an agent."""

    since: Mapping[str, int] = field(default_factory=dict)
    """By feature: from which hour on it surely was so."""
    moved_on: Mapping[str, int] = field(default_factory=dict)
    """By feature: the hour from which on it is something else again, as an open finding says."""

    def hours(self, feature: str, hour: int) -> Hours:
        """Return the hours before ``hour`` that are as they should be."""
        since = self.since[feature]
        return Hours(since, max(since, min(hour, since + _LONGEST, self.moved_on.get(feature, hour))))


NOTHING_ACCEPTED: Final = Accepted()


def pending(hour: int, watched: Watched, accepted: Accepted, pins: Mapping[str, Pin]) -> Iterator[str]:
    """Yield the features of an agent that are the new normal, while what they are compared with is not."""
    for feature, since in accepted.since.items():
        kept = watched.renewed.get(feature)
        if _matters(hour, feature, since, watched, pins) and (kept is None or kept.first != since):
            yield feature


def to_renew(hour: int, watched: Watched, accepted: Accepted, pins: Mapping[str, Pin]) -> Iterator[tuple[str, Hours]]:
    """Yield the features of an agent whose levels are to be learned at ``hour``, and from which hours."""
    for feature, since in accepted.since.items():
        if not _matters(hour, feature, since, watched, pins):
            continue
        kept, hours = watched.renewed.get(feature), accepted.hours(feature, hour)
        known = len(kept) if kept is not None and kept.first == since else 0
        if len(hours) >= max(HOURS_PER_DAY, _MORE * known) or len(hours) == _LONGEST > known:
            yield feature, hours


def are_stale(watched: Watched, accepted: Accepted) -> bool:
    """Say whether a feature has the levels of a new normal that is none any more."""
    return any(accepted.since.get(feature) != hours.first for feature, hours in watched.renewed.items())


def with_renewed(
    watched: Watched,
    subject: Subject,
    wanted: Mapping[str, Hours],
    read: Reading,
    fleet: FleetSpread | None,
    config: DetectionConfig,
) -> Watched:
    """Return what an agent is compared with, with the levels of ``wanted`` features learned from their hours.

    Those with too few runs are left as they are.

    Raises:
        StorageError: if the store does not answer.
    """
    for feature, hours in wanted.items():
        cells = read(hours.first, hours.end, [subject]).get(subject)
        if cells is None:
            continue
        new = renewed(watched.baseline, feature, cells, hours.first, hours.end, fleet=fleet, config=config)
        if not isinstance(new, TooFewRuns):
            watched = replace(watched, baseline=new, renewed={**watched.renewed, feature: hours})
    return watched


def _matters(hour: int, feature: str, since: int, watched: Watched, pins: Mapping[str, Pin]) -> bool:
    """Say whether a feature would be compared with what was before it became normal."""
    choice = watched.choice
    if feature not in watched.baseline.plan.features or since > hour:
        return False
    pin = pins.get(choice.name) if choice.source is Source.PINNED else None
    # Who pins something later knows what it is.
    return since > (choice.hours.first if pin is None else pin.pinned_at)
