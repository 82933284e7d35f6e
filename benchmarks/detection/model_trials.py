"""A model that changes behind its name: what many small agents show together, and none alone.

A fleet is sixteen agents of 40 to 360 runs a day, each with two of four models. In one case one model's answers become
longer, everywhere at the same hour; in the other all answers do, which is nobody's model. Each pool is to say the
first, and of the second that others moved as well.
"""

from dataclasses import dataclass

from evaluation import Share
from generator import BASELINE_DAYS, MONITORED_DAYS, count_runs, course_of, subject_of
from modes import CASES, EVERYWHERE, UPDATED, Case

from agentvigil.analysis.detection import FleetMonitor, TooFewRuns, fit_fleet, spread_of_fleet
from agentvigil.analysis.detection.pooling import Dimension, PooledMonitor, fit_pools

COUNT = 50
NUMBERS = range(5, 21)


@dataclass(frozen=True)
class Said:
    """Of one fleet with one case."""

    updated_hours: int | None
    """From the change to the first alarm that blames the model that changed."""
    wrongly_blamed: int
    """Models that are blamed and did not change by themselves."""
    single_agents: Share
    """Agents that alarmed alone by the time at which the pool did, of those that use the model."""


def silent_update(seed: int, is_failure: bool) -> Said:
    """Watch one fleet, by model and each agent for itself, until it is found or ten days are over."""
    (case,) = (one for one in CASES if one.by_model and one.is_failure is is_failure)
    courses = [course_of(seed, number, COUNT, faults=[case.fault()]) for number in NUMBERS]
    cells = {subject_of(course.agent): count_runs(course) for course in courses}
    first = courses[0].first_hour
    start = first + 24 * BASELINE_DAYS
    spread = spread_of_fleet(cells, first, start)
    pools = PooledMonitor(fit_pools(cells.items(), Dimension.MODEL, first, start, fleet=spread))
    fitted = fit_fleet(cells, first, start, fleet=spread)
    alone = FleetMonitor(one for one in fitted.values() if not isinstance(one, TooFewRuns))
    users = {subject_of(course.agent) for course in courses if UPDATED in course.models}
    changed = first + EVERYWHERE
    found: int | None = None
    blamed: set[str] = set()
    by_themselves = set()
    for hour in range(start, min(changed + 24 * 10, start + 24 * MONITORED_DAYS)):
        if found is None:
            by_themselves |= {alarm.subject for alarm in alone.advance(hour, cells)}
        for alarm in pools.advance(hour, cells):
            if not alarm.others_moved:
                is_right = case.is_failure and alarm.value == UPDATED and hour >= changed
                if is_right and found is None:
                    found = hour + 1 - changed
                if not is_right:
                    blamed.add(alarm.value)
    return Said(found, len(blamed), Share(len(by_themselves & users), len(users)))


def case_words() -> tuple[str, str]:
    """Return what happens in either case."""
    cases: dict[bool, Case] = {case.is_failure: case for case in CASES if case.by_model}
    return cases[True].words, cases[False].words
