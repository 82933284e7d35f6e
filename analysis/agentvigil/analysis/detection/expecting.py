"""What the baseline expects of the runs of an hour, given their input classes and the time of day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from agentvigil.analysis.detection.config import DAYS_PER_WEEK, HOURS_PER_DAY, SEASONS, DetectionConfig
from agentvigil.analysis.detection.counting import Floats, Ints, Layout, Rows
from agentvigil.analysis.detection.tilts import BETS, FAST_FROM, NEW_KEYS, NEW_KEYS_FAST_FROM, ORDINARY

_THURSDAY: int = 3
"""The first of January 1970, counted from Monday."""
_SATURDAY: int = 5
# Shares are kept this far from 0 and 1: half a run in a million.
_LEAST_SHARE = 5e-7
# The shares of classes in an hour are those of few runs: the usual shares stand in for so many.
_USUAL_RUNS = 20.0


KEPT: Final = 1 - 1 / HOURS_PER_DAY
"""Of the runs of the recent day, what the next hour keeps."""
LEAST_VOLUME: Final = 0.25
"""Of the usual one: what is taken for the volume of a day with less, whose bets would divide by too little."""


class Numbers(Protocol):
    """The numbers of one subject's streams. C is the number of its input classes, S that of its streams."""

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
    def slow_dispersion(self) -> Floats:
        """S: variance of sums over days, relative to that of independent runs."""
        ...

    @property
    def fast_dispersion(self) -> Floats:
        """S: the same inside of days, without wander."""
        ...

    @property
    def slow_by_day(self) -> Floats:
        """S: the part of ``slow_dispersion`` that is proportional to the runs of the day."""
        ...

    @property
    def slow_by_hour(self) -> Floats:
        """S: the part of it that is proportional to the runs of the hour."""
        ...

    @property
    def fast_by_hour(self) -> Floats:
        """S: the part of ``fast_dispersion`` that is."""
        ...

    @property
    def day_runs(self) -> Floats:
        """Features × (C + 1), flat: runs of the day that the average run was in, by input class."""
        ...

    @property
    def hour_runs(self) -> Floats:
        """Features: runs of the hour that the average run was in."""
        ...

    @property
    def wander(self) -> Floats:
        """S: standard deviation of the level of days, in log odds or standard deviations."""
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
    day: Floats
    """How many times as many runs the day up to then had as a usual one."""
    concentration: Floats
    """By how much the variance of levels is larger, since fewer classes have more of the runs: 1 or more."""
    recent: Floats
    """Runs of the day up to then: times × slots."""


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
        self._slow = _joined([part.slow_dispersion for part in numbers])
        self._slow_by_day = _joined([part.slow_by_day for part in numbers])
        self._slow_by_hour = _joined([part.slow_by_hour for part in numbers])
        self._fast = _joined([part.fast_dispersion for part in numbers])
        self._fast_by_hour = _joined([part.fast_by_hour for part in numbers])
        self.day_runs = _joined([part.day_runs for part in numbers])
        """By slot."""
        self._usual_runs, self._usual_evenness = self._volume(self.day_runs[None])
        self._hour_runs = _joined([part.hour_runs for part in numbers])[layout.group_of_stream]
        self.wander = config.wander_sds * _joined([part.wander for part in numbers])
        """By stream: how far levels may wander before fast bets win."""
        self.margin = np.where(layout.is_mean, config.margin_sd, config.margin_log_odds)
        """By stream: how far the edges of the null interval lie beyond the error of the estimate."""
        is_new = np.zeros(layout.stream_count, dtype=np.bool_)
        is_new[layout.new_stream[layout.new_stream >= 0]] = True
        number = np.arange(BETS)[:, None]
        self.tilts = np.where(is_new, NEW_KEYS[:, None], ORDINARY[:, None])
        """Bets × streams, as are the next two."""
        self.is_fast = np.where(is_new, number >= NEW_KEYS_FAST_FROM, number >= FAST_FROM)
        self.growth = np.expm1(self.tilts)
        self.error_scale = np.ones(layout.stream_count)
        """By what errors of estimates are multiplied: less than 1 where streams are pooled whose errors average out."""

    def expect(self, rows: Rows, at: Ints, hours: Ints, recent: Floats | None = None) -> Expected:
        """Return what came in each of ``hours`` and what was expected. ``at`` is the place of each row's hour.

        ``hours`` follow each other; ``recent`` are the runs of the day before them by slot, if they were not as usual.
        """
        layout = self.layout
        runs_of_slot = layout.runs(rows, at, len(hours))
        hits = layout.hits(rows, at, len(hours), self.center, self.scale)
        before = self.day_runs if recent is None else recent
        return self.compare(runs_of_slot, hits, self.season[season_of(hours)], recent_runs(runs_of_slot, before))

    def dispersion(self, expected: Expected) -> tuple[Floats, Floats]:
        """Return what slow and what fast bets divide by, at the volume of the day and of the hour: times × streams."""
        hour = expected.runs / np.maximum(self._hour_runs, 1e-9) * expected.concentration - 1
        day = expected.day * expected.concentration - 1
        return self._slow + self._slow_by_day * day + self._slow_by_hour * hour, self._fast + self._fast_by_hour * hour

    def compare(self, runs_of_slot: Floats, hits: Floats, season: Floats, recent: Floats) -> Expected:
        """Return what is expected of runs by slot (times × slots), beside their hits (times × streams).

        The expectation is that of the same input classes, so that no change of their mix is a deviation. ``recent`` are
        the runs of the day up to each time (times × slots).
        """
        layout = self.layout
        of_entry = runs_of_slot[:, layout.slot_of_entry]
        expected = _summed(of_entry * self.share, layout.first_entry)
        runs_of_group = self._of_groups(runs_of_slot)
        runs = runs_of_group[:, layout.group_of_stream]
        reach = runs_of_slot * self._errors_allowed(runs_of_slot, runs_of_group)
        variance = _summed(reach[:, layout.slot_of_entry] ** 2 * self.variance, layout.first_entry)
        some = np.maximum(runs, 1)
        share = np.clip(expected / some, _LEAST_SHARE, 1 - _LEAST_SHARE)
        # Of what is counted in runs there can not be more than runs; of rare keys a run may have two.
        hits = np.where(layout.is_mean, hits, np.minimum(hits, runs))
        level = np.where(layout.is_mean, 0.0, np.log(share / (1 - share))) + season
        error = np.sqrt(variance) / some / np.where(layout.is_mean, 1.0, share * (1 - share))
        day, evenness = self._volume(recent + _USUAL_RUNS / np.maximum(self._usual_runs, 1)[0, layout.group_of_slot] * self.day_runs)
        concentration = np.maximum(self._usual_evenness / evenness, 1)[:, layout.group_of_stream]
        error = np.hypot(error, self.common_error * np.sqrt(concentration)) * self.error_scale
        day = np.maximum(day / (self._usual_runs + _USUAL_RUNS), LEAST_VOLUME)[:, layout.group_of_stream]
        return Expected(runs, hits, level, error, day, concentration, recent)

    def _volume(self, runs_of_slot: Floats) -> tuple[Floats, Floats]:
        """Return the runs of groups, and among how many classes of the same size they would be as even (times × groups)."""
        runs = self._of_groups(runs_of_slot)
        return runs, runs**2 / np.maximum(self._of_groups(runs_of_slot**2), 1e-9)

    def _of_groups(self, of_slots: Floats) -> Floats:
        return _summed(of_slots, self.layout.first_slot)

    def _errors_allowed(self, runs_of_slot: Floats, runs_of_group: Floats) -> Floats:
        """Return how many standard errors of a class's estimate the null allows for: 1 to 3, as times × slots.

        Evidence against nothing but the error of an estimate grows by (z - allowed)²/2 for as many runs as it was made
        from, where z is how far off it happens to be. With as many runs as in the baseline, 1 holds it to 2 where z is
        3. A class that is r times as common as it was brings r times as many, so 3 - 2/√r holds it to the same.
        """
        share = self.class_share
        of_slot = np.repeat(runs_of_group, self.layout.slots_of_group, axis=1)
        usual = np.where(np.isfinite(share), share, 0)
        now = (runs_of_slot + _USUAL_RUNS * usual) / (of_slot + _USUAL_RUNS)
        more = np.maximum(now / np.maximum(share, _LEAST_SHARE), 1)
        return np.asarray(3 - 2 / np.sqrt(more))


def recent_runs(runs: Floats, before: Floats) -> Floats:
    """Return the runs of the day up to each hour (hours × slots), from those of the hours and of the day before them.

    A day without an edge: an hour counts for less and less, and for as much as one of 24 altogether.
    """
    recent = np.empty_like(runs)
    for hour, some in enumerate(runs):
        before = recent[hour] = KEPT * before + some
    return recent


def season_of(hours: Ints) -> Ints:
    """Return the season of hours since 1970: hour of the day, plus 24 on Saturdays and Sundays. All in UTC."""
    weekday = (hours // HOURS_PER_DAY + _THURSDAY) % DAYS_PER_WEEK
    return np.asarray(hours % HOURS_PER_DAY + HOURS_PER_DAY * (weekday >= _SATURDAY), dtype=np.int64)


def probability(log_odds: Floats) -> Floats:
    """Return the probability with these log odds."""
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def _joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate([np.zeros(0), *parts])


def _summed(values: Floats, starts: Ints) -> Floats:
    """Sum neighbours along the last axis, from each start to the next."""
    return np.add.reduceat(values, starts, axis=1) if len(starts) else np.zeros((len(values), 0))
