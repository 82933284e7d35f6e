"""The failure modes on agents with which they are wrong, and on agents with which something else is.

Each agent is looked at once, three weeks after, when its window of four weeks still reaches back to before; each mode
is asked about each case, so that what another mode's fault makes it say counts against its precision.
"""

from collections.abc import Iterable

from course import Course
from evaluation import Verdicts
from generator import BASELINE_DAYS, MONITORED_DAYS, count_runs, course_of, subject_of
from modes import CASES, Case

from agentvigil.analysis.failure_modes.registry import FAILURE_MODES, find_all


def verdicts(seed: int, numbers: Iterable[int], count: int, case: Case) -> dict[str, Verdicts]:
    """Return for each mode what it said of a case that sets in with some agents of a fleet."""
    found = dict.fromkeys(FAILURE_MODES, Verdicts(0, 0, 0, 0))
    for number in numbers:
        course = course_of(seed, number, count, faults=[case.fault()])
        if not _happens(course, case):
            continue
        end = course.first_hour + 24 * (BASELINE_DAYS + MONITORED_DAYS)
        observations = find_all(count_runs(course), subject_of(course.agent), end)
        named = {observation.detector for observation in observations}
        for mode in found:
            if case.is_failure and case.mode == mode:
                found[mode] += Verdicts(int(mode in named), 1, 0, 0)
            else:
                found[mode] += Verdicts(0, 0, int(mode in named), 1)
    return found


def _happens(course: Course, case: Case) -> bool:
    """Return whether the case is one with this agent: an input mix needs two classes."""
    return "input mix" not in case.words or len(course.agent.classes) > 1


def cases_of_agents() -> list[Case]:
    """Return the cases that show in one agent."""
    return [case for case in CASES if not case.by_model]
