"""What is asked once a day of each agent: the seven failure modes, and whether its newest version is worse."""

from collections.abc import Mapping, Sequence
from typing import Final

from agentvigil.analysis.baselines.choosing import TRAILING_DAYS, Pin, VersionSeen, versions_of
from agentvigil.analysis.comparing.compare import compare
from agentvigil.analysis.comparing.observing import regressions_of
from agentvigil.analysis.failure_modes.looking import Period
from agentvigil.analysis.failure_modes.registry import find_all
from agentvigil.analysis.features.cells import Cells, Subject
from agentvigil.analysis.features.reading import RunCount
from agentvigil.analysis.findings.model import Observation
from agentvigil.analysis.watching.batches import in_batches
from agentvigil.analysis.watching.drift import HOURS_PER_DAY, Reading

LOOKED_AT_DAYS: Final = 2 * TRAILING_DAYS
_FEWEST_RUNS: Final = 200


def look_at_day(
    read: Reading, end_hour: int, counts: Mapping[Subject, RunCount], pins: Mapping[Subject, Sequence[Pin]]
) -> list[Observation]:
    """Return what the days before ``end_hour`` show of agents that ran in the last of them.

    ``counts`` are all of their runs.

    Raises:
        StorageError: if the store does not answer.
    """
    subjects = sorted(subject for subject, count in counts.items() if count.runs >= _FEWEST_RUNS)
    observations: list[Observation] = []
    for _, histories in in_batches(read, end_hour - LOOKED_AT_DAYS * HOURS_PER_DAY, end_hour, subjects):
        for subject, history in histories.items():
            if not len(history.between(end_hour - HOURS_PER_DAY, end_hour)):
                continue
            observations += _modes(read, subject, history, end_hour, pins.get(subject, ()))
            observations += _regressions(subject, history, end_hour)
    return observations


def _modes(read: Reading, subject: Subject, history: Cells, end_hour: int, pins: Sequence[Pin]) -> list[Observation]:
    pin = max(pins, key=lambda one: one.pinned_at, default=None)
    if pin is None or pin.hours.end > end_hour:
        return find_all(history, subject, end_hour)
    if pin.hours.first < end_hour - LOOKED_AT_DAYS * HOURS_PER_DAY:
        history = read(pin.hours.first, end_hour, [subject]).get(subject, history)
    return find_all(history, subject, end_hour, Period(pin.hours.first, pin.hours.end))


def _regressions(subject: Subject, history: Cells, end_hour: int) -> list[Observation]:
    """Compare the newest version with the one that ran most before it, as long as it is new."""
    versions = [one for one in versions_of(history) if one.version]
    if len(versions) < 2 or versions[-1].first_hour < end_hour - TRAILING_DAYS * HOURS_PER_DAY:
        return []
    newest = versions[-1]
    before = max(versions[:-1], key=lambda one: (one.last_hour >= newest.first_hour - HOURS_PER_DAY, one.first_hour))
    older, newer = _of_version(history, before), _of_version(history, newest)
    return regressions_of(
        compare(older, newer), subject, newest.version, older, newer, baseline=f"version {before.version}"
    )


def _of_version(history: Cells, seen: VersionSeen) -> Cells:
    return history.where(history.version == history.words.index(seen.version))
