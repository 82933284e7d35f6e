"""Measures false alarms, power and delay of the drift detector and of the industry's recipes, on fleets that are drawn.

examples:
  python benchmarks/detection/run.py --quick                 a minute or two: ranks, not figures
  python benchmarks/detection/run.py --full --json full.json all tables, on 1,000 agent-months without drift
  python benchmarks/detection/run.py --tcpd                  series of the Turing Change Point Dataset
  python benchmarks/detection/run.py --classes               agents with up to 300 input classes (minutes)
  python benchmarks/detection/run.py --scale                 1,000 agents and 30 days in a store: time and memory

Tables go to standard output, progress to standard error. Every figure can be computed again from its seeds.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import class_trials
import tcpd_trials
from drifts import DRIFTS
from evaluation import FalseAlarms, Power
from mode_days import FLEET, Judged, judged
from model_trials import Said, case_words, silent_update
from reporting import LARGE, delay_table, false_alarm_table, machine, mode_table, power_table, update_table
from trials import MONITORED_HOURS, OURS, Nothing, mix_alone, nothing, powers, tune

NULL_SEED, HARSH_SEED, TUNING_SEED, DRIFT_SEED, MIX_SEED, MODE_SEED, MODEL_SEED = (
    1_000,
    2_000,
    3_000,
    4_000,
    5_000,
    6_000,
    8_000,
)


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    agents: int
    """Of each fleet."""
    tuning_agents: int
    """Of the fleet on which recipes are tuned."""
    calm_fleets: int
    harsh_fleets: int
    recipe_fleets: int
    """Of those, how many the recipes watch as well, of each climate."""
    drift_fleets: int
    drifts: tuple[str, ...]
    mode_agents: int
    """With each fault, of 200 to 20,000 runs a day."""
    model_fleets: int
    """In which a model changes behind its name."""


QUICK: Final = Size(6, 20, 1, 1, 1, 1, ("tool_mix_10", "new_tool", "length", "errors"), 1, 1)
FULL: Final = Size(50, 100, 14, 6, 2, 2, tuple(drift.name for drift in DRIFTS), 11, 10)


class Work:
    """Pieces of work on several processes, with a line for each that is done."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool
        self._began = time.monotonic()

    def each(self, words: str, function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """Yield the results, as they come."""
        waiting = [self._pool.submit(function, *one) for one in arguments]
        for number, done in enumerate(as_completed(waiting), 1):
            yield done.result()
            print(f"{time.monotonic() - self._began:6.0f} s  {words} {number} of {len(waiting)}", file=sys.stderr)


def measure(size: Size, work: Work) -> dict[str, Any]:
    """Return everything that the tables show."""
    climates = {"calm": (NULL_SEED, size.calm_fleets), "harsh": (HARSH_SEED, size.harsh_fleets)}
    (thresholds,) = work.each("tuning", tune, [(TUNING_SEED, size.tuning_agents, "calm")])
    silent: dict[str, Nothing] = {}
    for climate, (seed, fleets) in climates.items():
        silent[climate] = Nothing()
        arguments = [
            (seed + number, size.agents, climate, thresholds if number < size.recipe_fleets else None)
            for number in range(fleets)
        ]
        for result in work.each(f"{climate} fleets", nothing, arguments):
            silent[climate] += result
    mix: dict[str, FalseAlarms] = {}
    for said in work.each("input mix", mix_alone, [(MIX_SEED, size.agents, thresholds)]):
        mix = {method: mix.get(method, FalseAlarms(0, 0)) + alarms for method, alarms in said.items()}
    found: dict[tuple[str, str], Power] = {}
    arguments = [
        (DRIFT_SEED + number, size.agents, [drift], thresholds if number == 0 else None)
        for number in range(size.drift_fleets)
        for drift in size.drifts
    ]
    for part in work.each("drifts", powers, arguments):
        for name, power in part.items():
            before = found.get(name, Power(()))
            found[name] = Power(before.trials + power.trials)
    large = range(FLEET // 3 + 1, FLEET, max(1, FLEET * 2 // 3 // size.mode_agents))
    said_of = Judged()
    for one in work.each("failure modes", judged, [(MODE_SEED, number) for number in large]):
        said_of.add(one)
    modes = {mode: (verdicts, said_of.power(mode)) for mode, verdicts in sorted(said_of.verdicts.items())}
    updates: dict[bool, list[Said]] = {True: [], False: []}
    arguments = [(MODEL_SEED + number, is_failure) for number in range(size.model_fleets) for is_failure in updates]
    for is_failure, one in work.each("model updates", _with_update, arguments):
        updates[is_failure].append(one)
    return {
        "size": size,
        "thresholds": thresholds,
        "null": silent,
        "mix": mix,
        "powers": found,
        "modes": modes,
        "updates": updates,
    }


def _with_classes(work: Work) -> list[class_trials.Said]:
    arguments = [(classes,) for classes in class_trials.CLASSES]
    found = work.each("fleets by their classes", class_trials.with_classes, arguments)
    return sorted(found, key=lambda said: said.classes)


def _with_update(seed: int, is_failure: bool) -> tuple[bool, Said]:
    return is_failure, silent_update(seed, is_failure)


def told(results: Mapping[str, Any]) -> str:
    """Return the tables."""
    null = {climate: said.by_method for climate, said in results["null"].items()}
    by_feature = {climate: said.by_feature for climate, said in results["null"].items()}
    months = sum(said[OURS].agent_months for said in null.values())
    return "\n\n".join(
        [
            machine(),
            f"## False alarms of one agent in 30 days ({months:,.0f} agent-months for {OURS})",
            false_alarm_table(null, results["mix"]),
            f"{OURS} by feature: {json.dumps(by_feature)}",
            f"## Found, % / median delay; agents with {LARGE} or more runs a day",
            power_table(results["powers"], LARGE),
            "## The same, all agents",
            power_table(results["powers"], 0),
            f"## What {OURS} finds, with intervals",
            delay_table(results["powers"], OURS),
            "## Failure modes",
            mode_table(results["modes"]),
            "## A model that changes behind its name",
            update_table(results["updates"], case_words()),
        ]
    )


def _as_json(results: Mapping[str, Any]) -> str:
    powers_by_name = {f"{method} | {drift}": asdict(power) for (method, drift), power in results["powers"].items()}
    null = {climate: asdict(said) for climate, said in results["null"].items()}
    mix = {method: asdict(said) for method, said in results["mix"].items()}
    modes = {mode: [asdict(verdicts), asdict(power)] for mode, (verdicts, power) in results["modes"].items()}
    size = asdict(results["size"])
    everything = {
        "machine": machine(),
        "size": size,
        "thresholds": results["thresholds"],
        "null": null,
        "mix": mix,
        "modes": modes,
    }
    everything["updates"] = {str(key): [asdict(one) for one in said] for key, said in results["updates"].items()}
    return json.dumps({**everything, "powers": powers_by_name, "monitored_hours": MONITORED_HOURS}, indent=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--quick", action="store_true", help="a small fleet of each kind")
    what.add_argument("--full", action="store_true", help="1,000 agent-months, all drifts and failure modes (hours)")
    what.add_argument("--tcpd", action="store_true", help="the Turing series that river ships")
    what.add_argument("--classes", action="store_true", help="agents with few and with many input classes")
    what.add_argument("--scale", action="store_true", help="time and memory with many agents in a store")
    parser.add_argument("--agents", type=int, help="agents of each fleet (6 or 50), in the store with --scale (1,000)")
    parser.add_argument("--days", type=int, default=30, help="days in the store, with --scale (30)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (one for each core)")
    parser.add_argument("--json", type=Path, help="file for all figures")
    arguments = parser.parse_args()
    if arguments.tcpd:
        print(machine(), tcpd_trials.told(tcpd_trials.scores()), sep="\n\n")
    elif arguments.classes:
        with ProcessPoolExecutor(arguments.workers) as pool:
            print(machine(), class_trials.told(_with_classes(Work(pool))), sep="\n\n")
    elif arguments.scale:
        # Loads the engine, which the processes that only compute need not carry along.
        import scale

        print(machine(), scale.told(scale.measure(arguments.agents or 1_000, arguments.days)), sep="\n\n")
    else:
        size = QUICK if arguments.quick else FULL
        if arguments.agents:
            size = Size(**{**asdict(size), "agents": arguments.agents})
        with ProcessPoolExecutor(arguments.workers) as pool:
            results = measure(size, Work(pool))
        print(told(results))
        if arguments.json:
            arguments.json.write_text(_as_json(results), encoding="utf-8")


if __name__ == "__main__":
    main()
