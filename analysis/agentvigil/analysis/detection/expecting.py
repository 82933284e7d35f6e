"""What the baseline expects of the runs of an hour, given their input classes and the time of day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from agentvigil.analysis.detection.config import (
    DAYS_PER_WEEK,
    HOURS_PER_DAY,
    MEMORY,
    SEASONS,
    SUDDEN_WANDER,
    DetectionConfig,
)
from agentvigil.analysis.detection.counting import Floats, Ints, Layout, Rows, summed
from agentvigil.analysis.detection.tilts import BETS, NEW_KEYS, ORDINARY

_THURSDAY: int = 3
"""The first of January 1970, counted from Monday."""
_SATURDAY: int = 5
# Shares are kept this far from 0 and 1: half a run in a million.
_LEAST_SHARE = 5e-7
_MOST_LOG_ODDS = 700.0
# The shares of classes in an hour are those of few runs: the usual shares stand in for so many.
_USUAL_RUNS = 20.0


class Numbers(Protocol):
    """The numbers of one subject's S streams. C is the number of its input classes, rare ones being one."""

    @property
    def share(self) -> Floats:
        """S × (C + 1): probability of a hit in a run of each input class, the last being any other. 0 in means."""
        ...

    @property
    def variance(self) -> Floats:
        """S × (C + 1): of the error of ``share``; in means, of the class's mean, in standard deviations squared."""
        ...

    @property
    def class_share(self) -> Floats:
        """Features × (C + 1), flat: which part of the runs had the input class; of any other class infinite."""
        ...

    @property
    def common_error(self) -> Floats:
        """S: standard deviation of the error that all classes share, in log odds or standard deviations."""
        ...

    @property
    def season(self) -> Floats:
        """48 × S: what the time adds, in log odds or standard deviations."""
        ...

    @property
    def constant(self) -> Floats:
        """S: variance of sums relative to that of independent runs: the part that does not depend on volume."""
        ...

    @property
    def by_hour(self) -> Floats:
        """S: the part that is proportional to the runs of an hour, at ``hour_runs``."""
        ...

    @property
    def by_day(self) -> Floats:
        """S: the part that is proportional to the runs of a day, at ``day_runs``."""
        ...

    @property
    def hour_runs(self) -> Floats:
        """Features: runs of the hour that the average run was in."""
        ...

    @property
    def day_runs(self) -> Floats:
        """Features: runs of the day that the average run was in."""
        ...

    @property
    def day_hours(self) -> Floats:
        """Features: hours of a day that have runs."""
        ...

    @property
    def pair_dispersion(self) -> Floats:
        """Pairs of streams: variance of the difference of both residuals, relative to that of independent ones."""
        ...

    @property
    def cumulants(self) -> Floats:
        """Bets × S: of one run's deviation from the mean, at each tilt. 0 in streams of shares."""
        ...

    @property
    def center(self) -> Floats:
        """Features × (C + 1), flat: mean of the clipped logarithm of values to base 2."""
        ...

    @property
    def scale(self) -> Floats:
        """The same, its standard deviation inside of the class."""
        ...


@dataclass(frozen=True, slots=True)
class Expected:
    """What came and what was expected, each an array of times × streams.

    Of streams of shares ``level`` is in log odds. Of means it is the shift by the season, in standard deviations.
    """

    runs: Floats
    hits: Floats
    level: Floats
    error: Floats
    """Standard deviation of the baseline's estimate of ``level``, for this mix of input classes."""
    concentration: Floats
    """By how much the variance of levels is larger, since fewer classes have more of the runs: 1 or more."""


class Null:
    """The null hypotheses of all streams of a layout: the numbers of its subjects, one after another."""

    def __init__(self, layout: Layout, numbers: Sequence[Numbers], config: DetectionConfig) -> None:
        self.layout = layout
        self.share = _joined([part.share.ravel() for part in numbers])
        self.variance = _joined([part.variance.ravel() for part in numbers])
        self.common_error = _joined([part.common_error for part in numbers])
        self.class_share = _joined([part.class_share for part in numbers])
        """By slot."""
        self.season = np.concatenate([np.zeros((SEASONS, 0)), *(part.season for part in numbers)], axis=1)
        self.center = _joined([part.center for part in numbers])
        self.scale = _joined([part.scale for part in numbers])
        self.cumulants = np.concatenate([np.zeros((BETS, 0)), *(part.cumulants for part in numbers)], axis=1)
        self._constant = _joined([part.constant for part in numbers])
        self._by_hour = _joined([part.by_hour for part in numbers])
        self._by_day = _joined([part.by_day for part in numbers])
        self._hour_runs_of_group = np.maximum(_joined([part.hour_runs for part in numbers]), 1)
        self._hour_runs = self._hour_runs_of_group[layout.group_of_stream]
        self._day_hours = _joined([part.day_hours for part in numbers])[layout.group_of_stream]
        self._day_runs = np.maximum(_joined([part.day_runs for part in numbers]), 1)[layout.group_of_stream]
        self.pair_dispersion = _joined([part.pair_dispersion for part in numbers])
        self.margin = np.where(layout.is_mean, config.margin_sd, config.margin_log_odds)
        """By stream: how far the edges of the null interval lie beyond the error of the estimate."""
        is_new = np.zeros(layout.stream_count, dtype=np.bool_)
        is_new[layout.new_stream[layout.new_stream >= 0]] = True
        self.tilts = np.where(is_new, NEW_KEYS[:, None], ORDINARY[:, None])
        """Bets × streams, as is the next."""
        self.growth = np.expm1(self.tilts)
        self.error_scale = np.ones(layout.stream_count)
        """By what errors of estimates are multiplied: less than 1 where streams are pooled whose errors average out."""

    def expect(self, rows: Rows, at: Ints, hours: Ints) -> Expected:
        """Return what came in each of ``hours`` and what was expected. ``at`` is the place of each row's hour."""
        layout = self.layout
        runs_of_slot = layout.runs(rows, at, len(hours))
        hits = layout.hits(rows, at, len(hours), self.center, self.scale)
        return self.compare(runs_of_slot, hits, self.season[season_of(hours)])

    def dispersion(self, expected: Expected) -> Floats:
        """Return what bets without an end divide by (times × streams).

        Levels wander by as much whatever the volume is, so what wander adds to the variance of a sum grows with the
        runs in it: those of days with as many runs in each hour as in this one.
        """
        return self.dispersion_of_hours(expected) + MEMORY * self._wander(expected)

    def dispersion_of_days(self, expected: Expected) -> Floats:
        """Return how much sums over a day vary around the baseline (times × streams)."""
        return self.dispersion_of_hours(expected) + self._wander(expected)

    def _wander(self, expected: Expected) -> Floats:
        return expected.concentration * self._by_day * expected.runs * self._day_hours / self._day_runs

    def dispersion_of_hours(self, expected: Expected) -> Floats:
        """Return how much sums over an hour vary around the level of the day (times × streams)."""
        # What clusters of this agent's own add is in it, so it does not become less where runs are fewer.
        by_hour = self._by_hour * np.maximum(expected.runs / self._hour_runs, 1)
        return self._constant + expected.concentration * by_hour

    def shared_variance(self, expected: Expected) -> Floats:
        """Return what each hour adds to the dispersion of sums whose level is one draw (times × streams).

        The level of a day lies off by the day's wander, and by the error of the baseline's estimate.
        """
        wander = SUDDEN_WANDER * self._by_day * expected.concentration * expected.runs / self._day_runs
        share = probability(expected.level)
        information = expected.runs * np.where(self.layout.is_mean, 1.0, share * (1 - share))
        error = (expected.error / self.error_scale) ** 2 * information
        return np.asarray((wander + error) / self.dispersion_of_hours(expected))

    def compare(self, runs_of_slot: Floats, hits: Floats, season: Floats) -> Expected:
        """Return what is expected of runs by slot (times × slots), beside their hits (times × streams).

        The expectation is that of the same input classes, so that no change of their mix is a deviation.
        """
        layout = self.layout
        expected = layout.of_classes(runs_of_slot, self.share)
        runs_of_group = summed(runs_of_slot, layout.first_slot)
        runs = runs_of_group[:, layout.group_of_stream]
        reach = runs_of_slot * self._errors_allowed(runs_of_slot, runs_of_group)
        variance = layout.of_classes(reach**2, self.variance)
        some = np.maximum(runs, 1)
        share = np.clip(expected / some, _LEAST_SHARE, 1 - _LEAST_SHARE)
        # Of what is counted in runs there can not be more than runs; of rare keys a run may have two.
        hits = np.where(layout.is_mean, hits, np.minimum(hits, runs))
        level = np.where(layout.is_mean, 0.0, np.log(share / (1 - share))) + season
        error = np.sqrt(variance) / some / np.where(layout.is_mean, 1.0, share * (1 - share))
        concentration = self._concentration(runs_of_slot, runs_of_group)[:, layout.group_of_stream]
        error = np.hypot(error, self.common_error * np.sqrt(concentration)) * self.error_scale
        return Expected(runs, hits, level, error, concentration)

    def _concentration(self, runs_of_slot: Floats, runs_of_group: Floats) -> Floats:
        """Return by how much levels vary more than in the baseline, as times × groups, 1 or more.

        Levels of classes wander each for itself as far as is known, so where one class has most of the runs there is
        less to average over.
        """
        layout = self.layout
        usual = np.where(np.isfinite(self.class_share), self.class_share, 0)
        now = (runs_of_slot + _USUAL_RUNS * usual) / (runs_of_group + _USUAL_RUNS)[:, layout.group_of_slot]
        squares = summed(np.concatenate([now, usual[None]]) ** 2, layout.first_slot)
        return np.asarray(np.maximum(squares[:-1] / np.maximum(squares[-1], 1e-9), 1))

    def _errors_allowed(self, runs_of_slot: Floats, runs_of_group: Floats) -> Floats:
        """Return how many standard errors of a class's estimate the null allows for: 1 to 5, as times × slots.

        Evidence against nothing but the error of an estimate grows by (z - allowed)²/2 for as many runs as it was made
        from, where z is how far off it happens to be. With as many runs as in the baseline, 1 holds it to 2 where z is
        3. Where r times as many come in an hour, because there are more than in the baseline's usual hour or more of
        them are of this class, 3 - 2/√r holds it to the same. Of a class that was rare and is common, the runs of weeks
        are some hundred times those that it is known from, and an estimate from few is off by more than its standard
        error says: 5 - 5/√r, which is more than the other where a class is 2.25 times as common.
        """
        share = self.class_share
        of_slot, busier = (
            np.repeat(of_group, self.layout.slots_of_group, axis=1)
            for of_group in (runs_of_group, np.maximum(runs_of_group / self._hour_runs_of_group, 1))
        )
        usual = np.where(np.isfinite(share), share, 0)
        now = (runs_of_slot + _USUAL_RUNS * usual) / (of_slot + _USUAL_RUNS)
        by_share = np.maximum(now / np.maximum(share, _LEAST_SHARE), 1)
        return np.asarray(np.maximum(3 - 2 / np.sqrt(busier * by_share), 5 - 5 / np.sqrt(by_share)))


def season_of(hours: Ints) -> Ints:
    """Return the season of hours since 1970: hour of the day, plus 24 on Saturdays and Sundays. All in UTC."""
    weekday = (hours // HOURS_PER_DAY + _THURSDAY) % DAYS_PER_WEEK
    return np.asarray(hours % HOURS_PER_DAY + HOURS_PER_DAY * (weekday >= _SATURDAY), dtype=np.int64)


def probability(log_odds: Floats) -> Floats:
    """Return the probability with these log odds."""
    # Of what may be off by anything the edge of the null lies at 0, and exp would overflow.
    return np.asarray(1 / (1 + np.exp(np.minimum(-log_odds, _MOST_LOG_ODDS))))


def _joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate([np.zeros(0), *parts])
