"""How many input classes an agent may have: up to some hundred, as where they are its users.

Agents of 230 to 17,000 runs a day that have so many classes, drawn as those of fleets are. They are watched with a
drift of the tool mix or of the length of outputs, and while their classes change places at random, which is no drift.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from climates import CALM
from course import Course, lay_out, stream
from drifts import DRIFTS, onset
from evaluation import Alarm, FalseAlarms, Power
from generator import BASELINE_DAYS, MONITORED_DAYS, count_runs, subject_of
from ours import baselines_of, watch
from reporting import rate, share, table
from traits import draw
from trials import Watched, since_onset, trial_of

from agentvigil.analysis.features.cells import Subject

CLASSES: Final = (1, 4, 12, 24, 60, 300)
SEED: Final = 9_000
COUNT: Final = 24
NUMBERS: Final = range(8, COUNT)
LIMITS: Final[Mapping[str, int]] = {"tool_mix_10": 1_500, "length": 4_000}
"""Runs within which each drift should be found."""


@dataclass(frozen=True)
class Said:
    """Of agents with so many classes."""

    classes: int
    found: Mapping[str, Power]
    false_alarms: FalseAlarms
    """Since their classes changed places."""


def with_classes(classes: int) -> Said:
    """Watch one fleet three times."""
    found = {}
    for drift in DRIFTS:
        if drift.name in LIMITS:
            watched = _drawn(classes, drift.fault())
            alarms = _watch(watched)
            found[drift.name] = Power(tuple(trial_of(watched, one, drift, mine) for one, mine in alarms.items()))
    watched = _drawn(classes, _change_places)
    return Said(classes, found, since_onset(watched.courses, _watch(watched), watched.end))


def _drawn(classes: int, fault: Callable[[Course], None]) -> Watched:
    watched = Watched({}, {})
    for number in NUMBERS:
        agent = draw(SEED, number, COUNT, classes=classes)
        course = lay_out(agent, CALM, SEED, BASELINE_DAYS + MONITORED_DAYS, calm_days=BASELINE_DAYS)
        fault(course)
        watched.courses[subject_of(agent)] = course
        watched.cells[subject_of(agent)] = count_runs(course)
    return watched


def _watch(watched: Watched) -> dict[Subject, list[Alarm]]:
    return watch(watched.cells, baselines_of(watched.cells, *watched.baseline), watched.baseline[1], watched.end)


def _change_places(course: Course) -> None:
    hour = onset(course)
    order = stream(course.seed, course.agent.number, "places").permutation(course.runs.shape[1])
    course.runs[hour:] = course.runs[hour:, order]


def told(said: list[Said]) -> str:
    """Return the table, by the number of classes."""
    names = {drift.name: drift.words for drift in DRIFTS}
    head = ["input classes"]
    head += [f"{names[name]}, found within {runs:,} runs, %" for name, runs in LIMITS.items()]
    head.append("false alarms in 30 days after classes changed places")
    rows = [
        [
            f"{one.classes:,}",
            *(share(one.found[name].found_within(runs)) for name, runs in LIMITS.items()),
            rate(one.false_alarms),
        ]
        for one in said
    ]
    return table(head, rows)
