"""Confidence sequences: intervals that hold at all numbers of runs at once, so that one may look whenever one likes.

They hold for runs since a fixed time. That the change time is chosen by the same runs makes them a little narrow.
"""

from collections.abc import Callable
from math import lgamma, log, log1p, pi, sqrt
from typing import Final

COVERAGE: Final = 0.95
TIGHTEST_RUNS: Final = 500
"""How many runs since the change the interval of a mean is tightest for."""
_HALVINGS: Final = 50


def share_interval(hits: float, runs: float) -> tuple[float, float]:
    """Return the shares that so many hits in so many runs do not speak against.

    Those p under which the likelihood is not smaller by 1/(1 - coverage) than its mixture over a beta(1/2, 1/2) prior,
    which is a martingale under p: Robbins' method of mixtures, as in Howard, Ramdas, McAuliffe, Sekhon, *Time-uniform,
    nonparametric, nonasymptotic confidence sequences*, https://arxiv.org/abs/1810.08240. For runs that are not
    independent, both numbers are divided by the dispersion first.
    """
    misses = max(runs - hits, 0.0)
    mixture = lgamma(hits + 0.5) + lgamma(misses + 0.5) - lgamma(hits + misses + 1) - log(pi)
    least = mixture + log(1 - COVERAGE)

    def is_likely(share: float) -> bool:
        return (hits * log(share) if hits else 0.0) + (misses * log1p(-share) if misses else 0.0) >= least

    middle = min(max(hits / (hits + misses), 1e-12), 1 - 1e-12) if hits + misses else 0.5
    return _edge(is_likely, 0.0, middle), _edge(is_likely, 1.0, middle)


def sum_reach(variance: float, tightest: float) -> float:
    """Return how far a sum with this variance may stray from its mean, at any time, with probability ``COVERAGE``.

    Robbins' mixture of normals (see :func:`share_interval`); ``tightest`` is the variance at which it is tightest.
    """
    both = variance + tightest
    return sqrt(both * log(both / (tightest * (1 - COVERAGE) ** 2)))


def _edge(is_likely: Callable[[float], bool], unlikely: float, likely: float) -> float:
    """Return where likely shares begin, between one that is not and one that is; ``unlikely`` itself if all are."""
    for _ in range(_HALVINGS):
        middle = (unlikely + likely) / 2
        if is_likely(min(max(middle, 1e-15), 1 - 1e-15)):
            likely = middle
        else:
            unlikely = middle
    return likely
