"""Tables in Markdown, and what a reader needs to know of how they came about."""

import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from math import isnan
from pathlib import Path

from drifts import DRIFTS
from evaluation import FalseAlarms, Power, Share, Verdicts
from model_trials import Said

PACKAGES = ("numpy", "scipy", "river", "ruptures")
LARGE = 200
"""Runs a day from which an agent is large enough for the published targets."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column is text, and all others numbers."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """Return what it was measured on, and when."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    processor = names[0].split(":")[1].strip() if names else platform.processor()
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    python = platform.python_version()
    return f"{len(names)} cores ({processor}), Python {python}, {versions}, {datetime.now(UTC):%Y-%m-%d}"


def rate(said: FalseAlarms | None) -> str:
    """Return a rate with its interval."""
    if said is None or not said.agent_months:
        return "n/a"
    low, high = said.interval
    digits = 3 if said.rate < 1 else 1
    return f"{said.rate:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def share(found: Share) -> str:
    """Return a share with its interval, in hundredths."""
    if not found.of:
        return "n/a"
    low, high = found.interval
    return f"{100 * found.value:.0f} ({100 * low:.0f} to {100 * high:.0f})"


def false_alarm_table(by_climate: Mapping[str, Mapping[str, FalseAlarms]], mix: Mapping[str, FalseAlarms]) -> str:
    """Return false alarms of each method in 30 days of one agent, by climate, and when only the input mix changes."""
    methods = list(dict.fromkeys(method for said in by_climate.values() for method in said))
    head = ["method", *by_climate, "input mix alone"]
    rows = [
        [method, *(rate(said.get(method)) for said in by_climate.values()), rate(mix.get(method))] for method in methods
    ]
    return table(head, rows)


def power_table(powers: Mapping[tuple[str, str], Power], least_runs_per_day: float) -> str:
    """Return what each method finds of each drift, and the median hours until then."""
    methods = list(dict.fromkeys(method for method, _ in powers))
    drifts = [drift for drift in DRIFTS if any(name == drift.name for _, name in powers)]
    rows = []
    for method in methods:
        cells = []
        for drift in drifts:
            power = powers.get((method, drift.name))
            cells.append("n/a" if power is None else _found(power.of_at_least(least_runs_per_day)))
        rows.append([method, *cells])
    return table(["method", *(drift.words for drift in drifts)], rows)


def _found(power: Power) -> str:
    hours = power.median_hours
    return f"{100 * power.found.value:.0f}" + ("" if isnan(hours) else f" / {hours:.0f} h")


def delay_table(powers: Mapping[tuple[str, str], Power], method: str) -> str:
    """Return, for one method and large agents, what it finds and how soon, with intervals."""
    rows = []
    for drift in DRIFTS:
        power = powers.get((method, drift.name))
        if power is not None:
            large = power.of_at_least(LARGE)
            rows.append(
                [
                    drift.words,
                    share(power.found),
                    share(large.found),
                    _number(large.median_hours),
                    _number(large.median_runs),
                    share(large.found_within(1_500)),
                    share(large.found_within(4_000)),
                ]
            )
    head = ["drift", "found, all agents, %", f"≥ {LARGE} runs/day, %", "median h", "median runs"]
    return table([*head, "within 1,500 runs, %", "within 4,000 runs, %"], rows)


def _number(value: float) -> str:
    return "n/a" if isnan(value) else f"{value:,.0f}"


def mode_table(modes: Mapping[str, tuple[Verdicts, Power]]) -> str:
    """Return precision, recall and delay of each failure mode."""
    rows = [
        [
            mode.replace("_", " "),
            share(said.precision),
            share(said.recall),
            _number(power.median_hours),
            _number(power.median_runs),
            f"{said.false_positives} of {said.negatives}",
        ]
        for mode, (said, power) in modes.items()
    ]
    head = ["failure mode", "precision, %", "recall, %", "median h", "median runs"]
    return table([*head, "agents of which it was said wrongly"], rows)


def update_table(updates: Mapping[bool, Sequence[Said]], words: tuple[str, str]) -> str:
    """Return what pools say of a model that changed, and of a world that did."""
    rows = []
    for is_failure, what in zip((True, False), words, strict=True):
        said = updates[is_failure]
        hours = sorted(one.updated_hours for one in said if one.updated_hours is not None)
        alone = Share(sum(one.single_agents.number for one in said), sum(one.single_agents.of for one in said))
        rows.append(
            [
                what,
                f"{len(hours)} of {len(said)}" if is_failure else "n/a",
                f"{hours[len(hours) // 2]}" if hours else "n/a",
                f"{sum(one.wrongly_blamed for one in said)}",
                share(alone),
            ]
        )
    head = ["fleets of sixteen agents", "the model is blamed", "median h", "models blamed wrongly"]
    return table([*head, "agents that alarmed alone by then, %"], rows)
