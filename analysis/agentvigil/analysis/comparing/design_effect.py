"""How much more days differ than chance makes them: runs of one day are alike, so that they count for fewer.

The intraclass correlation r of a day's values is estimated from how far the days of each side lie from that side's own
rates by class, by moments. Of few days that says little, so it is drawn to what similar streams of the comparison have
in common, and that to what agents usually have. Similar are rates, if days wander by as much in log-odds, and values,
if they wander by as many standard deviations. ``n`` runs of days with ``n_d`` each count as
n / (1 + r (sum n_d² / n - 1)) (Kish, Survey Sampling, 1965, 5.4).

What detectors and failure modes make of the same likeness is elsewhere: they have weeks of one agent, or a fleet
(:mod:`agentvigil.analysis.detection.clusters_and_wander`, :mod:`agentvigil.analysis.failure_modes.spread_of_days`).
Here a side may be a single day, and what is wanted is for how many runs its runs count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from agentvigil.analysis.comparing.strata import Floats, Sums
from agentvigil.analysis.comparing.streams import Measure, Stream

USUAL_VARIANCE: Final = 0.06**2
"""Of what days wander by, in log-odds of rates and in standard deviations of values."""

_OF_HIGH: Final = 0.34
"""If values wander by one standard deviation, the correlation of being above the 90th percentile of normal ones is so
much: (density / deviation there)², to the first order."""

_WEIGHT_DAYS: Final = 12.0
"""So many days of its own weigh as much as what is usual."""

_NEIGHBOURS: Final = 1.3
"""Days next to each other are alike too, which raises the variance of their mean by about so much."""


@dataclass(frozen=True, slots=True)
class _Estimate:
    """Of the variance that days wander by; ``scale`` times it is the correlation."""

    variance: float
    days: float
    """Of how many it is, beyond the first of each side."""
    scale: float


def correlations_of(streams: Sequence[Stream]) -> list[float]:
    """Return the intraclass correlation of the days of each stream, which is told by both its sides together."""
    found = [_estimate(stream) for stream in streams]
    usual = {
        is_share: _usual(
            [estimate for estimate, stream in zip(found, streams, strict=True) if _is_share(stream) is is_share]
        )
        for is_share in (True, False)
    }
    return [
        estimate.scale * max(0.0, _drawn(estimate.variance, estimate.days, usual[_is_share(stream)]))
        for estimate, stream in zip(found, streams, strict=True)
    ]


def design_effect(n: Floats, correlation: float) -> float:
    """Return how many runs count as one, for counts ``n`` by day (rows) and class (columns)."""
    of_day = n.sum(axis=1)
    total = float(of_day.sum())
    if not total:
        return 1.0
    return 1.0 + _NEIGHBOURS * correlation * max(0.0, float((of_day**2).sum()) / total - 1.0)


def _is_share(stream: Stream) -> bool:
    return stream.measure is Measure.SHARE


def _usual(estimates: Sequence[_Estimate]) -> float:
    """Return what ``estimates`` have in common."""
    known = [estimate for estimate in estimates if estimate.days]
    if not known:
        return USUAL_VARIANCE
    mean = float(np.mean([max(0.0, estimate.variance) for estimate in known]))
    return _drawn(mean, max(estimate.days for estimate in known), USUAL_VARIANCE)


def _drawn(own: float, days: float, usual: float) -> float:
    return (days * own + _WEIGHT_DAYS * usual) / (days + _WEIGHT_DAYS)


def _estimate(stream: Stream) -> _Estimate:
    sides = (stream.before, stream.after)
    scale = {Measure.TYPICAL: 1.0, Measure.HIGH: _OF_HIGH}.get(stream.measure, 0.0) or _spread_of_rate(sides)
    excess = possible = weight = 0.0
    for sums in sides:
        of_day = sums.n.sum(axis=1)
        days = int(np.count_nonzero(of_day))
        if days < 2:
            continue
        n, total, squares = sums.n.sum(axis=0), sums.total.sum(axis=0), sums.squares.sum(axis=0)
        mean = total / np.maximum(n, 1)
        variance = np.maximum(squares / np.maximum(n, 1) - mean**2, 0.0)
        off = (sums.total - sums.n * mean).sum(axis=1)
        chance = (sums.n * variance).sum(axis=1)
        # The rates were fitted to these days, which brings the days nearer to them by one in ``days``.
        excess += float((off**2).sum()) * days / (days - 1) - float(chance.sum())
        possible += float((chance * np.maximum(of_day - 1, 0)).sum())
        weight += days - 1
    if not possible:
        return _Estimate(0.0, 0.0, scale)
    return _Estimate(excess / possible / scale, weight, scale)


def _spread_of_rate(sides: Sequence[Sums]) -> float:
    n = sum(sums.count for sums in sides)
    rate = float(sum(sums.total.sum() for sums in sides)) / n
    return max(rate * (1 - rate), 1 / n)
