"""Which runs are normal for an agent at an hour, and why.

1. What a user **pinned** last goes before all else: slow creep is seen against nothing else, since what trails follows
   it.
2. Else runs of the **agent's version** that runs now, once there are 14 days of it. Until then it is compared with the
   version before: a new version forks the baseline.
3. Else the **28 days** before, whatever the version.

Of 2 and 3, hours of open incidents are left out, and 14 days must be left. What somebody called the new normal is of
one feature, whose levels the detector learns by themselves: it changes nothing here. Nothing is read here; hours are
counted from 1970 in UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from agentvigil.analysis.features.cells import Cells

HOURS_PER_DAY: Final = 24
TRAILING_DAYS: Final = 28
FEWEST_DAYS: Final = 14
_STILL_RUNS_HOURS: Final = 24
"""A version without a run for so long has been replaced."""


class Source(StrEnum):
    """Where a baseline comes from."""

    PINNED = "pinned"
    VERSION = "version"
    """Runs of the version that runs now."""
    PREVIOUS_VERSION = "previous_version"
    """Runs of the version before: the new one has too few days."""
    TRAILING = "trailing"
    NONE = "none"
    """There is none yet."""


@dataclass(frozen=True, slots=True)
class Hours:
    """From ``first`` to before ``end``."""

    first: int
    end: int

    def __len__(self) -> int:
        return max(0, self.end - self.first)


@dataclass(frozen=True, slots=True)
class Pin:
    """What a user pinned at hour ``pinned_at``: the runs of ``hours``, of ``version`` alone unless that is empty."""

    name: str
    hours: Hours
    version: str
    pinned_at: int


@dataclass(frozen=True, slots=True)
class VersionSeen:
    """When a version ran first, and when last."""

    version: str
    first_hour: int
    last_hour: int


@dataclass(frozen=True, slots=True)
class Incident:
    """Hours in which an open finding says that the agent is not as it should be; ``end`` is None while it lasts."""

    first: int
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """The runs of ``hours`` without those ``left_out``, of ``version`` alone unless that is empty."""

    source: Source
    hours: Hours
    version: str
    left_out: Sequence[Hours]
    name: str
    """Of the pin; empty otherwise."""
    reason: str
    """In words, why it is this one."""

    @property
    def is_usable(self) -> bool:
        return self.source is not Source.NONE

    def of(self, cells: Cells) -> Cells:
        """Return those of ``cells`` that belong to it, none if it is not usable."""
        if not self.is_usable:
            return cells.where(slice(0, 0))
        found = cells.between(self.hours.first, self.hours.end)
        stay = np.ones(len(found), bool)
        if self.version:
            code = found.words.index(self.version) if self.version in found.words else -1
            stay &= found.version == code
        for hours in self.left_out:
            stay &= (found.hour < hours.first) | (found.hour >= hours.end)
        return found if stay.all() else found.where(stay)


def baseline_at(
    hour: int,
    *,
    first_hour: int,
    pins: Iterable[Pin] = (),
    versions: Iterable[VersionSeen] = (),
    incidents: Iterable[Incident] = (),
) -> Baseline:
    """Return what holds for a subject at ``hour``, of which the first run was in ``first_hour``.

    ``incidents`` are what is open. Nothing after ``hour`` counts.
    """
    pinned = [pin for pin in pins if pin.pinned_at <= hour and len(pin.hours)]
    if pinned:
        pin = max(pinned, key=lambda one: (one.pinned_at, one.name))
        of_version = f", of version {pin.version}" if pin.version else ""
        return Baseline(Source.PINNED, pin.hours, pin.version, (), pin.name, f"pinned as {pin.name}{of_version}")
    seen = sorted((one for one in versions if one.first_hour < hour), key=lambda one: (one.first_hour, one.version))
    choose = _Choosing(hour, first_hour, tuple(incidents))
    now = [one for one in seen if one.last_hour >= hour - _STILL_RUNS_HOURS] or seen[-1:]
    if not now or not now[-1].version:
        return choose.trailing("no version is known")
    current = now[-1]
    own = choose.window(max(choose.from_hour, current.first_hour), hour)
    if choose.is_enough(own):
        return choose.made(Source.VERSION, own, current.version, f"the last days of version {current.version}")
    young = f"version {current.version} has {_days(choose.usable(own))} of {FEWEST_DAYS} days"
    before = [one for one in seen if one.first_hour < current.first_hour and one.version]
    if before:
        previous = max(
            before, key=lambda one: (one.last_hour >= current.first_hour - _STILL_RUNS_HOURS, one.first_hour)
        )
        other = choose.window(
            max(choose.from_hour, previous.first_hour), min(current.first_hour, previous.last_hour + 1)
        )
        if choose.is_enough(other):
            reason = f"{young}: it is compared with version {previous.version}, which ran before"
            return choose.made(Source.PREVIOUS_VERSION, other, previous.version, reason)
    return choose.trailing(young)


def versions_of(cells: Cells) -> list[VersionSeen]:
    """Return when each version of ``cells`` ran, in the order in which they came; those without a name are one."""
    found = []
    for code in np.unique(cells.version):
        hours = cells.hour[cells.version == code]
        found.append(VersionSeen(cells.words[int(code)], int(hours[0]), int(hours[-1])))
    return sorted(found, key=lambda one: (one.first_hour, one.version))


@dataclass(frozen=True, slots=True)
class _Choosing:
    hour: int
    from_hour: int
    """Nothing before counts."""
    incidents: tuple[Incident, ...]

    def window(self, first: int, end: int) -> Hours:
        """Return the last 28 days before ``end``, from ``first`` on."""
        return Hours(max(first, end - TRAILING_DAYS * HOURS_PER_DAY), end)

    def left_out(self, hours: Hours) -> list[Hours]:
        """Return the hours of incidents in ``hours``, in order, none twice."""
        cut: list[Hours] = []
        for incident in sorted(self.incidents, key=lambda one: one.first):
            end = hours.end if incident.end is None else min(incident.end, hours.end)
            first = max(incident.first, cut[-1].end if cut else hours.first)
            if first < end:
                cut.append(Hours(first, end))
        return cut

    def usable(self, hours: Hours) -> int:
        return len(hours) - sum(map(len, self.left_out(hours)))

    def is_enough(self, hours: Hours) -> bool:
        return self.usable(hours) >= FEWEST_DAYS * HOURS_PER_DAY

    def trailing(self, why: str) -> Baseline:
        hours = self.window(self.from_hour, self.hour)
        if self.is_enough(hours):
            return self.made(Source.TRAILING, hours, "", f"{why}: the {_days(len(hours))} days before")
        days = f"{_days(self.usable(hours))} of {FEWEST_DAYS} days"
        reason = f"{why}; there are {days} of the agent without incidents"
        return Baseline(Source.NONE, hours, "", (), "", reason)

    def made(self, source: Source, hours: Hours, version: str, reason: str) -> Baseline:
        left_out = self.left_out(hours)
        if left_out:
            reason += f", without {sum(map(len, left_out))} hours of open incidents"
        return Baseline(source, hours, version, left_out, "", reason)


def _days(hours: int) -> int:
    return max(0, hours) // HOURS_PER_DAY
