"""How much more sums over hours and days vary than independent runs would.

Three things make them vary more: runs come in clusters (a conversation, a user, a batch), and the level wanders, from
hour to hour and from day to day. Clusters add a factor that does not depend on volume; wander adds a variance that
grows with it. So the variance of a sum with information I (sum of p·(1 - p) over runs, or the number of runs for a
mean) is, relative to that of independent runs,

    of an hour:  a + (h² + w²)·I(hour)
    of a day:    a + h²·I(hour) + w²·I(day)

where a ≥ 1 is that of clusters, and h and w are the standard deviations of the level of an hour and of a day. A fleet
tells them apart, since its agents differ in volume. One agent's days are too few to know its dispersion well: 28 of
them give a relative error of a quarter. They are shrunk to what the feature's other streams and the fleet say.

What was fitted to hours and days takes a part of it away. Of hours it is the season, which in two weeks has seen some
hours of the week four times, and in a burst of runs is what that burst was: a third of what hours of large agents vary
by was missing. How much of each hour its season took is known, and is made up for. How long levels stay where they
wandered to can not be told at all, for the same reason: it is assumed (``config.py``).

What grows with volume is kept apart from what does not, since volumes change: an agent that is asked three times as
often wanders as far as before, and sums of three times as many runs show it three times as much.

**Not that of failure modes** (:mod:`agentvigil.analysis.failure_modes.spread_of_days`), which test one number of one
agent by whole days: they take the spread of days as one factor, and go by its uncertainty with Student's critical
values. A bet has no critical value. It divides by a dispersion, which has to hold for hours and for windows of any
length, and for other volumes than those that it was learned from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product
from typing import Final, NamedTuple

import numpy as np

from agentvigil.analysis.detection.config import HOURS_PER_DAY, MEMORY, DetectionConfig
from agentvigil.analysis.detection.counting import Floats
from agentvigil.analysis.detection.streams import Stream, StreamKind

_FITTED: Final = 2
"""Means that were fitted to the days: of working days and of weekends."""
_TAIL: Final = 0.925
"""Quantile from which on a threshold is one of the tail."""
_DIFFER: Final = 0.3
"""How far agents of a fleet differ in the variance of their levels, as a part of it: 0 to 0.4 in four fleets, of which
the twentieth was left out that moved most. More of it takes the error of fourteen days for the agent's own."""
_LEAST_LEFT: Final = 0.25
_USUAL: Final = 0.98
"""Quantile beyond which dispersions are taken for changes in the baseline."""
_FITS: Final = 10


class Part(StrEnum):
    """Which streams of a feature wander alike, in their own measure."""

    SHARES = "shares"
    TAIL = "tail"
    """Thresholds that few runs pass: where a mean moves, their log odds move twice as far as those of the median."""
    MEAN = "mean"


class Family(NamedTuple):
    """Streams that are alike in how they vary."""

    feature: str
    part: Part


@dataclass(frozen=True, slots=True)
class Spread:
    """Variances of the residuals of one subject's streams, relative to those of independent runs."""

    families: tuple[Family, ...]
    days: int
    of_days: Floats
    of_hours: Floats
    information_of_days: Floats
    """Of the day that the average run is in, as is the next of its hour."""
    information_of_hours: Floats


@dataclass(frozen=True, slots=True)
class FamilySpread:
    """What a fleet says of one family. The defaults are mild, for a fleet of one agent."""

    clusters: float = 1.1
    hourly: float = 0.03
    wander: float = 0.03


_MILD: Final = FamilySpread()


@dataclass(frozen=True, slots=True)
class FleetSpread:
    """What a fleet says of all families."""

    families: Mapping[Family, FamilySpread] = field(default_factory=dict)

    def of(self, families: Sequence[Family]) -> list[FamilySpread]:
        """Return what it says of these, one after another."""
        return [self.families.get(family, _MILD) for family in families]


@dataclass(frozen=True, slots=True)
class Dispersion:
    """The parts of the dispersion of sums over a day at the volume of the baseline, by stream."""

    constant: Floats
    """What does not depend on volume."""
    by_hour: Floats
    """What is proportional to the runs of the hour."""
    by_day: Floats
    """What is proportional to the runs of the day."""


def families_of(streams: Sequence[Stream]) -> list[Family]:
    """Return the families of streams, one after another."""
    return [Family(stream.feature, _part(stream)) for stream in streams]


def _part(stream: Stream) -> Part:
    if stream.kind is StreamKind.MEAN:
        return Part.MEAN
    return Part.TAIL if stream.kind is StreamKind.ABOVE and stream.level >= _TAIL else Part.SHARES


def sums_of_days(hours: Floats) -> Floats:
    """Return the sums of days (days × streams) of hours × streams; the last day may be cut."""
    missing = -len(hours) % HOURS_PER_DAY
    return np.asarray(np.pad(hours, ((0, missing), (0, 0))).reshape(-1, HOURS_PER_DAY, hours.shape[1]).sum(axis=1))


def spread_of(families: Sequence[Family], residual: Floats, information: Floats, free: Floats) -> Spread:
    """Measure residuals by hour: all arrays are hours × streams, and hours begin with a day.

    ``free`` is which part of what an hour was off by the season did not take away, since that was fitted to it.
    """
    days, information_of_days = sums_of_days(residual), sums_of_days(information)
    count = len(days)
    total = np.maximum(information.sum(axis=0), 1e-9)
    of_days = (days**2).sum(axis=0) / total * count / max(count - _FITTED, 1)
    left = np.maximum((information * free).sum(axis=0), 1e-9)
    return Spread(
        tuple(families),
        count,
        of_days,
        (residual**2).sum(axis=0) / left,
        (information_of_days**2).sum(axis=0) / total,
        (information**2).sum(axis=0) / total,
    )


def fleet_spread(spreads: Sequence[Spread]) -> FleetSpread:
    """Pool what subjects say, family by family: a plane through dispersion by information, of hours and of days."""
    found: dict[Family, FamilySpread] = {}
    for family in sorted({family for spread in spreads for family in spread.families}):
        columns, dispersion, weight = [], [], []
        for spread in spreads:
            mine = np.array([one == family for one in spread.families])
            if not mine.any():
                continue
            days, hours = spread.information_of_days[mine], spread.information_of_hours[mine]
            columns += [np.stack([np.ones_like(hours), hours, hours]), np.stack([np.ones_like(hours), hours, days])]
            dispersion += [spread.of_hours[mine], spread.of_days[mine]]
            # A variance of d days has d degrees of freedom; streams of one subject repeat each other.
            weight += [np.full(mine.sum(), spread.days / mine.sum())] * 2
        clusters, hourly, wander = _plane(
            np.concatenate(columns, axis=1).T, np.concatenate(dispersion), np.concatenate(weight)
        )
        found[family] = FamilySpread(clusters, hourly, wander)
    return FleetSpread(found)


def _plane(columns: Floats, dispersion: Floats, weight: Floats) -> tuple[float, float, float]:
    """Fit ``clusters + hourly²·x + wander²·y`` with clusters ≥ 1, and the others ≥ 0; rows are 1, x, y."""
    # With less than this in it, a sum tells of the rarity of its hits and not of its dispersion.
    told = columns[:, 2] >= 1
    if not told.any():
        return _MILD.clusters, _MILD.hourly, _MILD.wander
    columns, dispersion, weight = columns[told], dispersion[told], weight[told]
    # A subject that changed in its baseline is no measure of dispersion.
    usual = 1 + columns[:, 2] / columns[:, 2].mean()
    dispersion = np.minimum(dispersion, np.quantile(dispersion / usual, _USUAL) * usual)
    found = np.array([_MILD.clusters - 1, _MILD.hourly**2, _MILD.wander**2])
    for _ in range(_FITS):
        # The error of a variance is proportional to it.
        w = np.sqrt(weight) / (1 + columns @ found)
        found = _not_negative(columns * w[:, None], (dispersion - 1) * w)
    return 1 + float(found[0]), float(np.sqrt(found[1])), float(np.sqrt(found[2]))


def _not_negative(columns: Floats, wanted: Floats) -> Floats:
    """Return the least squares solution without negative numbers: the best of those with some of the columns."""
    count = columns.shape[1]
    best, least = np.zeros(count), float(wanted @ wanted)
    for chosen in product((False, True), repeat=count):
        some = np.flatnonzero(chosen)
        if len(some):
            solution = np.linalg.lstsq(columns[:, some], wanted, rcond=None)[0]
            left = wanted - columns[:, some] @ solution
            if (solution >= 0).all() and left @ left < least:
                best, least = np.zeros(count), float(left @ left)
                best[some] = solution
    return best


def dispersion_of(spread: Spread, fleet: FleetSpread, config: DetectionConfig) -> Dispersion:
    """Shrink what a subject says of itself to what the fleet says, and allow for what neither tells."""
    pooled = fleet.of(spread.families)
    clusters = np.array([family.clusters for family in pooled])
    hourly = np.array([family.hourly**2 for family in pooled]) * spread.information_of_hours
    wander = np.array([family.wander**2 for family in pooled])
    own = np.full(len(pooled), spread.days / (spread.days + config.prior_days))
    hours = _shrunk(spread.of_hours, clusters + hourly + wander * spread.information_of_hours, spread.families, own)
    # The level is the difference of two variances, each with its error: where wander is a small part of what a day
    # varies by, the days of one agent tell nothing of it.
    more = np.maximum(spread.information_of_days - spread.information_of_hours, 1e-9)
    part = wander * spread.information_of_days / (clusters + hourly + wander * spread.information_of_days)
    error = 2 / max(spread.days - _FITTED, 1)
    told = (_DIFFER * part) ** 2 / ((_DIFFER * part) ** 2 + error)
    of_level = np.maximum(_shrunk((spread.of_days - spread.of_hours) / more, wander, spread.families, told), 0)
    by_hour = np.maximum(hours - clusters - of_level * spread.information_of_hours, 0)
    # Of wander with a memory, fitting the means took away more than of what each day did for itself.
    taken = _FITTED / spread.days
    of_level = of_level * (1 - taken) / max(1 - MEMORY * taken, _LEAST_LEFT)
    factor = config.dispersion_factor
    return Dispersion(clusters * factor, by_hour * factor, of_level * spread.information_of_days * factor)


def _shrunk(own: Floats, pooled: Floats, families: Sequence[Family], weight: Floats) -> Floats:
    """Return variances: the subject's own, as a factor of the fleet's, half of the stream and half of its family.

    ``weight`` is what the own ones are worth beside the fleet's, and beside each other.
    """
    factor = own / np.maximum(pooled, 1e-12)
    numbers = {family: number for number, family in enumerate(dict.fromkeys(families))}
    number = np.array([numbers[family] for family in families])
    alike = number[:, None] == number
    of_family = alike @ (weight * factor) / np.maximum(alike @ weight, 1e-12)
    return np.asarray(pooled * (1 + weight * ((factor + of_family) / 2 - 1)))


def pair_dispersion(one: Floats, other: Floats) -> Floats:
    """Return how much more the difference of two residuals varies than if they were independent: 1 or more, by column.

    Both are hours × pairs. Keys of which a run has one or the other take runs from each other.
    """
    apart = (one**2 + other**2).sum(axis=0)
    return np.asarray(np.maximum(((one - other) ** 2).sum(axis=0) / np.maximum(apart, 1e-9), 1))
