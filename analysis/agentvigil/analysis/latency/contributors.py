"""What the critical paths of runs are made of, step by step, and what of it grew.

A run takes exactly as long as its critical path: what of a step lies on it is what the run would have been shorter
without. What no step accounts for is the agent's own time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, NamedTuple

AGENT: Final = "agent"
"""The kind of what is in no step."""

_FEWEST_RUNS: Final = 30
"""With fewer runs a mean is too far from normal for an interval that relies on it."""


class Doing(NamedTuple):
    """What a step does."""

    kind: str
    """model, tool, retrieval, other, or agent."""
    name: str


@dataclass(frozen=True, slots=True)
class PathSum:
    """Sums over the runs of a window, of the steps that do the same."""

    doing: Doing
    steps: int
    runs: int
    """That have such a step."""
    path_ns: float
    """What of them lies on critical paths."""
    path_squares: float | None
    """Sum of the squares of what lies on the path of each run; None where that is not known, and no interval either."""
    p50_ns: float | None = None
    """How long such a step takes from start to end, on the path or not."""
    p95_ns: float | None = None


@dataclass(frozen=True, slots=True)
class WindowSums:
    """Runs of a window, and what they are made of."""

    runs: int
    duration_ns: float
    sums: Sequence[PathSum]


@dataclass(frozen=True, slots=True)
class Contributor:
    """What does one thing, in the window and in the one before."""

    doing: Doing
    now: PathSum | None
    before: PathSum | None
    share: float
    """Of all the time of the window's runs."""
    ns_per_run: float
    """Mean over all runs, also those without it."""
    before_ns_per_run: float | None
    growth_ns: float | None
    """How much longer it makes a run; None if there is nothing to compare with."""
    growth_low_ns: float | None
    """Where the true growth lies, in 95 of 100 such intervals, from here to ``growth_high_ns``; None of few runs."""
    growth_high_ns: float | None
    is_clear: bool
    """Not chance even though so many steps are looked at (Bonferroni)."""


def with_agent(sums: WindowSums) -> WindowSums:
    """Return the same with what is in no step, as the agent's own."""
    rest = max(sums.duration_ns - sum(one.path_ns for one in sums.sums), 0.0)
    own = PathSum(Doing(AGENT, ""), sums.runs, sums.runs, rest, None)
    return WindowSums(sums.runs, sums.duration_ns, [*sums.sums, own] if sums.runs else sums.sums)


def contributors(now: WindowSums, before: WindowSums) -> list[Contributor]:
    """Return what the time of ``now`` goes to, the largest first, with how it grew since ``before``."""
    nows = {one.doing: one for one in now.sums}
    befores = {one.doing: one for one in before.sums}
    z_clear = NormalDist().inv_cdf(1 - 0.025 / max(len(nows | befores), 1))
    told = [_contributor(doing, nows.get(doing), befores.get(doing), now, before, z_clear) for doing in nows | befores]
    return sorted(told, key=lambda one: (-one.ns_per_run, one.doing))


def _contributor(
    doing: Doing,
    its_now: PathSum | None,
    its_before: PathSum | None,
    now: WindowSums,
    before: WindowSums,
    z_clear: float,
) -> Contributor:
    mean_now, error_now = _mean(its_now, now.runs)
    mean_before, error_before = _mean(its_before, before.runs)
    growth = low = high = None
    is_clear = False
    if now.runs and before.runs:
        growth = mean_now - mean_before
        if error_now is not None and error_before is not None:
            # Welch: both variances as they are.
            error = math.sqrt(error_now + error_before)
            reach = NormalDist().inv_cdf(0.975) * error
            low, high = growth - reach, growth + reach
            is_clear = abs(growth) > z_clear * error
    return Contributor(
        doing,
        its_now,
        its_before,
        mean_now * now.runs / now.duration_ns if now.duration_ns else 0.0,
        mean_now,
        mean_before if before.runs else None,
        growth,
        low,
        high,
        is_clear,
    )


def _mean(one: PathSum | None, runs: int) -> tuple[float, float | None]:
    """Return the mean over all runs, and the square of its standard error; None of too few to tell."""
    if runs < _FEWEST_RUNS or (one is not None and one.path_squares is None):
        return (one.path_ns / runs if one is not None and runs else 0.0), None
    if one is None or one.path_squares is None:
        return 0.0, 0.0
    mean = one.path_ns / runs
    variance = max(one.path_squares - runs * mean**2, 0.0) / max(runs - 1, 1)
    return mean, variance / runs
