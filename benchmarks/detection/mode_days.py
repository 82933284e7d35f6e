"""The failure modes as they are used: each agent looked at once a day, with nothing wrong, and with each fault in turn.

    python benchmarks/detection/mode_days.py [--agents 25] [--seeds 7 8] [--null-agents 25]

**Nothing wrong**: 90 days after a baseline of 14, in a calm and in a harsh climate. What a mode says is a false alarm,
once in seven days.

**Faults**: 30 days, the fault on the ninth. A mode finds its fault if it says so on any day after. With the faults of
other modes, with something that looks like it and is none, with nothing, and before its own fault, whatever a mode says
is wrong and counts against its precision, once for each agent and case. Features that a case does not touch are the
same as with nothing, bit for bit, so what is said of them is counted once, with nothing.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from climates import CALM, HARSH, Climate
from course import Course
from drifts import onset
from evaluation import Alarm, FalseAlarms, Power, Share, Trial, Verdicts, false_alarms
from generator import BASELINE_DAYS, MONITORED_DAYS, USED, count_runs, course_of, subject_of
from modes import CASES, Case

from agentvigil.analysis.failure_modes.looking import look_back
from agentvigil.analysis.failure_modes.registry import FAILURE_MODES
from agentvigil.analysis.features.cells import Cells

NULL_DAYS: Final = 90
LARGE: Final = 200
"""Runs a day from which on an agent is large."""
FLEET: Final = 50
OF_AGENTS: Final = tuple(case for case in CASES if not case.by_model)


@dataclass
class Judged:
    """What modes said of agents with cases."""

    verdicts: dict[str, Verdicts] = field(default_factory=lambda: dict.fromkeys(FAILURE_MODES, Verdicts(0, 0, 0, 0)))
    trials: dict[str, list[Trial]] = field(default_factory=lambda: defaultdict(list))
    """By the words of cases."""

    def power(self, mode: str) -> Power:
        """Return what a mode found of its own faults."""
        words = [case.words for case in OF_AGENTS if case.is_failure and case.mode == mode]
        return Power(tuple(trial for case in words for trial in self.trials.get(case, ())))

    def add(self, other: "Judged") -> None:
        """Count what is said in ``other`` as well."""
        self.verdicts = {mode: self.verdicts[mode] + other.verdicts[mode] for mode in self.verdicts}
        for words, trials in other.trials.items():
            self.trials[words] += trials


def by_day(cells: Cells, first_hour: int) -> Cells:
    """Return the cells with the hours of each day put together.

    All looks are at midnight, so all sums are the same; only the hour in which something was first seen is not.
    """
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


def said_daily(course: Course, modes: Collection[str] = FAILURE_MODES) -> Iterator[tuple[int, str]]:
    """Yield the hour and the mode of all that is said of an agent, day by day, a day after its baseline first."""
    for name in modes:
        mode = FAILURE_MODES[name]
        cells = by_day(count_runs(course, mode.features), course.first_hour)
        for day in range(BASELINE_DAYS + 1, course.hours // 24 + 1):
            end = course.first_hour + 24 * day
            look, baseline, window = look_back(cells, subject_of(course.agent), end)
            for _ in mode.find(baseline, window, look):
                yield end, name


def null(seed: int, numbers: range, climate: Climate) -> dict[str, FalseAlarms]:
    """Return the false alarms of each mode where nothing is wrong."""
    counted = dict.fromkeys(FAILURE_MODES, FalseAlarms(0, 0.0))
    for number in numbers:
        course = course_of(seed, number, FLEET, climate, BASELINE_DAYS + NULL_DAYS)
        said = list(said_daily(course))
        for mode in FAILURE_MODES:
            alarms = [Alarm(hour, name) for hour, name in said if name == mode]
            counted[mode] += false_alarms(alarms, 24 * NULL_DAYS)
    return counted


def changed_features(plain: Course, course: Course) -> set[str]:
    """Return the features that a fault changed; all of them where it changed who comes, or which model answers."""
    if not (np.array_equal(plain.runs, course.runs) and np.array_equal(plain.model_share, course.model_share)):
        return {feature for mode in FAILURE_MODES.values() for feature in mode.features}
    changed = {
        name
        for name, now in course.categories.items()
        if not np.array_equal(plain.categories[name].log_odds, now.log_odds)
    }
    changed |= {
        name for name, now in course.values.items() if not np.array_equal(plain.values[name].log2_mean, now.log2_mean)
    }
    for name, tally in course.tallies.items():
        before = plain.tallies[name]
        if not (np.array_equal(before.log_odds, tally.log_odds) and np.array_equal(before.per_run, tally.per_run)):
            changed.add(name)
    return changed | ({"usage"} if changed & set(USED) else set())


def judged(seed: int, number: int, climate: Climate = CALM) -> Judged:
    """Return what is said of one agent with nothing, and with each case in turn."""
    days = BASELINE_DAYS + MONITORED_DAYS
    plain = course_of(seed, number, FLEET, climate, days)
    result = Judged()
    said = {name for _, name in said_daily(plain)}
    for mode in FAILURE_MODES:
        result.verdicts[mode] += Verdicts(0, 0, int(mode in said), 1)
    for case in OF_AGENTS:
        course = course_of(seed, number, FLEET, climate, days, [case.fault()])
        changed = changed_features(plain, course)
        modes = [name for name, mode in FAILURE_MODES.items() if changed & set(mode.features)]
        result.add(_with_case(case, course, modes))
    return result


def _with_case(case: Case, course: Course, modes: Collection[str]) -> Judged:
    begins = course.first_hour + onset(course)
    said, result = list(said_daily(course, modes)), Judged()
    for mode in modes:
        is_own = case.is_failure and case.mode == mode
        after = [hour for hour, name in said if name == mode and is_own and hour > begins]
        wrong = any(name == mode and not (is_own and hour > begins) for hour, name in said)
        result.verdicts[mode] += Verdicts(int(bool(after)), int(is_own), int(wrong), 1)
        if is_own:
            delay = min(after) - begins if after else None
            runs = round(course.agent.runs_per_day * delay / 24) if delay is not None else None
            result.trials[case.words].append(Trial(course.agent.runs_per_day, delay, runs))
    return result


def main() -> None:
    """Run both parts and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--agents", type=int, default=25, help="of each seed, with each fault, of 20 to 20,000 runs a day"
    )
    parser.add_argument("--null-agents", type=int, default=25, help="of each seed and climate")
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8])
    args = parser.parse_args()
    started = time.process_time()
    print(f"numpy {np.__version__}, Python {sys.version.split()[0]}, seeds {args.seeds}\n")
    _print_null(args.seeds, _every(args.null_agents))
    _print_cases(args.seeds, _every(args.agents))
    print(f"\n{time.process_time() - started:.0f} s of CPU")


def _every(agents: int) -> range:
    return range(0, FLEET, max(1, FLEET // agents)) if agents else range(0)


def _print_null(seeds: list[int], numbers: range) -> None:
    if not len(numbers):
        return
    tables = {}
    for climate_name, climate in (("calm", CALM), ("harsh", HARSH)):
        found = dict.fromkeys(FAILURE_MODES, FalseAlarms(0, 0.0))
        for seed in seeds:
            found = {mode: found[mode] + said for mode, said in null(seed, numbers, climate).items()}
            print(f"{climate_name} {seed}: {_all(found)}", file=sys.stderr, flush=True)
        tables[climate_name] = found
    print("False alarms in an agent's month (95 % interval), looked at daily:\n")
    print("| mode | " + " | ".join(tables) + " |\n|---|" + "---|" * len(tables))
    for mode in FAILURE_MODES:
        print(f"| {mode} | " + " | ".join(_rate(found[mode]) for found in tables.values()) + " |")
    print("| all seven | " + " | ".join(_rate(_all(found)) for found in tables.values()) + " |", flush=True)


def _all(found: dict[str, FalseAlarms]) -> FalseAlarms:
    return FalseAlarms(sum(one.alarms for one in found.values()), next(iter(found.values())).agent_months)


def _rate(found: FalseAlarms) -> str:
    low, high = found.interval
    return f"{found.alarms} in {found.agent_months:.0f}: {found.rate:.3f} ({low:.3f} to {high:.3f})"


def _print_cases(seeds: list[int], numbers: range) -> None:
    small, large = Judged(), Judged()
    for number in numbers:
        for seed in seeds:
            is_large = course_of(seed, number, FLEET).agent.runs_per_day >= LARGE
            (large if is_large else small).add(judged(seed, number))
        print(f"agent {number}", file=sys.stderr, flush=True)
    if not len(numbers):
        return
    print(
        f"\nFaults, {len(numbers) * len(seeds)} agents with each, looked at daily for 22 days since (95 %, Wilson):\n"
    )
    print("| mode | runs a day | precision | recall | median delay, hours |\n|---|---|---|---|---|")
    for mode in FAILURE_MODES:
        for size, group in ((f"20 to {LARGE}", [small]), (f"{LARGE} and more", [large]), ("all", [small, large])):
            verdicts = sum((one.verdicts[mode] for one in group), Verdicts(0, 0, 0, 0))
            power = Power(tuple(trial for one in group for trial in one.power(mode).trials))
            precision, recall = _share(verdicts.precision), _share(verdicts.recall)
            print(f"| {mode} | {size} | {precision} | {recall} | {power.median_hours:.0f} |")
    print(
        "\nBy case and size, recall:\n\n| case | "
        + " | ".join(f"{low:.0f} to {high:.0f}" for low, high in _BANDS)
        + " |"
    )
    print("|---|" + "---|" * len(_BANDS))
    for case in (case for case in OF_AGENTS if case.is_failure):
        trials = [*small.trials[case.words], *large.trials[case.words]]
        shares = [Power(tuple(one for one in trials if low <= one.runs_per_day < high)).found for low, high in _BANDS]
        print(f"| {case.mode}: {case.words} | " + " | ".join(f"{one.number}/{one.of}" for one in shares) + " |")


_BANDS: Final = ((20, 40), (40, 70), (70, 120), (120, 200), (200, 20_000))


def _share(share: Share) -> str:
    low, high = share.interval
    return f"{share.value:.2f}, {share.number}/{share.of} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    main()
