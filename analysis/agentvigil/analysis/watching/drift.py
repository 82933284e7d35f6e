"""The drift of one project's agents: what they are compared with, the evidence so far, and the next hour."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from agentvigil.analysis.baselines.choosing import Baseline as Choice
from agentvigil.analysis.baselines.choosing import Hours
from agentvigil.analysis.detection import Alarm, Baseline, DetectionConfig, FleetMonitor
from agentvigil.analysis.detection.explaining import SERIES_DAYS, Told, explain, explain_further, is_inside
from agentvigil.analysis.detection.observations import DETECTOR, moved_of, observation_of, told_of
from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.findings.finding import Finding
from agentvigil.analysis.findings.model import Observation

HOURS_PER_DAY: Final = 24
CLOSING_HOURS: Final = 48
"""So many hours tell whether something is back inside the margin."""

Reading = Callable[[int, int, Collection[Subject] | None], Mapping[Subject, Cells]]
"""Returns the cells of the hours from the first to before the second, of some subjects or of all."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What a subject is compared with."""

    choice: Choice
    baseline: Baseline
    """Learned from the runs of ``choice``."""
    review_hour: int
    """From then on something newer may be better."""
    renewed: Mapping[str, Hours] = field(default_factory=dict)
    """Features that somebody accepted as they are now, and the hours that their levels were learned from."""

    def compared(self, feature: str) -> tuple[Baseline, Choice]:
        """Return what a feature is compared with: the baseline, with the hours that the feature's levels are of."""
        hours = self.renewed.get(feature)
        if hours is None:
            return self.baseline, self.choice
        choice = Choice(self.choice.source, hours, "", (), "", self.choice.reason)
        return replace(self.baseline, first_hour=hours.first, end_hour=hours.end), choice


class DriftWatch:
    """Agents of ``project`` and the evidence against each, of all hours before ``next_hour``.

    Not for several threads at once. ``read`` may raise StorageError: then nothing was changed.
    """

    def __init__(
        self,
        project: str,
        next_hour: int,
        watched: Mapping[Subject, Watched],
        monitor: FleetMonitor,
        read: Reading,
    ) -> None:
        self.project, self.next_hour = project, next_hour
        self.watched: dict[Subject, Watched] = dict(watched)
        self.monitor = monitor
        self._read = read

    @classmethod
    def new(cls, project: str, first_hour: int, read: Reading, config: DetectionConfig) -> "DriftWatch":
        """Return the watch of a project of which nothing is known."""
        return cls(project, first_hour, {}, FleetMonitor((), config), read)

    def compare_with(self, watched: Mapping[Subject, Watched]) -> None:
        """From now on compare these subjects with something else; the evidence against the old goes."""
        if not watched:
            return
        self.watched |= watched
        self.monitor = self.monitor.with_baselines(one.baseline for one in self.watched.values())

    def join(self, other: "DriftWatch") -> None:
        """Take the subjects of ``other``, which stands at the same hour, as they are there."""
        self.watched |= other.watched
        self.monitor = self.monitor.joined(other.monitor)

    def advance(self, end_hour: int) -> list[Observation]:
        """Add the hours before ``end_hour``, and return what left its baseline."""
        if end_hour <= self.next_hour:
            return []
        alarms: list[Alarm] = []
        if self.watched:
            cells = self._read(self.next_hour, end_hour, self.watched)
            monitor = self.monitor.copy()
            for hour in range(self.next_hour, end_hour):
                alarms += monitor.advance(hour, cells)
            observations = [self._observation(alarm) for alarm in alarms]
            self.monitor = monitor
        else:
            observations = []
        self.next_hour = end_hour
        return observations

    def alarmed(self) -> set[tuple[Subject, str]]:
        """Return the features that left their baselines and do not alarm again until they are rearmed."""
        return self.monitor.alarmed()

    def hush(self, subject: Subject, feature: str) -> None:
        """Let a feature not alarm until it is rearmed, or is compared with something else."""
        self.monitor.hush(subject, feature)

    def rearm(self, subject: Subject, feature: str) -> None:
        """Let a feature alarm again, with no evidence yet."""
        self.monitor.rearm(subject, feature)

    def inside(self, findings: Collection[Finding]) -> Iterator[tuple[Finding, bool]]:
        """Say of each finding that something moved whether it is back where it was, in the last 48 hours."""
        for finding in findings:
            seen = finding.seen
            subject = Subject(seen.project, seen.environment, seen.agent)
            watched = self.watched.get(subject)
            if watched is None:
                continue
            first_hour = self.next_hour - CLOSING_HOURS
            cells = self._read(first_hour, self.next_hour, [subject]).get(subject)
            if cells is None:
                continue
            yield finding, is_inside(moved_of(seen.details), watched.baseline, cells, first_hour, self.next_hour)

    def further(
        self, findings: Iterable[Finding], until: Callable[[Finding], int]
    ) -> Iterator[tuple[Finding, Observation]]:
        """Yield the numbers of drifts that go on, or went on ``until`` an hour, as of the hours so far.

        What has no newer numbers is left out: an agent that has no runs or is compared with something else, which
        has learned from the drift or knows its stream no more.
        """
        by_subject: dict[Subject, list[tuple[Finding, Told]]] = {}
        for finding in findings:
            if finding.seen.detector == DETECTOR:
                told = told_of(finding.seen)
                by_subject.setdefault(told.alarm.subject, []).append((finding, told))
        for subject, drifts in by_subject.items():
            watched = self.watched.get(subject)
            if watched is None:
                continue
            compared = [watched.compared(told.alarm.feature) for _, told in drifts]
            shown_from = self.next_hour - SERIES_DAYS * HOURS_PER_DAY
            first_hours = [
                min(told.since.first_hour, max(baseline.end_hour, shown_from))
                for (_, told), (baseline, _) in zip(drifts, compared, strict=True)
            ]
            after = self._read(min(first_hours), self.next_hour, [subject]).get(subject)
            first = min(choice.hours.first for _, choice in compared)
            before = self._read(first, max(choice.hours.end for _, choice in compared), [subject]).get(subject)
            if after is None or before is None:
                continue
            for first_hour, (finding, told), (baseline, choice) in zip(first_hours, drifts, compared, strict=True):
                if not _has_learned_from(choice, told):
                    mine = after.between(first_hour, self.next_hour)
                    then = choice.of(before)
                    explanation = explain_further(told, baseline, then, mine, until(finding), self.next_hour)
                    if explanation is not None:
                        yield finding, observation_of(explanation, baseline)

    def _observation(self, alarm: Alarm) -> Observation:
        subject = alarm.subject
        baseline, choice = self.watched[subject].compared(alarm.feature)
        before = self._read(choice.hours.first, choice.hours.end, [subject])[subject]
        after = self._read(alarm.watched_from, alarm.hour + 1, [subject])[subject]
        return observation_of(explain(alarm, baseline, choice.of(before), after), baseline)


def _has_learned_from(choice: Choice, told: Told) -> bool:
    """Say whether hours of a drift are in what its agent is compared with."""
    first_hour = told.since.first_hour
    return first_hour < choice.hours.end and not any(
        hours.first <= first_hour and choice.hours.end <= hours.end for hours in choice.left_out
    )
