"""How much more sums over hours and days vary than independent runs would.

Two things make them vary more: runs come in clusters (a conversation, a user, a burst), and the level wanders from day
to day. Clusters add a factor that does not depend on volume; wander adds a variance that grows with it. So the variance
of a sum with information I (sum of p·(1 - p) over runs, or the number of runs for a mean) is modelled as

    I · (a + w²·I)        a ≥ 1: clusters,  w: standard deviation of the level of a day

and a and w² are told apart by hours, which have little information each, and days, which have much.
One agent's days are too few to know its dispersion well: 28 of them give a relative error of a quarter. They are shrunk
to what the fleet says of agents with as much volume.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from agentvigil.analysis.detection.config import HOURS_PER_DAY, DetectionConfig
from agentvigil.analysis.detection.counting import Floats

_LAGS: Final = 3
"""Days over which the level is taken to remember itself."""
_FITTED: Final = 2
"""Means that were fitted to the days: of working days and of weekends."""
_MAX_MEMORY: Final = 3.0


@dataclass(frozen=True, slots=True)
class Spread:
    """Variances of the residuals of one subject's streams, relative to those of independent runs."""

    features: tuple[str, ...]
    days: int
    of_days: Floats
    of_hours: Floats
    information_of_days: Floats
    """Mean over days."""
    information_of_hours: Floats
    memory: Floats
    """By how much the memory of days multiplies the variance of long sums. Below 1 only by chance."""


@dataclass(frozen=True, slots=True)
class FeatureSpread:
    """What a fleet says of one feature. The defaults are mild, for a fleet of one agent."""

    clusters: float = 1.1
    wander: float = 0.03
    memory: float = 1.1

    def of(self, information: Floats) -> Floats:
        """Return the dispersion that is expected of sums with this much information."""
        return np.asarray(self.clusters + self.wander**2 * information)


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
    """What bets divide by and how wide the null of the fast ones is, by stream."""

    slow: Floats
    fast: Floats
    wander: Floats


def spread_of(features: Sequence[str], residual: Floats, information: Floats) -> Spread:
    """Measure residuals by hour: both arrays are hours × streams, and hours begin with a day."""
    missing = -len(residual) % HOURS_PER_DAY
    by_day = (-1, HOURS_PER_DAY, residual.shape[1])
    days = np.pad(residual, ((0, missing), (0, 0))).reshape(by_day).sum(axis=1)
    information_of_days = np.pad(information, ((0, missing), (0, 0))).reshape(by_day).sum(axis=1)
    count = len(days)
    total = np.maximum(information.sum(axis=0), 1e-9)
    of_days = (days**2).sum(axis=0) / total * count / max(count - _FITTED, 1)
    z = days / np.sqrt(np.maximum(information_of_days, 1e-9) * np.maximum(of_days, 1e-9))
    # Where hits are rarer than one a day, days tell nothing of each other.
    memory = np.ones(residual.shape[1])
    for lag in range(1, _LAGS + 1):
        if count > lag:
            # The mean of the days was fitted, which alone makes their correlation -1/count.
            correlation = (z[lag:] * z[:-lag]).sum(axis=0) / count + 1 / count
            memory += 2 * (1 - lag / (_LAGS + 1)) * correlation
    memory[total < count] = 1.0
    busy = np.maximum((information > 0).sum(axis=0), 1)
    return Spread(
        tuple(features),
        count,
        of_days,
        (residual**2).sum(axis=0) / total,
        total / count,
        total / busy,
        memory,
    )


def fleet_spread(spreads: Sequence[Spread]) -> FleetSpread:
    """Pool what subjects say, feature by feature: a line through dispersion by information, of hours and of days."""
    found: dict[str, FeatureSpread] = {}
    names = sorted({feature for spread in spreads for feature in spread.features})
    for name in names:
        information, dispersion, weight, memory = [], [], [], []
        for spread in spreads:
            mine = np.array([feature == name for feature in spread.features])
            if not mine.any():
                continue
            information += [spread.information_of_days[mine], spread.information_of_hours[mine]]
            dispersion += [spread.of_days[mine], spread.of_hours[mine]]
            # A variance of d days has d degrees of freedom; streams of one subject repeat each other.
            weight += [np.full(mine.sum(), spread.days / mine.sum())] * 2
            memory.append(spread.memory[mine].mean())
        clusters, wander = _line(np.concatenate(information), np.concatenate(dispersion), np.concatenate(weight))
        found[name] = FeatureSpread(clusters, wander, float(np.mean(memory)))
    return FleetSpread(found)


def _line(information: Floats, dispersion: Floats, weight: Floats) -> tuple[float, float]:
    """Fit ``clusters + wander²·information`` with clusters ≥ 1 and wander ≥ 0."""
    # With less than this in it, a sum tells of the rarity of its hits and not of its dispersion.
    told = information >= 1
    if not told.any():
        return _MILD.clusters, _MILD.wander
    information, dispersion, weight = information[told], dispersion[told], weight[told]
    # A subject that changed in its baseline is no measure of dispersion.
    dispersion = np.minimum(
        dispersion,
        np.quantile(dispersion / (1 + information / information.mean()), 0.98) * (1 + information / information.mean()),
    )
    clusters, slope = _MILD.clusters, _MILD.wander**2
    for _ in range(10):
        # The error of a variance is proportional to it.
        w = weight / (clusters + slope * information) ** 2
        x, y = information, dispersion
        mean_x, mean_y = np.average(x, weights=w), np.average(y, weights=w)
        spread = np.average((x - mean_x) ** 2, weights=w)
        slope = max(float(np.average((x - mean_x) * (y - mean_y), weights=w) / spread), 0.0) if spread > 0 else slope
        clusters = float(mean_y - slope * mean_x)
        if clusters < 1:
            clusters = 1.0
            slope = max(float(np.average(x * (y - 1), weights=w) / np.average(x * x, weights=w)), 0.0)
    return clusters, float(np.sqrt(slope))


def dispersion_of(spread: Spread, fleet: FleetSpread, config: DetectionConfig) -> Dispersion:
    """Shrink what a subject says of itself to what the fleet says, and allow for what neither tells."""
    pooled = fleet.of(spread.features)
    own = spread.days / (spread.days + config.prior_days)
    days = own * spread.of_days + (1 - own) * _each(pooled, spread.information_of_days)
    hours = own * spread.of_hours + (1 - own) * _each(pooled, spread.information_of_hours)
    # One level wanders, and all streams of a feature show it.
    mine = np.array(spread.features)
    memory = np.array([spread.memory[mine == feature].mean() for feature in spread.features])
    memory = own * memory + (1 - own) * np.array([feature.memory for feature in pooled])
    days, hours = np.maximum(days, 1), np.maximum(hours, 1)
    more = np.maximum(spread.information_of_days - spread.information_of_hours, 1e-9)
    wander = np.sqrt(np.maximum(days - hours, 0) / more)
    return Dispersion(
        np.maximum(days, hours) * np.clip(memory, 1, _MAX_MEMORY) * config.dispersion_factor,
        hours * config.dispersion_factor,
        wander,
    )


def _each(features: Sequence[FeatureSpread], information: Floats) -> Floats:
    clusters = np.array([feature.clusters for feature in features])
    wander = np.array([feature.wander for feature in features])
    return np.asarray(clusters + wander**2 * information)
