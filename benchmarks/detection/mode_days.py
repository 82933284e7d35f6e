"""The failure modes as they are used: each agent looked at once a day, with nothing wrong, and with each fault in turn.

    python benchmarks/detection/mode_days.py [--agents 20] [--null-agents 20] [--seed 7]

**Nothing wrong**: 90 days after a baseline of 14, in a calm and in a harsh climate. What a mode says is a false alarm,
once in seven days.

**Faults**: 30 days, the fault on the ninth. A mode finds its fault if it says so on any day after. On agents with the
faults of other modes, with something that looks like it and is none, and before its own fault, whatever a mode says is
wrong and counts against its precision, once for each agent.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from climates import CALM, HARSH, Climate
from course import Course
from drifts import onset
from evaluation import Alarm, FalseAlarms, Power, Trial, Verdicts, false_alarms
from generator import BASELINE_DAYS, MONITORED_DAYS, count_runs, course_of, subject_of
from modes import CASES, Case

from agentvigil.analysis.failure_modes.registry import FAILURE_MODES, FEATURES_READ, find_all
from agentvigil.analysis.features.cells import Cells

NULL_DAYS: Final = 90
LARGE: Final = 200
"""Runs a day from which on an agent is large enough to be judged by."""
_FLEET: Final = 50


def by_day(cells: Cells, first_hour: int) -> Cells:
    """Return the cells with the hours of each day put together, and only what modes read.

    All looks are at midnight, so all sums are the same; only the hour in which something was first seen is not.
    """
    cells = cells.where(np.isin(cells.feature, [cells.words.index(name) for name in FEATURES_READ]))
    day = (cells.hour - first_hour) // 24 * 24 + first_hour
    columns = (day, cells.input_class, cells.model, cells.feature, cells.key, cells.bin.astype(np.int64) + 2**15)
    sizes = [int(column.max()) + 1 for column in columns]
    place = np.zeros(len(cells), np.int64)
    for column, size in zip(columns, sizes, strict=True):
        place = place * size + column
    _, first, at = np.unique(place, return_index=True, return_inverse=True)
    n, s = (np.bincount(at, column) for column in (cells.n, cells.s))
    kept = cells.where(first)
    return replace(kept, hour=day[first], n=n, s=s)


def said_daily(course: Course) -> Iterator[tuple[int, str]]:
    """Yield the hour and the mode of all that is said of an agent, day by day, a day after its baseline first."""
    cells, subject = by_day(count_runs(course), course.first_hour), subject_of(course.agent)
    for day in range(BASELINE_DAYS + 1, course.hours // 24 + 1):
        end = course.first_hour + 24 * day
        for observation in find_all(cells, subject, end):
            yield end, observation.detector


def null(seed: int, numbers: range, climate: Climate) -> dict[str, FalseAlarms]:
    """Return the false alarms of each mode where nothing is wrong."""
    counted = dict.fromkeys(FAILURE_MODES, FalseAlarms(0, 0.0))
    for number in numbers:
        course = course_of(seed, number, _FLEET, climate, BASELINE_DAYS + NULL_DAYS)
        said = list(said_daily(course))
        for mode in FAILURE_MODES:
            alarms = [Alarm(hour, name) for hour, name in said if name == mode]
            counted[mode] += false_alarms(alarms, 24 * NULL_DAYS)
    return counted


def case_results(seed: int, numbers: range, case: Case) -> tuple[list[Trial], dict[str, Verdicts]]:
    """Return when the case was found with each agent, and what each mode said of it."""
    trials, verdicts = [], dict.fromkeys(FAILURE_MODES, Verdicts(0, 0, 0, 0))
    for number in numbers:
        course = course_of(seed, number, _FLEET, CALM, BASELINE_DAYS + MONITORED_DAYS, [case.fault()])
        begins = course.first_hour + onset(course)
        said = list(said_daily(course))
        for mode in FAILURE_MODES:
            is_own = case.is_failure and case.mode == mode
            after = [hour for hour, name in said if name == mode and is_own and hour > begins]
            wrong = any(name == mode and not (is_own and hour > begins) for hour, name in said)
            verdicts[mode] += Verdicts(int(bool(after)), int(is_own), int(wrong), 1)
            if is_own:
                delay = min(after) - begins if after else None
                runs = round(course.agent.runs_per_day * delay / 24) if delay is not None else None
                trials.append(Trial(course.agent.runs_per_day, delay, runs))
    return trials, verdicts


def main() -> None:
    """Run both parts and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=20, help="with each fault, of 20 to 20,000 runs a day")
    parser.add_argument("--null-agents", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    started = time.process_time()
    print(f"numpy {np.__version__}, Python {sys.version.split()[0]}, seed {args.seed}\n")
    _print_null(args)
    _print_cases(args)
    print(f"\n{time.process_time() - started:.0f} s of CPU")


def _print_null(args: argparse.Namespace) -> None:
    numbers = range(0, _FLEET, max(1, _FLEET // args.null_agents)) if args.null_agents else range(0)
    tables = {
        name: null(args.seed, numbers, climate) for name, climate in (("calm", CALM), ("harsh", HARSH)) if len(numbers)
    }
    if not tables:
        return
    print(f"False alarms in an agent's month, {len(numbers)} agents of 90 days looked at daily (95 % interval):\n")
    print("| mode | " + " | ".join(tables) + " |\n|---|" + "---|" * len(tables))
    for mode in FAILURE_MODES:
        cells = [
            f"{found[mode].rate:.3f} ({found[mode].interval.low:.3f} to {found[mode].interval.high:.3f})"
            for found in tables.values()
        ]
        print(f"| {mode} | " + " | ".join(cells) + " |")
    for name, found in tables.items():
        alarms = sum(found[mode].alarms for mode in FAILURE_MODES)
        months = next(iter(found.values())).agent_months
        print(f"\nAll seven, {name}: {alarms} in {months:.0f} agent-months.", flush=True)


def _print_cases(args: argparse.Namespace) -> None:
    numbers = range(0, _FLEET, max(1, _FLEET // args.agents)) if args.agents else range(0)
    trials: dict[str, list[Trial]] = defaultdict(list)
    verdicts = dict.fromkeys(FAILURE_MODES, Verdicts(0, 0, 0, 0))
    for case in CASES:
        if case.by_model or not len(numbers):
            continue
        own, said = case_results(args.seed, numbers, case)
        trials[case.mode] += own
        verdicts = {mode: verdicts[mode] + said[mode] for mode in FAILURE_MODES}
        if case.is_failure:
            found = Power(tuple(own)).of_at_least(LARGE)
            hours = f"{found.median_hours:.0f} h"
            print(
                f"{case.mode}: {case.words}: {found.found.number}/{found.found.of}, {hours}",
                file=sys.stderr,
                flush=True,
            )
    if not trials:
        return
    print(f"\nFaults, {len(numbers)} agents with each, looked at daily for 22 days since:\n")
    print(f"| mode | precision | recall | recall, {LARGE} runs a day and more | median delay of these, hours |")
    print("|---|---|---|---|---|")
    for mode in FAILURE_MODES:
        power = Power(tuple(trials[mode]))
        large = power.of_at_least(LARGE)
        precision, recall = verdicts[mode].precision, verdicts[mode].recall
        print(
            f"| {mode} | {precision.value:.2f} ({precision.number}/{precision.of}) | {recall.value:.2f} "
            f"({recall.number}/{recall.of}) | {large.found.value:.2f} ({large.found.number}/{large.found.of}) | "
            f"{large.median_hours:.0f} |"
        )


if __name__ == "__main__":
    main()
