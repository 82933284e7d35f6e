"""Evidence that one of two samples has more of something, without knowing how common it is.

Of ``n`` runs before and ``m`` after, ``y`` have it, ``k`` of them after. Given ``n``, ``m`` and ``y``, and if both are
alike, ``k`` is hypergeometric, whatever the rate (Fisher, The Design of Experiments, 1935). A bet that the odds after
are exp(t) times those before pays exp(t k) / E exp(t K): its mean is 1 if they are alike, so it is an e-value
(Grünwald, de Heide, Koolen, Safe testing, J. R. Stat. Soc. B 86, 2024). Here are the logarithms of these means.

The sum over all ``k`` is exact. Where it has too many terms, Laplace's approximation stands for it, around the ``k``
that is most likely under the bet, a root of a quadratic equation (Cornfield 1956); its error is of order 1 / variance.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_MOST_TERMS: Final = 512
_SERIES_FROM: Final = 10
_REACH: Final = 10.0
"""Standard deviations around the most likely value that are summed; what lies outside is below 1e-20."""


def log_mean_exp(tilts: ArrayLike, n: ArrayLike, m: ArrayLike, y: ArrayLike) -> Floats:
    """Return log E exp(t K) for each of ``tilts`` (rows) and each stratum (columns).

    ``n`` and ``m`` are how many there are before and after, ``y`` how many of both have it; whole numbers, 0 or more.
    """
    t = np.asarray(tilts, np.float64)[:, None]
    before, after, have = (np.atleast_1d(np.asarray(values, np.float64)) for values in (n, m, y))
    lowest, highest = np.maximum(0.0, have - before), np.minimum(after, have)
    ends = np.array([[min(0.0, float(t.min(initial=0)))], [0.0], [max(0.0, float(t.max(initial=0)))]])
    modes = _mode(ends, before, after, have)
    spread = _REACH * (np.sqrt(_variance(modes, before, after, have)).max(axis=0) + 1)
    first = np.maximum(lowest, np.floor(modes.min(axis=0) - spread))
    last = np.minimum(highest, np.ceil(modes.max(axis=0) + spread))
    is_short = last - first < _MOST_TERMS
    result = np.zeros((len(t), len(before)))
    for which, of in ((is_short, _summed), (~is_short, _approximated)):
        if which.any():
            result[:, which] = of(t, before[which], after[which], have[which], first[which], last[which])
    return result


def log_factorial(values: Floats) -> Floats:
    """Return log(x!) for ``values`` that are 0 or more, by Stirling's series, to 1e-11."""
    is_small = values < _SERIES_FROM
    z = np.where(is_small, values + _SERIES_FROM, values) + 1.0
    inverse = 1.0 / z
    square = inverse * inverse
    series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)))
    logs: Floats = (z - 0.5) * np.log(z) - z + 0.5 * np.log(2 * np.pi) + series
    # Below, the series is not good: x! = (x + 10)! / ((x + 1) ... (x + 10)).
    few = values[is_small]
    product = np.ones_like(few)
    for step in range(1, _SERIES_FROM + 1):
        product *= few + step
    logs[is_small] -= np.log(product)
    return logs


def _summed(t: Floats, n: Floats, m: Floats, y: Floats, first: Floats, last: Floats) -> Floats:
    k = first[:, None] + np.arange(int((last - first).max()) + 1)
    is_there = k <= last[:, None]
    k = np.where(is_there, k, last[:, None])
    log_weights = np.where(is_there, _log_weight(k, n[:, None], m[:, None], y[:, None]), -np.inf)
    tilted = log_weights + t[:, :, None] * k
    return _log_sum(tilted) - _log_sum(log_weights)


def _approximated(t: Floats, n: Floats, m: Floats, y: Floats, _first: Floats, _last: Floats) -> Floats:
    mode, mode_untilted = _mode(t, n, m, y), _mode(np.zeros((1, 1)), n, m, y)
    log_ratio = _log_weight(mode, n, m, y) - _log_weight(mode_untilted, n, m, y)
    widening = 0.5 * np.log(_variance(mode, n, m, y) / _variance(mode_untilted, n, m, y))
    result: Floats = t * mode + log_ratio + widening
    return result


def _mode(t: Floats, n: Floats, m: Floats, y: Floats) -> Floats:
    """Return the k between its ends at which k (n - y + k) = exp(t) (m - k) (y - k)."""
    odds = np.exp(t)
    a = 1.0 - odds
    b = n - y + odds * (m + y)
    c = -odds * m * y
    root = np.sqrt(np.maximum(b * b - 4 * a * c, 0.0))
    # This form does not lose digits where a is next to 0; b is positive wherever there is anything to choose.
    k = np.where(b + root > 0, -2 * c / np.where(b + root > 0, b + root, 1.0), 0.0)
    return np.clip(k, np.maximum(0.0, y - n), np.minimum(m, y))


def _variance(k: Floats, n: Floats, m: Floats, y: Floats) -> Floats:
    cells = np.stack(np.broadcast_arrays(k, m - k, y - k, n - y + k))
    result: Floats = 1.0 / (1.0 / np.maximum(cells, 0.5)).sum(axis=0)
    return result


def _log_weight(k: Floats, n: Floats, m: Floats, y: Floats) -> Floats:
    """Return the logarithm of what the probability of ``k`` is in proportion to."""
    return -(log_factorial(k) + log_factorial(m - k) + log_factorial(y - k) + log_factorial(n - y + k))


def _log_sum(values: Floats) -> Floats:
    greatest = values.max(axis=-1, keepdims=True)
    result: Floats = (greatest + np.log(np.exp(values - greatest).sum(axis=-1, keepdims=True)))[..., 0]
    return result
