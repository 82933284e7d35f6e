"""How methods are judged: false alarms in an agent's month, what they find and how late, and what of it is true."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy.stats import chi2, norm

SAME_ALARM_HOURS: Final = 7 * 24
"""Alarms of one feature within a week of the last that counted are the same alarm."""
HOURS_PER_MONTH: Final = 30 * 24


class Alarm(NamedTuple):
    """Somebody was woken."""

    hour: int
    """Hours since 1970: the end of the data that it was raised on."""
    feature: str


class Interval(NamedTuple):
    """From where to where it lies with 95 %."""

    low: float
    high: float


@dataclass(frozen=True)
class FalseAlarms:
    """Alarms where nothing was wrong."""

    alarms: int
    agent_months: float

    @property
    def rate(self) -> float:
        """Per agent and 30 days."""
        return self.alarms / self.agent_months

    @property
    def interval(self) -> Interval:
        """Exact, as if alarms came independently of each other: Garwood 1936."""
        low = chi2.ppf(0.025, 2 * self.alarms) / 2 if self.alarms else 0.0
        return Interval(
            float(low) / self.agent_months, float(chi2.ppf(0.975, 2 * self.alarms + 2)) / 2 / self.agent_months
        )

    def __add__(self, other: "FalseAlarms") -> "FalseAlarms":
        return FalseAlarms(self.alarms + other.alarms, self.agent_months + other.agent_months)


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    number: int
    of: int

    @property
    def value(self) -> float:
        return self.number / self.of if self.of else float("nan")

    @property
    def interval(self) -> Interval:
        """Wilson's score interval: Wilson 1927."""
        if not self.of:
            return Interval(0.0, 1.0)
        z = float(norm.ppf(0.975))
        centre = (self.value + z**2 / (2 * self.of)) / (1 + z**2 / self.of)
        half = z / (1 + z**2 / self.of) * np.sqrt(self.value * (1 - self.value) / self.of + z**2 / (4 * self.of**2))
        return Interval(max(0.0, centre - float(half)), min(1.0, centre + float(half)))


@dataclass(frozen=True)
class Trial:
    """One agent with one drift, and when it was found."""

    runs_per_day: float
    delay_hours: int | None
    """From when it set in to the first alarm that names it; None where none came."""
    delay_runs: int | None


@dataclass(frozen=True)
class Power:
    """What a method finds of one kind of drift."""

    trials: tuple[Trial, ...]

    @property
    def found(self) -> Share:
        return Share(sum(trial.delay_hours is not None for trial in self.trials), len(self.trials))

    def found_within(self, runs: int) -> Share:
        """Return the share that is found before so many runs have gone by since it set in."""
        return Share(sum(t.delay_runs is not None and t.delay_runs <= runs for t in self.trials), len(self.trials))

    @property
    def median_hours(self) -> float:
        return _median([trial.delay_hours for trial in self.trials])

    @property
    def median_runs(self) -> float:
        return _median([trial.delay_runs for trial in self.trials])

    def of_at_least(self, runs_per_day: float) -> "Power":
        """Return the trials with agents of this size or larger."""
        return Power(tuple(trial for trial in self.trials if trial.runs_per_day >= runs_per_day))


@dataclass(frozen=True)
class Verdicts:
    """What is found where something is wrong, and where something else is that looks like it."""

    true_positives: int
    positives: int
    false_positives: int
    negatives: int

    @property
    def recall(self) -> Share:
        return Share(self.true_positives, self.positives)

    @property
    def precision(self) -> Share:
        return Share(self.true_positives, self.true_positives + self.false_positives)

    def __add__(self, other: "Verdicts") -> "Verdicts":
        return Verdicts(
            self.true_positives + other.true_positives,
            self.positives + other.positives,
            self.false_positives + other.false_positives,
            self.negatives + other.negatives,
        )


def distinct(alarms: Iterable[Alarm]) -> list[Alarm]:
    """Return the alarms that are not the same as one of the last seven days."""
    counted: dict[str, int] = {}
    kept = []
    for alarm in sorted(alarms):
        last = counted.get(alarm.feature)
        if last is None or alarm.hour - last >= SAME_ALARM_HOURS:
            counted[alarm.feature] = alarm.hour
            kept.append(alarm)
    return kept


def false_alarms(alarms: Iterable[Alarm], hours: int) -> FalseAlarms:
    """Return how often one agent, with which nothing was wrong for ``hours`` hours, raised an alarm."""
    return FalseAlarms(len(distinct(alarms)), hours / HOURS_PER_MONTH)


def trial(
    alarms: Iterable[Alarm],
    features: Sequence[str],
    onset: int,
    runs_per_day: float,
    runs_by_hour: np.ndarray,
    first_hour: int,
) -> Trial:
    """Return when the drift of one agent was found.

    ``onset`` is in hours since 1970, as alarms are; ``runs_by_hour`` begins with ``first_hour``. An alarm of another
    feature does not count, nor does one before the drift set in.
    """
    hours = [alarm.hour for alarm in alarms if alarm.feature in features and alarm.hour > onset]
    if not hours:
        return Trial(runs_per_day, None, None)
    found = min(hours)
    return Trial(runs_per_day, found - onset, int(runs_by_hour[onset - first_hour : found - first_hour].sum()))


def _median(numbers: Sequence[int | None]) -> float:
    """Return the median of those that are there; nan if none is."""
    known = [number for number in numbers if number is not None]
    return float(np.median(known)) if known else float("nan")
