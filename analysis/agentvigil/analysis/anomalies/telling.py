"""What is said of an unusual run, or conversation: sentences of structure and numbers alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from agentvigil.analysis.anomalies.culprits import Culprit, Doing
from agentvigil.analysis.anomalies.judging import Run, Unusual
from agentvigil.analysis.anomalies.kinds import MEASURE_OF, Kind
from agentvigil.analysis.anomalies.spread import FALSE_ALARMS
from agentvigil.analysis.explaining import wording
from agentvigil.analysis.explaining.labels import quoted
from agentvigil.analysis.features.names import Unit
from agentvigil.analysis.findings.model import Kind as FindingKind
from agentvigil.analysis.findings.model import Observation, Severity, SubjectType

BASELINE_DAYS: Final = 28

_FEATURE: Final = {kind: measure.feature for kind, measure in MEASURE_OF.items()} | {
    Kind.LOOP: "tool_order",
    Kind.TOOL_CHANGE: "tool",
}
_UNIT: Final = {kind: measure.unit for kind, measure in MEASURE_OF.items()} | {
    Kind.LOOP: Unit.COUNT,
    Kind.TOOL_CHANGE: Unit.SHARE,
}
_MAJOR_TIMES: Final = 10.0
_CRITICAL_TIMES: Final = 100.0
_MAJOR_USD: Final = 1.0
_CRITICAL_USD: Final = 50.0


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation, as far as it is looked at."""

    conversation_id: str
    dearest_run: str
    runs: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """An unusual run: what is unusual, first what it is told as, and what caused it."""

    run: Run
    unusual: Sequence[Unusual]
    culprit: Culprit | None = None
    typical_runs: Sequence[str] = ()
    session: Session | None = None
    """The conversation that it is about; ``run`` is its first run then."""


def observation(found: Found, as_of: date, *, not_told: int = 0, most_a_day: int) -> Observation:
    """Return ``found`` for the book of findings.

    ``not_told`` others of the agent and day were found and are not told, since ``most_a_day`` are.
    """
    run, main = found.run, found.unusual[0]
    started, ended = _time(run.started_ns), _time(max(run.ended_ns, run.started_ns))
    # A set of tools has no usual value beside it.
    usual = None if main.surprise else main.typical
    baseline_end = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    return Observation(
        project=run.subject.project,
        kind=FindingKind.ANOMALY,
        detector=str(main.kind),
        subject_type=SubjectType.RUN,
        subject=run.run_id,
        feature=_FEATURE[main.kind],
        seen_at=ended,
        window_start=started,
        window_end=ended,
        severity=_severity(found),
        explanation=" ".join(_sentences(found, not_told, most_a_day)),
        environment=run.subject.environment,
        agent=run.subject.agent,
        stream=main.streak.tool if main.streak else main.surprise.tool if main.surprise else "",
        direction="down" if main.surprise and not main.surprise.is_there else "up",
        baseline_start=baseline_end - timedelta(days=BASELINE_DAYS),
        baseline_end=baseline_end,
        baseline_value=usual,
        window_value=main.value,
        unit=str(_UNIT[main.kind]),
        statistic=main.statistic,
        threshold=main.threshold,
        evidence_level=1 / FALSE_ALARMS,
        effect_size=main.value / usual - 1 if usual else None,
        runs=found.session.runs if found.session else 1,
        details=_details(found, not_told),
        example_runs=_examples(found),
        typical_runs=tuple(found.typical_runs),
    )


def _examples(found: Found) -> tuple[str, ...]:
    if found.session is None:
        return (found.run.run_id,)
    return tuple(dict.fromkeys((found.session.dearest_run, found.run.run_id)))


def _details(found: Found, not_told: int) -> dict[str, Any]:
    culprit = found.culprit
    return {
        "also": [
            {"kind": str(one.kind), "value": one.value, "usual": one.typical, "unit": str(_UNIT[one.kind])}
            for one in found.unusual[1:]
        ],
        "step": culprit
        and {
            "ordinal": culprit.ordinal,
            "kind": culprit.doing.kind,
            "name": culprit.doing.name,
            "steps": culprit.steps,
            "usual_steps": culprit.usual_steps,
            "value": culprit.value,
            "usual": culprit.usual,
            "share": culprit.share,
        },
        "baseline_runs": found.unusual[0].runs,
        "not_told_that_day": not_told,
        "session": found.session and found.session.conversation_id,
    }


def _severity(found: Found) -> Severity:
    """Return how much it matters: by how many times the usual it is, and by the dollars that it cost more."""
    times = max((one.value / one.typical for one in found.unusual if one.typical and one.surprise is None), default=1.0)
    more_usd = max((one.value - one.typical for one in found.unusual if _UNIT[one.kind] is Unit.USD), default=0.0)
    if times >= _CRITICAL_TIMES or more_usd >= _CRITICAL_USD:
        return Severity.CRITICAL
    return Severity.MAJOR if times >= _MAJOR_TIMES or more_usd >= _MAJOR_USD else Severity.MINOR


def _sentences(found: Found, not_told: int, most_a_day: int) -> list[str]:
    main = found.unusual[0]
    agent = quoted(found.run.subject.agent) or "an agent without a name"
    parts = [f"A {'conversation with' if found.session else 'run of'} {agent} {_what(main, found.run)}."]
    if found.culprit is not None and main.streak is None:
        parts.append(_cause(main.kind, found.culprit))
    if also := [_short(one) for one in found.unusual[1:]]:
        parts.append(f"It also {wording.listed(also)}.")
    if not_told:
        day = _time(found.run.started_ns)
        parts.append(
            f"{most_a_day} such findings are told of an agent and day; {'at least ' if not_told > 1 else ''}"
            f"{not_told:,} more of {day:%Y-%m-%d} {'are' if not_told > 1 else 'is'} only counted."
        )
    return parts


def _what(one: Unusual, run: Run) -> str:
    if one.streak is not None:
        tool = quoted(one.streak.tool)
        usual = f"at most {wording.times(int(one.typical)) or 'once'}" if one.typical else "never"
        return (
            f"called the tool {tool} {int(one.value):,} times in a row, in steps {one.streak.first} to "
            f"{one.streak.last}; usual runs call it so {usual} ({one.runs:,} runs)"
        )
    if one.surprise is not None:
        return _tools(one)
    others = "conversations" if one.kind in (Kind.SESSION_RUNS, Kind.SESSION_COST) else "runs"
    if one.same_steps:
        others += f" of about {wording.counted(run.steps, 'step')}"
    return (
        f"{_short(one)} ({one.value / one.typical:,.0f} times as much; {one.runs:,} {others} in {BASELINE_DAYS} days)"
    )


def _tools(one: Unusual) -> str:
    surprise = one.surprise
    assert surprise is not None
    tool, neighbour = quoted(surprise.tool), quoted(surprise.neighbour)
    others = ""
    if neighbour:
        others = f" that {'call' if surprise.has_neighbour else 'do not call'} {neighbour}"
    of_runs = wording.counted(surprise.of_runs, "such run")
    if surprise.is_there:
        return f"called the tool {tool}, which {surprise.runs:,} of {of_runs}{others} did in {BASELINE_DAYS} days"
    with_tool = surprise.of_runs - surprise.runs
    return f"did not call the tool {tool}, which {with_tool:,} of {of_runs}{others} called in {BASELINE_DAYS} days"


def _short(one: Unusual) -> str:
    if one.streak is not None:
        return f"called the tool {quoted(one.streak.tool)} {int(one.value):,} times in a row"
    if one.surprise is not None:
        did = "called" if one.surprise.is_there else "did not call"
        return f"{did} the tool {quoted(one.surprise.tool)}"
    verb = {
        Kind.RUN_AWAY: "made",
        Kind.TOKEN_SPIKE: "used",
        Kind.COST_SPIKE: "cost",
        Kind.LATENCY_SPIKE: "took",
        Kind.SESSION_RUNS: "has",
        Kind.SESSION_COST: "cost",
    }[one.kind]
    return f"{verb} {_amount(one.kind, one.value)}, usually {_amount(one.kind, one.typical)}"


def _cause(kind: Kind, culprit: Culprit) -> str:
    doing = _doing(culprit.doing)
    if kind is Kind.TOOL_CHANGE:
        return f"That is step {culprit.ordinal}."
    if kind is Kind.RUN_AWAY:
        usual = f"about {culprit.usual:.3g} times in such runs" if culprit.usual else "not at all"
        return f"The {doing} makes {culprit.steps:,} of them, from step {culprit.ordinal} on; usually {usual}."
    value = _amount(kind, culprit.value)
    verb = {Kind.COST_SPIKE: "cost", Kind.LATENCY_SPIKE: "took"}.get(kind, "used")
    usual = f"usually {_amount(kind, culprit.usual)}" if culprit.usual is not None else "usual runs have no such step"
    if culprit.steps == 1:
        return f"Step {culprit.ordinal}, {doing}, {verb} {value}; {usual}."
    return (
        f"{culprit.steps:,} steps of the {doing}, from step {culprit.ordinal} on, {verb} {value} together; {usual} "
        f"in about {culprit.usual_steps:.3g}."
    )


def _doing(doing: Doing) -> str:
    name = quoted(doing.name)
    return f"{doing.kind} {name}" if name else f"{doing.kind} without a name"


def _amount(kind: Kind, value: float) -> str:
    unit = _UNIT[kind]
    if unit is Unit.SECONDS:
        return wording.duration(round(value * 1e9))
    if unit is Unit.USD:
        return wording.cost(Decimal(value))
    if unit is Unit.TOKENS:
        return f"{value:,.0f} tokens"
    return wording.counted(round(value), "run" if kind is Kind.SESSION_RUNS else "step")


def _time(nanoseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanoseconds // 1000)
