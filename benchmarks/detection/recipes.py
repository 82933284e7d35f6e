"""The recipes that dashboards and articles offer, on the same counts as ours.

Each gives scores with the hours in which they are known; what reaches the recipe's threshold is an alarm. Where the
score says how strong an alarm is, the threshold can be tuned to a rate of false alarms, on seeds of its own.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import ruptures
from evaluation import HOURS_PER_MONTH, Alarm, distinct
from history import History, hourly_means, sampled_runs
from numpy.typing import NDArray
from river.drift import ADWIN, PageHinkley
from scipy.special import kolmogorov
from scipy.stats import chi2_contingency

Floats = NDArray[np.float64]

DAY: Final = 24
WEEK: Final = 7 * 24
FEWEST_RUNS: Final = 20
"""In a window, below which a recipe says nothing of it."""
SMALLEST_SHARE: Final = 1e-4
"""Of an empty group, in the population stability index: as Evidently has it."""
RUNS_PER_HOUR: Final = 30
"""Runs of an hour that are given to a method which takes them one by one."""


class Score(NamedTuple):
    """What a recipe found in a window."""

    hour: int
    """Hours since 1970: end of the window."""
    feature: str
    value: float
    """The larger, the worse."""


@dataclass(frozen=True)
class Recipe:
    """One way of watching an agent."""

    name: str
    scores: Callable[[History, int], Iterator[Score]]
    """Given the history and how many of its hours are the baseline."""
    threshold: float
    tunable: bool = False

    def alarms(self, history: History, baseline_hours: int, threshold: float | None = None) -> list[Alarm]:
        """Return all alarms, repeated ones too."""
        least = self.threshold if threshold is None else threshold
        return [Alarm(hour, name) for hour, name, value in self.scores(history, baseline_hours) if value >= least]


def tuned(recipe: Recipe, scores: Iterable[list[Score]], months: float, rate: float) -> float:
    """Return the threshold at which agents in which nothing is wrong have ``rate`` alarms in 30 days each."""
    agents = list(scores)
    values = np.unique([score.value for agent in agents for score in agent if score.value >= recipe.threshold])
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        alarms = sum(
            len(distinct(Alarm(score.hour, score.feature) for score in agent if score.value >= values[middle]))
            for agent in agents
        )
        low, high = (low, middle) if alarms <= rate * months else (middle + 1, high)
    return float(values[low]) if low < len(values) else float("inf")


def months_of(hours: int, agents: int) -> float:
    """Return the agent-months in so many hours of so many agents."""
    return hours * agents / HOURS_PER_MONTH


def _windows(history: History, baseline_hours: int, width: int) -> Iterator[slice]:
    for start in range(baseline_hours, history.hours - width + 1, width):
        yield slice(start, start + width)


def _groups(history: History, baseline_hours: int) -> dict[str, Floats]:
    """Return for each feature counts of groups: keys, or tenths of the baseline's values: (H, groups)."""
    groups = {name: category.groups() for name, category in history.categories.items()}
    for name, value in history.values.items():
        share = np.cumsum(value.n[:baseline_hours].sum(axis=0))
        tenth = np.minimum((10 * share / max(share[-1], 1)).astype(int), 9)
        starts = np.flatnonzero(np.diff(tenth, prepend=-1))
        groups[name] = np.add.reduceat(value.n, starts, axis=1)
    return groups


def psi_weekly(history: History, baseline_hours: int) -> Iterator[Score]:
    """Population stability index of each week against the baseline."""
    for name, counts in _groups(history, baseline_hours).items():
        before = counts[:baseline_hours].sum(axis=0)
        for window in _windows(history, baseline_hours, WEEK):
            now = counts[window].sum(axis=0)
            if min(before.sum(), now.sum()) >= FEWEST_RUNS:
                p = np.maximum(before / before.sum(), SMALLEST_SHARE)
                q = np.maximum(now / now.sum(), SMALLEST_SHARE)
                yield Score(history.first_hour + window.stop, name, float(((q - p) * np.log(q / p)).sum()))


def _p_values(history: History, baseline_hours: int) -> Iterator[tuple[int, str, float]]:
    """Yield for each day and feature the p-value of Kolmogorov and Smirnov's test, or of the χ² test for keys."""
    for name, category in history.categories.items():
        groups = category.groups()
        before = groups[:baseline_hours].sum(axis=0)
        for window in _windows(history, baseline_hours, DAY):
            table = np.stack([before, groups[window].sum(axis=0)])
            table = table[:, table.sum(axis=0) > 0]
            if table.shape[1] > 1 and table.sum(axis=1).min() >= FEWEST_RUNS:
                p = chi2_contingency(table, correction=False).pvalue
                yield history.first_hour + window.stop, name, float(p)
    for name, value in history.values.items():
        before = value.n[:baseline_hours].sum(axis=0)
        for window in _windows(history, baseline_hours, DAY):
            now = value.n[window].sum(axis=0)
            n, m = before.sum(), now.sum()
            if min(n, m) >= FEWEST_RUNS:
                distance = np.abs(np.cumsum(before) / n - np.cumsum(now) / m).max()
                yield history.first_hour + window.stop, name, float(kolmogorov(np.sqrt(n * m / (n + m)) * distance))


def daily_tests(history: History, baseline_hours: int) -> Iterator[Score]:
    """A test of each feature each day; the score is -log10 p."""
    for hour, name, p in _p_values(history, baseline_hours):
        yield Score(hour, name, float(-np.log10(max(p, 1e-300))))


def daily_tests_adjusted(history: History, baseline_hours: int) -> Iterator[Score]:
    """The same, the p-values of a day adjusted to each other by Benjamini and Hochberg."""
    days: dict[int, list[tuple[float, str]]] = {}
    for hour, name, p in _p_values(history, baseline_hours):
        days.setdefault(hour, []).append((p, name))
    for hour, tests in days.items():
        tests.sort()
        adjusted = 1.0
        for rank in range(len(tests), 0, -1):
            p, name = tests[rank - 1]
            adjusted = min(adjusted, p * len(tests) / rank)
            yield Score(hour, name, float(-np.log10(max(adjusted, 1e-300))))


def three_sigma_hourly(history: History, baseline_hours: int) -> Iterator[Score]:
    """Means of hours, in standard deviations of the baseline's."""
    for name, means in hourly_means(history).values():
        before = means[:baseline_hours][np.isfinite(means[:baseline_hours])]
        if len(before) > 2 and before.std() > 0:
            distance = np.abs(means[baseline_hours:] - before.mean()) / before.std()
            for place in np.flatnonzero(distance >= 3):
                yield Score(history.first_hour + baseline_hours + int(place) + 1, name, float(distance[place]))


def adwin(history: History, baseline_hours: int) -> Iterator[Score]:
    """ADWIN over the runs, one by one, values as logarithms scaled to lie between 0 and 1 as it asks for."""
    for name, hours, values in sampled_runs(history, RUNS_PER_HOUR, np.random.default_rng(0)).values():
        before = values[hours < baseline_hours]
        if len(before) < FEWEST_RUNS:
            continue
        low, high = np.quantile(before, (0.001, 0.999))
        detector = ADWIN(delta=0.002)
        update = detector.update
        for hour, value in zip(
            hours.tolist(), np.clip((values - low) / max(high - low, 1e-9), 0, 1).tolist(), strict=True
        ):
            update(value)
            if detector.drift_detected and hour >= baseline_hours:
                yield Score(history.first_hour + int(hour) + 1, name, 1.0)


def page_hinkley(history: History, baseline_hours: int) -> Iterator[Score]:
    """Page and Hinkley's test over means of hours in standard deviations of the baseline's."""
    for name, means in hourly_means(history).values():
        before = means[:baseline_hours][np.isfinite(means[:baseline_hours])]
        if len(before) < FEWEST_RUNS or not before.std() > 0:
            continue
        detector = PageHinkley()
        for hour, value in enumerate(((means - before.mean()) / before.std()).tolist()):
            if np.isfinite(value):
                detector.update(value)
                if detector.drift_detected and hour >= baseline_hours:
                    yield Score(history.first_hour + hour + 1, name, 1.0)


def pelt_daily(history: History, baseline_hours: int) -> Iterator[Score]:
    """Change points in the means of the hours of the last 14 days, sought each midnight; those of the last two days."""
    for name, means in hourly_means(history).values():
        before = means[:baseline_hours][np.isfinite(means[:baseline_hours])]
        if len(before) < FEWEST_RUNS or not before.std() > 0:
            continue
        scaled = (means - before.mean()) / before.std()
        for end in range(baseline_hours + DAY, history.hours + 1, DAY):
            window = scaled[end - baseline_hours : end]
            known = np.flatnonzero(np.isfinite(window))
            if len(known) < FEWEST_RUNS:
                continue
            # The kernel that is linear makes this PELT with the squared error as its cost, in C.
            cost = ruptures.KernelCPD(kernel="linear", min_size=6).fit(window[known, None])
            breaks = cost.predict(pen=3 * np.log(len(known)))
            if any(known[place] >= len(window) - 2 * DAY for place in breaks[:-1]):
                yield Score(history.first_hour + end, name, 1.0)


P_05: Final = float(-np.log10(0.05))
RECIPES: Final = (
    Recipe("PSI > 0.2, weekly", psi_weekly, 0.2, tunable=True),
    Recipe("KS and χ² daily, p < .05", daily_tests, P_05, tunable=True),
    Recipe("the same with Benjamini and Hochberg", daily_tests_adjusted, P_05),
    Recipe("ADWIN 0.002 (river)", adwin, 0.5),
    Recipe("Page and Hinkley, hourly means (river)", page_hinkley, 0.5),
    Recipe("PELT, hourly means (ruptures)", pelt_daily, 0.5),
    Recipe("hourly mean beyond three standard deviations", three_sigma_hourly, 3.0, tunable=True),
)
