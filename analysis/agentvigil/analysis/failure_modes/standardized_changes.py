"""Whether a share of runs, or a mean over runs, went up: standardised to the input classes, with days as clusters.

**Expectation.** Each input class has its own share in the baseline. What is expected of the window is the mean of
these, weighted by the runs that the window has of each class. So when customers ask for other things than before, the
expectation follows, and only what changes inside classes counts.

**Spread.** Runs of one day resemble each other. With an intra-day correlation rho, the sum over the n runs of a day
has the variance n v (1 + (n - 1) rho), where v is that of one run. rho is found by the method of moments from how far
days stray from what is expected of them, in the baseline and in the span of days that is compared; below 0 it is taken
as 0. Days that follow each other may be alike as well: the part that rho adds is enlarged by (1 + r) / (1 - r), with r
the correlation of the baseline's days with the days before them. Few days tell little of rho: critical values are
Student's, with as many degrees of freedom as there are days, less two.

**Shares** are compared by their log-odds, means as they are. Few runs are judged by the root of the likelihood ratio
and not by how many standard errors the log-odds lie apart: six of 15 runs where one was expected are less sure than
they look. A count of 0 is no certainty: each class is taken to have one run more, with the share of all classes
together.

The estimator of rho is the analysis of variance of clusters (Donner 1986, International Statistical Review 54, 67-82),
weighted by the size of days.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.failure_modes.critical_values import LEAST_DEGREES, student_t
from agentvigil.analysis.failure_modes.day_tables import DayTable, comparable, only

Vector = NDArray[np.float64]

_LARGEST_AUTOCORRELATION: Final = 0.6
_ONE_RUN: Final = 1.0
_HALVINGS: Final = 40


@dataclass(frozen=True, slots=True)
class Change:
    """Of ``before``, standardised to the classes of the days that are compared, to ``after``."""

    before: float
    after: float
    before_error: float
    after_error: float
    """Standard errors."""
    critical: float
    """So many standard errors for the chance of an error that was asked for."""
    n: float
    """Runs of the days that are compared; those of classes without a baseline are left out."""
    intraday_correlation: float
    days: int

    @property
    def more(self) -> float:
        """How many of the runs, or how much of the sum of values, is beyond what was expected."""
        return (self.after - self.before) * self.n

    @property
    def odds_ratio(self) -> float:
        return math.exp(_logit(self.after) - _logit(self.before))

    @property
    def after_low(self) -> float:
        """Lower end of the interval of ``after``, of the mean."""
        return self.after - self.critical * self.after_error

    @property
    def after_high(self) -> float:
        return self.after + self.critical * self.after_error

    @property
    def share_low(self) -> float:
        """Lower end of the interval of ``after``, a share."""
        return _expit(_logit(self.after) - self.critical * _on_logit(self.after_error, self.after))

    @property
    def share_high(self) -> float:
        return _expit(_logit(self.after) + self.critical * _on_logit(self.after_error, self.after))

    def errors_beyond(self, margin: float) -> float:
        """Return by how many standard errors the rise of the mean is larger than ``margin``."""
        return (self.after - self.before - margin) / math.hypot(self.before_error, self.after_error)

    def errors_beyond_log_odds(self, margin: float) -> float:
        """Return by how many standard errors the rise of the log-odds is larger than ``margin``: the signed root.

        Standard errors tell how many runs, independent of each other, each side is worth.
        """
        runs = (
            self.before * (1 - self.before) / self.before_error**2,
            self.after * (1 - self.after) / self.after_error**2,
        )
        low, high = sorted((_logit(self.before), _logit(self.after) - margin))
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            surplus = runs[0] * (self.before - _expit(middle)) + runs[1] * (self.after - _expit(middle + margin))
            low, high = (middle, high) if surplus > 0 else (low, middle)
        null = _expit(low), _expit(low + margin)
        distance = runs[0] * _divergence(self.before, null[0]) + runs[1] * _divergence(self.after, null[1])
        is_beyond = _logit(self.after) - _logit(self.before) > margin
        return math.sqrt(2 * max(distance, 0.0)) * (1 if is_beyond else -1)


def change(before: DayTable, after: DayTable, tail: float, *, are_shares: bool) -> Change | None:
    """Return how ``after`` differs from what ``before`` lets expect; None where they can not be compared.

    ``tail`` is the chance that ``critical`` is exceeded by chance.
    """
    before, after = comparable(before, after)
    days = before.days_with_any + after.days_with_any
    if days - 2 < LEAST_DEGREES or before.total == 0 or after.total == 0:
        return None
    weights = after.n.sum(axis=0) / after.total
    old, old_variance = _by_class(before, are_shares)
    new, new_variance = _by_class(after, are_shares)
    old_spread = _Spread(before, old, old_variance)
    new_spread = _Spread(after, new, new_variance)
    rho = _intraday_correlation((old_spread, new_spread), days)
    enlarged = _enlarged(rho, old_spread)
    return Change(
        before=float(weights @ old),
        after=float(weights @ new),
        before_error=math.sqrt(_variance(before, old_variance, weights, enlarged)),
        after_error=math.sqrt(_variance(after, new_variance, weights, enlarged)),
        critical=student_t(tail, days - 2),
        n=after.total,
        intraday_correlation=rho,
        days=after.days_with_any,
    )


@dataclass(frozen=True, slots=True)
class Level:
    """A mean over runs, by itself."""

    value: float
    error: float
    critical: float
    n: float

    @property
    def low(self) -> float:
        return self.value - self.critical * self.error

    @property
    def high(self) -> float:
        return self.value + self.critical * self.error


def level(table: DayTable, days: int, tail: float) -> Level | None:
    """Return the mean over the last ``days`` days, which spread as all days of ``table`` do; None for too few days."""
    last = table.last(days)
    degrees = table.days_with_any - 1
    if last.total == 0 or degrees < LEAST_DEGREES:
        return None
    n = table.n.sum(axis=0)
    table, last = (only(side, n > 0) for side in (table, last))
    mean, variance = _by_class(table, are_shares=False)
    spread = _Spread(table, mean, variance)
    rho = _enlarged(_intraday_correlation((spread,), degrees + 1, lost=1), spread)
    of_days = (last.n @ variance) * (1 + np.maximum(last.n.sum(axis=1) - 1, 0) * rho)
    return Level(
        float(last.s.sum()) / last.total,
        math.sqrt(float(of_days.sum())) / last.total,
        student_t(tail, degrees),
        last.total,
    )


class _Spread:
    """How far the sums of days stray from what is expected of them."""

    def __init__(self, table: DayTable, mean: Vector, variance: Vector) -> None:
        is_any = table.n.sum(axis=1) > 0
        self.n: Vector = table.n[is_any].sum(axis=1)
        self.stray: Vector = (table.s - table.n * mean)[is_any].sum(axis=1)
        self.variance: Vector = table.n[is_any] @ variance


def _by_class(table: DayTable, are_shares: bool) -> tuple[Vector, Vector]:
    """Return mean and variance of one run in each class."""
    n, s, q = table.n.sum(axis=0), table.s.sum(axis=0), table.q.sum(axis=0)
    if are_shares:
        overall = (s.sum() + 0.5) / (n.sum() + 1.0)
        share = (s + _ONE_RUN * overall) / (n + _ONE_RUN)
        return share, share * (1 - share)
    mean = s / n
    spread = q.sum() / n.sum() - (s.sum() / n.sum()) ** 2
    variance = np.maximum(q / n - mean**2, 0.0)
    # One run more, as different from the others as runs of all classes are.
    return mean, np.maximum((variance * n + _ONE_RUN * max(spread, 0.0)) / (n + _ONE_RUN), 1e-12)


def _intraday_correlation(spreads: Sequence[_Spread], days: int, lost: int = 2) -> float:
    enlarged = days / (days - lost)
    beyond = sum(float((spread.stray**2 * enlarged - spread.variance).sum()) for spread in spreads)
    possible = sum(float((spread.variance * (spread.n - 1)).sum()) for spread in spreads)
    return min(1.0, max(0.0, beyond / possible)) if possible > 0 else 0.0


def _enlarged(rho: float, spread: _Spread) -> float:
    """Return rho enlarged by how much days are like the days before them."""
    if rho == 0.0 or len(spread.n) < LEAST_DEGREES:
        return rho
    z = spread.stray / np.sqrt(spread.variance * (1 + (spread.n - 1) * rho))
    r = float((z[1:] * z[:-1]).sum() / (z**2).sum())
    r = min(_LARGEST_AUTOCORRELATION, max(0.0, r))
    return min(1.0, rho * (1 + r) / (1 - r))


def _variance(table: DayTable, variance: Vector, weights: Vector, rho: float) -> float:
    """Return the variance of the standardised mean."""
    n = table.n.sum(axis=0)
    of_days = table.n @ (variance * (weights / n) ** 2)
    return float((of_days * (1 + np.maximum(table.n.sum(axis=1) - 1, 0) * rho)).sum())


def _divergence(share: float, of: float) -> float:
    """Return the Kullback-Leibler divergence of two shares."""
    return share * math.log(share / of) + (1 - share) * math.log((1 - share) / (1 - of))


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def _expit(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def _on_logit(error: float, share: float) -> float:
    return error / (share * (1 - share))
