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

What grows with volume is kept apart from what does not, since volumes change: an agent that is asked three times as
often wanders as far as before, and sums of three times as many runs show it three times as much.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final

import numpy as np

from agentvigil.analysis.detection.config import HOURS_PER_DAY, DetectionConfig
from agentvigil.analysis.detection.counting import Floats

LAGS: Final = 4
"""Days over which the level is taken to remember itself."""
_PRIOR_SUBJECTS: Final = 4
"""So many subjects must tell of the memory of levels to weigh as much as what is usual."""
_FITTED: Final = 2
"""Means that were fitted to the days: of working days and of weekends."""
_USUAL: Final = 0.98
"""Quantile beyond which dispersions are taken for changes in the baseline."""
_FITS: Final = 10


@dataclass(frozen=True, slots=True)
class Spread:
    """Variances of the residuals of one subject's streams, relative to those of independent runs."""

    features: tuple[str, ...]
    days: int
    of_days: Floats
    of_hours: Floats
    information_of_days: Floats
    """Of the day that the average run is in, as is the next of its hour."""
    information_of_hours: Floats
    level: Floats
    """Variance of the level of a day."""
    covariance: Floats
    """Of the levels of days that lie 1, 2, … days apart: lags × streams. What fitting the mean took is in neither."""


@dataclass(frozen=True, slots=True)
class FeatureSpread:
    """What a fleet says of one feature. The defaults are mild, for a fleet of one agent."""

    clusters: float = 1.1
    hourly: float = 0.03
    wander: float = 0.03
    memory: tuple[float, ...] = (0.4, 0.25, 0.15, 0.1)
    """How far the levels of days that lie 1, 2, … days apart correlate."""


_MILD: Final = FeatureSpread()


@dataclass(frozen=True, slots=True)
class FleetSpread:
    """What a fleet says of all features."""

    features: Mapping[str, FeatureSpread] = field(default_factory=dict)

    def of(self, features: Sequence[str]) -> list[FeatureSpread]:
        """Return what it says of these, one after another."""
        return [self.features.get(feature, _MILD) for feature in features]


@dataclass(frozen=True, slots=True)
class Dispersion:
    """The parts of the dispersion of sums over a day at the volume of the baseline, by stream."""

    constant: Floats
    """What does not depend on volume."""
    by_hour: Floats
    """What is proportional to the runs of the hour."""
    by_day: Floats
    """What is proportional to the runs of the day."""
    memory: Floats
    """By how much sums of two days, and of many, vary more by wander than those of a day: 2 × streams, 1 or more."""

    @property
    def of_many_days(self) -> Floats:
        """The variance of long sums, relative to that of independent runs."""
        return np.asarray(self.constant + self.by_hour + self.by_day * self.memory[1])


def spread_of(features: Sequence[str], residual: Floats, information: Floats) -> Spread:
    """Measure residuals by hour: both arrays are hours × streams, and hours begin with a day."""
    missing = -len(residual) % HOURS_PER_DAY
    by_day = (-1, HOURS_PER_DAY, residual.shape[1])
    days = np.pad(residual, ((0, missing), (0, 0))).reshape(by_day).sum(axis=1)
    information_of_days = np.pad(information, ((0, missing), (0, 0))).reshape(by_day).sum(axis=1)
    count = len(days)
    total = np.maximum(information.sum(axis=0), 1e-9)
    of_days = (days**2).sum(axis=0) / total * count / max(count - _FITTED, 1)
    of_hours = (residual**2).sum(axis=0) / total
    hour = (information**2).sum(axis=0) / total
    day = (information_of_days**2).sum(axis=0) / total
    level = np.maximum(of_days - of_hours, 0) / np.maximum(day - hour, 1e-9)
    covariance = np.zeros((LAGS, residual.shape[1]))
    for lag in range(1, min(LAGS, count - 1) + 1):
        both = (information_of_days[lag:] * information_of_days[:-lag]).sum(axis=0)
        covariance[lag - 1] = (days[lag:] * days[:-lag]).sum(axis=0) / np.maximum(both, 1e-9)
    return Spread(tuple(features), count, of_days, of_hours, day, hour, level, covariance)


def fleet_spread(spreads: Sequence[Spread]) -> FleetSpread:
    """Pool what subjects say, feature by feature: a plane through dispersion by information, of hours and of days."""
    found: dict[str, FeatureSpread] = {}
    names = sorted({feature for spread in spreads for feature in spread.features})
    for name in names:
        columns, dispersion, weight = [], [], []
        for spread in spreads:
            mine = np.array([feature == name for feature in spread.features])
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
        found[name] = FeatureSpread(clusters, hourly, wander, _memory(name, spreads))
    return FleetSpread(found)


def _memory(feature: str, spreads: Sequence[Spread]) -> tuple[float, ...]:
    """Return how far the levels of days correlate, of a feature of all subjects.

    One subject's days can not tell: the mean that was fitted to them takes away what they share, which with as few days
    is most of a long memory. What it took is the variance of the mean, which is that memory over the number of days; so
    it is put back, until both agree.
    """
    level, covariance, days, subjects = 0.0, np.zeros(LAGS), 0.0, 0
    for spread in spreads:
        mine = np.array([one == feature for one in spread.features]) & (spread.information_of_days >= 1)
        if mine.any():
            # Where levels show through the noise they weigh as much as they say.
            shown = spread.information_of_days[mine] ** 2 / np.maximum(spread.of_days[mine], 1) ** 2
            shown /= np.maximum(spread.level[mine], 1e-9).mean() * shown.sum() + 1e-12
            level += float(spread.level[mine] @ shown)
            covariance += spread.covariance[:, mine] @ shown
            days += spread.days
            subjects += 1
    usual = np.array(_MILD.memory)
    if not subjects or level <= 0:
        return _MILD.memory
    seen, taken, correlation = covariance / level, subjects / days, usual
    for _ in range(_FITS):
        of_mean = taken * (1 + 2 * float(correlation.sum()))
        correlation = np.clip((seen * (1 - of_mean) + of_mean), 0, 0.9)
    own = subjects / (subjects + _PRIOR_SUBJECTS)
    return tuple(float(one) for one in own * correlation + (1 - own) * usual)


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
    pooled = fleet.of(spread.features)
    clusters = np.array([feature.clusters for feature in pooled])
    hourly = np.array([feature.hourly**2 for feature in pooled]) * spread.information_of_hours
    wander = np.array([feature.wander**2 for feature in pooled])
    mine = np.array(spread.features)
    own = spread.days / (spread.days + config.prior_days)
    days = _shrunk(spread.of_days, clusters + hourly + wander * spread.information_of_days, mine, own)
    hours = _shrunk(spread.of_hours, clusters + hourly + wander * spread.information_of_hours, mine, own)
    days, hours = np.maximum(days, 1), np.maximum(hours, 1)
    more = np.maximum(spread.information_of_days - spread.information_of_hours, 1e-9)
    of_level = np.maximum(days - hours, 0) / more
    constant = np.minimum(clusters, hours)
    by_hour = np.maximum(hours - constant - of_level * spread.information_of_hours, 0)
    factor = config.dispersion_factor
    correlation = np.array([feature.memory for feature in pooled]).T
    memory = 1 + np.stack([correlation[0], 2 * correlation.sum(axis=0)])
    return Dispersion(constant * factor, by_hour * factor, of_level * spread.information_of_days * factor, memory)


def _shrunk(own: Floats, pooled: Floats, features: "np.typing.NDArray[np.str_]", weight: float) -> Floats:
    """Return dispersions: the subject's own, as a factor of the fleet's, half of the stream and half of its feature."""
    factor = own / pooled
    of_feature = np.array([factor[features == feature].mean() for feature in features])
    return np.asarray(pooled * (1 + weight * ((factor + of_feature) / 2 - 1)))
