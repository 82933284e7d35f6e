"""How far two sides lie apart when they are given the same work: differences within input classes.

Each class has its own difference; they are averaged with the weights of Mantel and Haenszel, n m / (n + m), which
neither side can shift by having more of one class. What is left of the whole difference is the mix's. With one class
all of it is within, and the interval is that of :mod:`.intervals`.
"""

from dataclasses import dataclass

import numpy as np

from agentvigil.analysis.comparing.design_effect import design_effect
from agentvigil.analysis.comparing.intervals import Interval, Mean, Share, difference_of_means, difference_of_shares
from agentvigil.analysis.comparing.strata import Floats, Sums


@dataclass(frozen=True, slots=True)
class Difference:
    """Of the means of values, or of rates. ``before``, ``after`` and ``whole`` are of all runs as they came;
    ``standard_before`` and ``standard_after`` of the same mix of classes on both sides."""

    before: float
    after: float
    standard_before: float
    standard_after: float
    interval: Interval | None
    """Of 95 %, where the difference within classes lies; None where there is too little for one."""
    deviation: float
    """Standard deviation of one value within its class."""
    runs_before: float
    """What the runs of classes that both sides have count for."""
    runs_after: float
    share_compared: float
    """Of the runs of both sides, those of classes that both have."""

    @property
    def whole(self) -> float:
        return self.after - self.before

    @property
    def within(self) -> float:
        """What runs of the same class differ by."""
        return self.standard_after - self.standard_before

    @property
    def mix(self) -> float:
        """What the sides differ by since they have different work."""
        return self.whole - self.within


def difference_of(before: Sums, after: Sums, correlation: float, *, is_rate: bool) -> Difference | None:
    """Return how ``after`` differs, None if no class has runs of both sides."""
    n, m = before.n.sum(axis=0), after.n.sum(axis=0)
    both = (n > 0) & (m > 0)
    if not both.any():
        return None
    old, new = _of_classes(before, both), _of_classes(after, both)
    weight = n[both] * m[both] / (n[both] + m[both])
    weight = weight / weight.sum()
    means = float(weight @ old.mean), float(weight @ new.mean)
    # Kish: what as many runs of one class would tell.
    counts = (
        1 / float((weight**2 / old.n).sum()) / design_effect(before.n[:, both], correlation),
        1 / float((weight**2 / new.n).sum()) / design_effect(after.n[:, both], correlation),
    )
    pooled = float((old.scatter + new.scatter).sum() / max(1.0, (old.n + new.n - 2).sum()))
    if is_rate:
        before_share, after_share = (Share(mean * count, count) for mean, count in zip(means, counts, strict=True))
        interval = difference_of_shares(before_share, after_share)
    else:
        spreads = (_variance(side, weight, pooled) for side in (old, new))
        before_mean, after_mean = map(Mean, counts, means, spreads)
        interval = difference_of_means(before_mean, after_mean)
    return Difference(
        before.mean,
        after.mean,
        *means,
        interval,
        pooled**0.5,
        *counts,
        float((n + m)[both].sum() / (n + m).sum()),
    )


@dataclass(frozen=True, slots=True)
class _Classes:
    n: Floats
    mean: Floats
    scatter: Floats
    """Squares of what the values lie from the mean of their class, added up."""


def _of_classes(side: Sums, which: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> _Classes:
    n, total, squares = (table.sum(axis=0)[which] for table in (side.n, side.total, side.squares))
    mean = total / n
    return _Classes(n, mean, np.maximum(squares - n * mean**2, 0.0))


def _variance(side: _Classes, weight: Floats, pooled: float) -> float:
    """Return the variance that one value has if the mean of so many as count has the variance of the weighted mean."""
    own = np.where(side.n >= 2, side.scatter / np.maximum(side.n - 1, 1), pooled)
    return float((weight**2 * own / side.n).sum() / (weight**2 / side.n).sum())
