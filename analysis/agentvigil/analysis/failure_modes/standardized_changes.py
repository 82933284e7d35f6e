"""Whether a share of runs, or a mean over runs, went up: standardised to the input classes, with days as clusters.

**Expectation.** Each input class has its own share in the baseline. What is expected of the window is the mean of
these, weighted by the runs that the window has of each class. So when customers ask for other things than before, the
expectation follows, and only what changes inside classes counts.

**Spread.** Runs of one day resemble each other: the variance of days is that of :mod:`.spread_of_days`, by all days
that are compared, and so are the degrees of freedom of Student's critical values.

**Shares** are compared by their log-odds, means as they are. Few runs are judged by the root of the likelihood ratio
and not by how many standard errors the log-odds lie apart: six of 15 runs where one was expected are less sure than
they look. A count of 0 is no certainty: each class is taken to have one run more, with the share of all classes
together.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.failure_modes.critical_values import student_t
from agentvigil.analysis.failure_modes.day_tables import DayTable, comparable, only
from agentvigil.analysis.failure_modes.spread_of_days import MEANS_OF_DAYS, ODDS_OF_DAYS, Days, Dispersion, dispersion

Vector = NDArray[np.float64]

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
    dispersion: Dispersion
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
    if before.total == 0 or after.total == 0:
        return None
    weights = after.n.sum(axis=0) / after.total
    old, old_variance = _by_class(before, are_shares)
    new, new_variance = _by_class(after, are_shares)
    periods = (_days(before, old, old_variance), _days(after, new, new_variance))
    usual = ODDS_OF_DAYS**2 * float(weights @ old_variance) if are_shares else MEANS_OF_DAYS**2
    spread = dispersion(periods, usual)
    if spread is None:
        return None
    return Change(
        before=float(weights @ old),
        after=float(weights @ new),
        before_error=math.sqrt(_variance(before, old_variance, weights, spread)),
        after_error=math.sqrt(_variance(after, new_variance, weights, spread)),
        critical=student_t(tail, spread.degrees),
        n=after.total,
        dispersion=spread,
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
    if last.total == 0:
        return None
    n = table.n.sum(axis=0)
    table, last = (only(side, n > 0) for side in (table, last))
    mean, variance = _by_class(table, are_shares=False)
    spread = dispersion([_days(table, mean, variance)], MEANS_OF_DAYS**2)
    if spread is None:
        return None
    of_days = (last.n @ variance) * spread.of(last.n.sum(axis=1))
    return Level(
        float(last.s.sum()) / last.total,
        math.sqrt(float(of_days.sum())) / last.total,
        student_t(tail, spread.degrees),
        last.total,
    )


def _days(table: DayTable, mean: Vector, variance: Vector) -> Days:
    is_any = table.n.sum(axis=1) > 0
    n, s = table.n[is_any], table.s[is_any]
    return Days(n.sum(axis=1), (s - n * mean).sum(axis=1), n @ variance)


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


def _variance(table: DayTable, variance: Vector, weights: Vector, spread: Dispersion) -> float:
    """Return the variance of the standardised mean."""
    n = table.n.sum(axis=0)
    of_days = table.n @ (variance * (weights / n) ** 2)
    return float((of_days * spread.of(table.n.sum(axis=1))).sum())


def _divergence(share: float, of: float) -> float:
    """Return the Kullback-Leibler divergence of two shares."""
    return share * math.log(share / of) + (1 - share) * math.log((1 - share) / (1 - of))


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def _expit(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def _on_logit(error: float, share: float) -> float:
    return error / (share * (1 - share))
