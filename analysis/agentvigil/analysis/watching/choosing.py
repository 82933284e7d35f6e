"""Chooses what agents are compared with, and learns it."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Final

from agentvigil.analysis.baselines.choosing import (
    TRAILING_DAYS,
    Hours,
    Incident,
    Pin,
    Source,
    baseline_at,
    versions_of,
)
from agentvigil.analysis.baselines.choosing import (
    Baseline as Choice,
)
from agentvigil.analysis.detection import DetectionConfig, TooFewRuns, fit, sample_of, spread_of_subjects
from agentvigil.analysis.detection.clusters_and_wander import FleetSpread
from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.features.reading import RunCount
from agentvigil.analysis.watching.batches import in_batches
from agentvigil.analysis.watching.drift import HOURS_PER_DAY, Reading, Watched
from agentvigil.analysis.watching.renewing import NOTHING_ACCEPTED, Accepted, are_stale, to_renew, with_renewed

_READ_DAYS: Final = 2 * TRAILING_DAYS
"""Versions, and the runs of the one before, are looked for so far back."""
_FLEET_SUBJECTS: Final = 5
"""From so many on, a fleet tells how much agents vary."""
_STILL_RUNS_HOURS: Final = 24
_LEARNERS: Final = 2
"""Threads that learn baselines: NumPy works beside Python, so two wait for each other a tenth of the time."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What people and findings say of the agents of a project, as far as it bears on what they are compared with."""

    pins: Mapping[Subject, Sequence[Pin]] = field(default_factory=dict)
    incidents: Mapping[Subject, Sequence[Incident]] = field(default_factory=dict)
    accepted: Mapping[Subject, Accepted] = field(default_factory=dict)

    def to_renew(self, hour: int, subject: Subject, watched: Watched) -> dict[str, Hours]:
        """Return the features of an agent whose levels are to be learned, and from which hours."""
        accepted = self.accepted.get(subject, NOTHING_ACCEPTED)
        return dict(to_renew(hour, watched, accepted, self.pins_by_name(subject)))

    def pins_by_name(self, subject: Subject) -> dict[str, Pin]:
        """Return what is pinned of an agent."""
        return {pin.name: pin for pin in self.pins.get(subject, ())}


class Chooser:
    """Looks at the agents of a project once a day, and at once where somebody pinned something."""

    def __init__(self, read: Reading, config: DetectionConfig) -> None:
        self._read, self._config = read, config
        self._fleet: FleetSpread | None = None

    def review(
        self,
        hour: int,
        counts: Mapping[Subject, RunCount],
        watched: Mapping[Subject, Watched],
        said: Circumstances,
    ) -> dict[Subject, Watched]:
        """Return what agents are to be compared with from ``hour`` on, of those where that changes.

        ``counts`` are all of their runs, and ``watched`` is what they are compared with now.

        Raises:
            StorageError: if the store does not answer.
        """
        due = [
            subject
            for subject in sorted(counts)
            if self._is_due(hour, counts[subject], watched.get(subject), subject, said)
        ]
        found: dict[Subject, Watched] = {}
        if len(due) >= _FLEET_SUBJECTS:
            self._learn_of_fleet(due, hour, counts)
        with ThreadPoolExecutor(_LEARNERS, "learning-baselines") as learners:
            for subjects, cells in in_batches(self._read, hour - _READ_DAYS * HOURS_PER_DAY, hour, due, counts):
                chosen = learners.map(
                    self._choose,
                    repeat(hour),
                    subjects,
                    [counts[subject] for subject in subjects],
                    [cells.get(subject) for subject in subjects],
                    [watched.get(subject) for subject in subjects],
                    repeat(said),
                )
                found |= {subject: new for subject, new in zip(subjects, chosen, strict=True) if new is not None}
        for subject in sorted(said.accepted):
            now = found.get(subject) or watched.get(subject)
            if now is not None and (wanted := said.to_renew(hour, subject, now)):
                renewed = with_renewed(now, subject, wanted, self._read, self._fleet, self._config)
                if renewed is not now:
                    found[subject] = renewed
        return found

    def _is_due(
        self, hour: int, count: RunCount, watched: Watched | None, subject: Subject, said: Circumstances
    ) -> bool:
        if watched is None:
            is_old_enough = hour - count.first_hour >= self._config.min_days * HOURS_PER_DAY
            return (is_old_enough or bool(said.pins.get(subject))) and count.runs >= self._config.min_runs
        if hour >= watched.review_hour:
            return True
        pin = max((pin for pin in said.pins.get(subject, ())), key=lambda one: one.pinned_at, default=None)
        is_pinned = watched.choice.source is Source.PINNED
        is_other_pin = (pin is None) == is_pinned or (
            pin is not None and (pin.hours, pin.version) != (watched.choice.hours, watched.choice.version)
        )
        return is_other_pin or are_stale(watched, said.accepted.get(subject, NOTHING_ACCEPTED))

    def _choose(
        self,
        hour: int,
        subject: Subject,
        count: RunCount,
        cells: Cells | None,
        watched: Watched | None,
        said: Circumstances,
    ) -> Watched | None:
        if cells is None:
            return None
        versions = versions_of(cells)
        still_running = [one for one in versions if one.last_hour >= hour - _STILL_RUNS_HOURS]
        choice = baseline_at(
            hour,
            first_hour=count.first_hour,
            pins=said.pins.get(subject, ()),
            # Where several versions run side by side, all runs are watched together, and compared with all.
            versions=versions if len(still_running) == 1 else (),
            incidents=said.incidents.get(subject, ()),
        )
        review_hour = _review_hour(hour, choice)
        is_stale = watched is not None and are_stale(watched, said.accepted.get(subject, NOTHING_ACCEPTED))
        is_same = watched is not None and not is_stale and _is_same(choice, watched.choice)
        if watched is not None and (not choice.is_usable or is_same):
            return replace(watched, review_hour=review_hour)
        if not choice.is_usable:
            return None
        if choice.source is Source.PINNED:
            cells = self._read(choice.hours.first, choice.hours.end, [subject]).get(subject, cells)
        baseline = fit(
            subject, choice.of(cells), choice.hours.first, choice.hours.end, fleet=self._fleet, config=self._config
        )
        if isinstance(baseline, TooFewRuns):
            return None if watched is None else replace(watched, review_hour=hour + HOURS_PER_DAY)
        return Watched(choice, baseline, review_hour)

    def _learn_of_fleet(self, due: Sequence[Subject], hour: int, counts: Mapping[Subject, RunCount]) -> None:
        """Learn how much agents vary from some all over the fleet, before any is compared with anything."""
        first_hour = hour - TRAILING_DAYS * HOURS_PER_DAY
        ran: list[Subject] = []

        def cells() -> Iterator[tuple[Subject, Cells]]:
            for subjects, found in in_batches(self._read, first_hour, hour, sample_of(due), counts):
                for subject in subjects:
                    if subject in found:
                        ran.append(subject)
                        yield subject, found[subject]

        spread = spread_of_subjects(cells(), first_hour, hour, config=self._config)
        # Of those that run no more nothing is learned, and nothing is forgotten.
        if len(ran) >= _FLEET_SUBJECTS:
            self._fleet = spread


def _review_hour(hour: int, choice: Choice) -> int:
    """Return when something better may be there: a young agent has grown older, what trails has had its time."""
    if not choice.is_usable:
        return hour + HOURS_PER_DAY
    if choice.source is Source.PREVIOUS_VERSION:
        return hour + 7 * HOURS_PER_DAY
    return hour + min(len(choice.hours), TRAILING_DAYS * HOURS_PER_DAY)


def _is_same(one: Choice, other: Choice) -> bool:
    return (one.hours, one.version, one.left_out) == (other.hours, other.version, other.left_out)
