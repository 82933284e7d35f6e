"""Whether a run is out of the ordinary: a pure function of the run and of what is usual."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agentvigil.analysis.anomalies.baselines import ANY_STEPS, Baseline, Cell, step_bucket
from agentvigil.analysis.anomalies.kinds import MEASURES, Kind, Measure
from agentvigil.analysis.anomalies.loops import Streak
from agentvigil.analysis.anomalies.tool_use import RARE, Surprise
from agentvigil.analysis.features.cells import Subject

LEAST_TIMES = 3.0
"""So many times the usual it has to be, however narrow the usual is."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run, as far as it is looked at."""

    subject: Subject
    run_id: str
    trace_id: str
    started_ns: int
    ended_ns: int
    input_class: str
    version: str
    """As somebody said it; empty otherwise."""
    has_failed: bool
    steps: int
    tools: Sequence[str]
    duration_s: float
    cost_usd: float | None
    tokens: int | None
    tool_calls: int = 0

    def value(self, measure: Measure) -> float | None:
        """Return its value, None where that is unknown or nothing."""
        values = {"steps": self.steps, "tokens": self.tokens, "cost": self.cost_usd, "duration": self.duration_s}
        value = values.get(measure.name)
        return float(value) if value else None


@dataclass(frozen=True, slots=True)
class Unusual:
    """One thing that is out of the ordinary of a run, or of a conversation."""

    kind: Kind
    value: float
    typical: float
    statistic: float
    threshold: float
    runs: int
    """Of which the usual is known."""
    same_steps: bool = False
    """They are those with about as many steps."""
    surprise: Surprise | None = None
    streak: Streak | None = None

    @property
    def excess(self) -> float:
        """How far beyond the limit it is: what anomalies of all kinds are compared by."""
        return self.statistic / self.threshold


def judge(run: Run, baseline: Baseline, streak: Streak | None = None) -> list[Unusual]:
    """Return what is out of the ordinary of ``run``, in the order of their kinds.

    ``streak`` is its longest streak of calls of one tool, if anybody looked.
    """
    found = [_loop(streak, baseline), _tools(run, baseline)]
    for measure in MEASURES.values():
        value = run.value(measure)
        if value is not None:
            found.append(spike(measure, value, baseline, run.input_class, run.steps))
    return in_order(one for one in found if one is not None)


def in_order(found: Iterable[Unusual]) -> list[Unusual]:
    """Return them as they are told: what others follow from comes first."""
    order = list(Kind)
    return sorted(found, key=lambda one: order.index(one.kind))


def spike(
    measure: Measure, value: float, baseline: Baseline, input_class: str, steps: int | None = None
) -> Unusual | None:
    """Return that a value is far higher than usual; None if it is not, or nothing usual is known.

    Where too few runs have about as many ``steps``, each step more than usual may bring as much as those do.
    """
    bucket = step_bucket(steps) if measure.by_steps and steps is not None else ANY_STEPS
    limit = baseline.limit(measure.name, input_class, bucket)
    if limit is None:
        return None
    same_steps = bucket != ANY_STEPS and limit.spread in (
        baseline.spreads.get(Cell(measure.name, input_class, bucket)),
        baseline.spreads.get(Cell(measure.name, None, bucket)),
    )
    typical = limit.spread.typical
    if bucket != ANY_STEPS and not same_steps:
        typical *= _times_the_steps(steps or 0, baseline, input_class)
    z = limit.z_of(value * limit.spread.typical / typical)
    if z <= limit.z or value < LEAST_TIMES * typical or value - typical < measure.least_more:
        return None
    return Unusual(measure.kind, value, typical, z, limit.z, limit.spread.runs, same_steps)


def _times_the_steps(steps: int, baseline: Baseline, input_class: str) -> float:
    usual = baseline.limit("steps", input_class, ANY_STEPS)
    return max(1.0, steps / usual.spread.typical) if usual else 1.0


def _loop(streak: Streak | None, baseline: Baseline) -> Unusual | None:
    if streak is None:
        return None
    limit = baseline.streaks.limit(streak.tool)
    if limit is None or streak.calls <= limit:
        return None
    usual = baseline.streaks.usual_most(streak.tool)
    return Unusual(Kind.LOOP, streak.calls, usual, streak.calls, limit, baseline.streaks.runs, streak=streak)


def _tools(run: Run, baseline: Baseline) -> Unusual | None:
    # A run that failed may not have come to its tools, and a new version may have other ones: both have findings of
    # their own.
    if run.has_failed or (run.version and run.version not in baseline.versions):
        return None
    use = baseline.tools(run.input_class)
    surprise = use.surprise(run.tools) if use else None
    if use is None or surprise is None:
        return None
    share = surprise.runs / surprise.of_runs if surprise.of_runs else 0.0
    return Unusual(Kind.TOOL_CHANGE, share, RARE, surprise.nats, surprise.limit, use.runs, surprise=surprise)
