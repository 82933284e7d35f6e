"""Compares two versions of an agent by what their runs did."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agentvigil.analysis.comparing.intervals import Mean, Share, z_of_many
from agentvigil.api.agents.diff_models import (
    FailureChange,
    LatencyChange,
    MeanChange,
    ModelChange,
    MoneyChange,
    NamesChange,
    RateChange,
    ToolChange,
    VersionDiff,
)
from agentvigil.api.agents.summary import summary_of
from agentvigil.api.ranges import TimeRange
from agentvigil.api.totals.models import Latency, told_ns

_NO_CALLS: Final[Mapping[str, Any]] = {"runs": 0, "calls": 0, "squares": 0, "errors": 0, "errors_by_code": ((), ())}


@dataclass(frozen=True, slots=True)
class Compared:
    """Rows about the runs of both versions, each with the version's ``key``; named after their statements."""

    versions: Mapping[str, Mapping[str, Any]]
    failures: Iterable[Mapping[str, Any]]
    models: Iterable[Mapping[str, Any]]
    tools: Iterable[Mapping[str, Any]]


def diff_of(agent: str, before: str, after: str, time: TimeRange, compared: Compared) -> VersionDiff:
    """Return what changed from version ``before`` to ``after``, both among the ``versions`` of ``compared``."""
    old, new = compared.versions[before], compared.versions[after]

    def both(of: Callable[[Mapping[str, Any]], Any]) -> tuple[Any, Any]:
        return of(old), of(new)

    failures = _by_name(compared.failures, before, after, "failure_type", "failure_code")
    models = _by_name(compared.models, before, after, "name")
    tools = _by_name(compared.tools, before, after, "name")
    comparing = _Comparing(both(lambda version: version["runs"]), z_of_many(_comparisons(failures, models, tools)))
    changed_failures = comparing.failures(failures)
    z = comparing.z
    latency = both(lambda version: Latency(**dict(zip(_LATENCIES, told_ns(version["durations"]), strict=True))))
    diff = VersionDiff(
        agent=agent,
        before=before,
        after=after,
        since=time.since,
        until=time.until,
        runs_before=comparing.runs[0],
        runs_after=comparing.runs[1],
        summary=[],
        failure_rate=RateChange.of(
            *both(lambda version: Share(version["failures"], version["runs"] - version["opens"])), z
        ),
        failures=changed_failures,
        new_failure_codes=sorted(_codes(changed_failures, are_new=True) - _codes(changed_failures, are_new=False)),
        cost_per_run_usd=MoneyChange.of(*both(lambda version: _mean(version["cost_of_a_run"])), z),
        tokens_per_run=MeanChange.of(*both(lambda version: _mean(version["tokens_of_a_run"])), z),
        steps_per_run=MeanChange.of(*both(lambda version: _mean(version["steps_of_a_run"])), z),
        duration=LatencyChange(
            before=latency[0],
            after=latency[1],
            mean_ms=MeanChange.of(*both(lambda version: _mean(version["duration_of_a_run"], 1e-6)), z),
        ),
        tools=_names(*both(lambda version: version["tools"])),
        tool_changes=[comparing.tool(name, sides) for (name,), sides in sorted(tools.items())],
        models=_names(*both(lambda version: version["models"])),
        model_changes=[
            ModelChange(model=name, runs=comparing.of_runs(sides)) for (name,), sides in sorted(models.items())
        ],
        prompt_fingerprints=_names(*both(lambda version: version["fingerprints"])),
    )
    return diff.model_copy(update={"summary": list(summary_of(diff))})


_LATENCIES: Final = ("p50_ms", "p95_ms", "p99_ms")
_OF_ALL: Final = 5
"""Failure rate, cost, tokens, steps, duration."""

_OF_A_TOOL: Final = 3
"""Runs, calls, errors."""

_Sides = tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]
"""The row of the version before, and that of the one after; None where there is none."""

_ByName = Mapping[tuple[str, ...], _Sides]


@dataclass(frozen=True, slots=True)
class _Comparing:
    """Compares versions that have so many ``runs``; clear is what lies ``z`` standard errors from 0."""

    runs: tuple[int, int]
    z: float

    def of_runs(self, sides: _Sides) -> RateChange:
        before, after = (
            Share(side["runs"] if side else 0, total) for side, total in zip(sides, self.runs, strict=True)
        )
        return RateChange.of(before, after, self.z)

    def failures(self, rows: _ByName) -> list[FailureChange]:
        return [
            FailureChange(type=type_, code=code, is_new=sides[0] is None, runs=self.of_runs(sides))
            for (type_, code), sides in sorted(rows.items())
        ]

    def tool(self, name: str, sides: _Sides) -> ToolChange:
        before, after = (side or _NO_CALLS for side in sides)
        old, new = _errors_by_code(before), _errors_by_code(after)

        def of_calls(failed_before: int, failed_after: int) -> RateChange:
            return RateChange.of(Share(failed_before, before["calls"]), Share(failed_after, after["calls"]), self.z)

        return ToolChange(
            tool=name,
            runs=self.of_runs(sides),
            calls_per_run=MeanChange.of(
                _calls_per_run(before, self.runs[0]), _calls_per_run(after, self.runs[1]), self.z
            ),
            errors=of_calls(before["errors"], after["errors"]),
            error_codes={
                code: of_calls(old.get(code, 0), new.get(code, 0)) for code in sorted(old.keys() | new.keys())
            },
        )


def _by_name(rows: Iterable[Mapping[str, Any]], before: str, after: str, *names: str) -> _ByName:
    sides: dict[tuple[str, ...], dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        sides.setdefault(tuple(row[name] for name in names), {})[row["key"]] = row
    return {name: (found.get(before), found.get(after)) for name, found in sides.items()}


def _comparisons(failures: _ByName, models: _ByName, tools: _ByName) -> int:
    """Return how many differences are looked at."""
    codes = sum(len(set().union(*(_errors_by_code(side or _NO_CALLS) for side in sides))) for sides in tools.values())
    return _OF_ALL + len(failures) + len(models) + _OF_A_TOOL * len(tools) + codes


def _codes(failures: Iterable[FailureChange], *, are_new: bool) -> set[str]:
    return {failure.code for failure in failures if failure.is_new == are_new}


def _errors_by_code(calls: Mapping[str, Any]) -> dict[str, int]:
    return dict(zip(*calls["errors_by_code"], strict=True))


def _calls_per_run(calls: Mapping[str, Any], runs: int) -> Mean:
    """Return the mean over all runs: those that did not call the tool count as well."""
    mean = calls["calls"] / runs
    variance = (calls["squares"] - runs * mean**2) / (runs - 1) if runs > 1 else 0.0
    return Mean(runs, mean, max(0.0, variance))


def _mean(found: tuple[int, float | None, float | None], unit: float = 1.0) -> Mean:
    """Return count, mean and variance as the store has them, where those of too few values are NULL or NaN."""
    count, mean, variance = (0 if value is None or math.isnan(value) else value for value in found)
    return Mean(int(count), mean * unit, variance * unit**2)


def _names(before: Iterable[str], after: Iterable[str]) -> NamesChange:
    old, new = set(before), set(after)
    return NamesChange(added=sorted(new - old), removed=sorted(old - new), kept=sorted(old & new))
