"""Experiments: fleets that are drawn, watched by all methods, and judged. Each function is one piece of work.

All methods see the same runs. The baseline is the first 14 days, whatever comes after; nobody renews it, as nobody has
looked at any alarm.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from climates import CALM, HARSH, Climate
from course import Course
from drifts import DRIFTS, INPUT_MIX, Drift, onset
from evaluation import Alarm, FalseAlarms, Power, Trial, false_alarms, trial
from generator import BASELINE_DAYS, MONITORED_DAYS, fleet, subject_of
from history import history_of
from ours import Baselines, baselines_of, watch
from recipes import RECIPES, Recipe, Score, months_of, tuned

from agentvigil.analysis.features.cells import Cells, Subject

OURS = "agentvigil"
CLIMATES: Mapping[str, Climate] = {"calm": CALM, "harsh": HARSH}
BASELINE_HOURS = 24 * BASELINE_DAYS
MONITORED_HOURS = 24 * MONITORED_DAYS
TUNED_RATE = 0.1
"""False alarms in an agent's month that tuned recipes may have."""

Thresholds = Mapping[str, float]
"""Of tuned recipes, by their names."""


@dataclass(frozen=True)
class Watched:
    """A fleet with its cells."""

    courses: dict[Subject, Course]
    cells: dict[Subject, Cells]

    @property
    def baseline(self) -> tuple[int, int]:
        """From which hour to which."""
        first = next(iter(self.courses.values())).first_hour
        return first, first + BASELINE_HOURS

    @property
    def end(self) -> int:
        return self.baseline[1] + MONITORED_HOURS


@dataclass
class Nothing:
    """What methods said of agents with which nothing was wrong."""

    by_method: dict[str, FalseAlarms] = field(default_factory=dict)
    by_feature: dict[str, int] = field(default_factory=dict)
    """Alarms of ours."""

    def __add__(self, other: "Nothing") -> "Nothing":
        zero = FalseAlarms(0, 0)
        names = {**self.by_method, **other.by_method}
        features = {**self.by_feature, **other.by_feature}
        return Nothing(
            {name: self.by_method.get(name, zero) + other.by_method.get(name, zero) for name in names},
            {name: self.by_feature.get(name, 0) + other.by_feature.get(name, 0) for name in features},
        )


def drawn(seed: int, count: int, climate: Climate, drift: Drift | None = None) -> Watched:
    """Return a fleet, with a drift in each of its agents or with none."""
    courses: dict[Subject, Course] = {}
    cells: dict[Subject, Cells] = {}
    for course, counted in fleet(seed, count, climate, faults=[drift.fault()] if drift else []):
        courses[subject_of(course.agent)] = course
        cells[subject_of(course.agent)] = counted
    return Watched(courses, cells)


def alarms_of_recipes(watched: Watched, thresholds: Thresholds) -> dict[str, dict[Subject, list[Alarm]]]:
    """Return the alarms of each recipe, as it is offered and as it is tuned."""
    alarms: dict[str, dict[Subject, list[Alarm]]] = {}
    for subject, cells in watched.cells.items():
        history = history_of(cells, watched.baseline[0], watched.end)
        for recipe in RECIPES:
            scores = list(recipe.scores(history, BASELINE_HOURS))
            alarms.setdefault(recipe.name, {})[subject] = _reaching(scores, recipe.threshold)
            if recipe.name in thresholds:
                alarms.setdefault(tuned_name(recipe), {})[subject] = _reaching(scores, thresholds[recipe.name])
    return alarms


def tuned_name(recipe: Recipe) -> str:
    """Return what a tuned recipe is called."""
    return f"{recipe.name}, tuned to {TUNED_RATE}"


def _reaching(scores: Iterable[Score], threshold: float) -> list[Alarm]:
    return [Alarm(score.hour, score.feature) for score in scores if score.value >= threshold]


def tune(seed: int, count: int, climate: str) -> dict[str, float]:
    """Return the thresholds at which recipes have the rate of false alarms that they may have, on one fleet."""
    watched = drawn(seed, count, CLIMATES[climate])
    scores: dict[str, list[list[Score]]] = {recipe.name: [] for recipe in RECIPES if recipe.tunable}
    for cells in watched.cells.values():
        history = history_of(cells, watched.baseline[0], watched.end)
        for recipe in RECIPES:
            if recipe.tunable:
                scores[recipe.name].append(list(recipe.scores(history, BASELINE_HOURS)))
    months = months_of(MONITORED_HOURS, count)
    return {r.name: tuned(r, scores[r.name], months, TUNED_RATE) for r in RECIPES if r.tunable}


def nothing(seed: int, count: int, climate: str, thresholds: Thresholds | None = None) -> Nothing:
    """Watch a fleet with which nothing is wrong; with ``thresholds``, by the recipes as well."""
    watched = drawn(seed, count, CLIMATES[climate])
    alarms = {
        OURS: watch(watched.cells, baselines_of(watched.cells, *watched.baseline), watched.baseline[1], watched.end)
    }
    if thresholds is not None:
        alarms.update(alarms_of_recipes(watched, thresholds))
    result = Nothing()
    for method, by_subject in alarms.items():
        for mine in by_subject.values():
            said = false_alarms(mine, MONITORED_HOURS)
            result += Nothing({method: said})
            if method == OURS:
                for alarm in mine:
                    result.by_feature[alarm.feature] = result.by_feature.get(alarm.feature, 0) + 1
    return result


def powers(
    seed: int, count: int, drift_names: Iterable[str], thresholds: Thresholds | None = None
) -> dict[tuple[str, str], Power]:
    """Watch a fleet with each of some drifts, and return what each method finds: by method and drift.

    The baselines are learned once: before a drift sets in, all these fleets are the same.
    """
    names = set(drift_names)
    baselines: Baselines | None = None
    found: dict[tuple[str, str], Power] = {}
    for drift in DRIFTS:
        if drift.name in names:
            watched = drawn(seed, count, CALM, drift)
            baselines = baselines or baselines_of(watched.cells, *watched.baseline)
            alarms = {OURS: watch(watched.cells, baselines, watched.baseline[1], watched.end)}
            if thresholds is not None:
                alarms.update(alarms_of_recipes(watched, thresholds))
            for method, by_subject in alarms.items():
                trials = [trial_of(watched, subject, drift, mine) for subject, mine in by_subject.items()]
                found[method, drift.name] = Power(tuple(trials))
    return found


def trial_of(watched: Watched, subject: Subject, drift: Drift, alarms: list[Alarm]) -> Trial:
    """Return when a drift of one agent was found, by what was said of it."""
    course = watched.courses[subject]
    counted = watched.cells[subject].of("status")
    counted = counted.where(counted.key == 0)
    runs = np.bincount(counted.hour - course.first_hour, counted.n, course.hours).astype(np.int64)
    began = course.first_hour + onset(course)
    return trial(alarms, drift.features, began, course.agent.runs_per_day, runs, course.first_hour)


def mix_alone(seed: int, count: int, thresholds: Thresholds | None = None) -> dict[str, FalseAlarms]:
    """Watch a fleet in which nothing but the input mix changes, and return the alarms that were raised since."""
    watched = drawn(seed, count, CALM, INPUT_MIX)
    several = {subject: course for subject, course in watched.courses.items() if len(course.agent.classes) > 1}
    alarms = {
        OURS: watch(watched.cells, baselines_of(watched.cells, *watched.baseline), watched.baseline[1], watched.end)
    }
    if thresholds is not None:
        alarms.update(alarms_of_recipes(watched, thresholds))
    return {method: since_onset(several, by_subject, watched.end) for method, by_subject in alarms.items()}


def since_onset(courses: Mapping[Subject, Course], alarms: Mapping[Subject, list[Alarm]], end_hour: int) -> FalseAlarms:
    """Return the alarms since something changed in each course that is no drift."""
    said = FalseAlarms(0, 0)
    for subject, course in courses.items():
        began = course.first_hour + onset(course)
        said += false_alarms((one for one in alarms[subject] if one.hour > began), end_hour - began)
    return said
