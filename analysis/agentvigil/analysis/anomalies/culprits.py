"""Which step made a run unusual: the one that took most beyond what such a step usually takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from agentvigil.analysis.anomalies.judging import Unusual
from agentvigil.analysis.anomalies.kinds import Kind

_MOST_OF_IT: Final = 0.5
"""A step that makes less than this part of what is too much did not cause it alone."""


class Doing(NamedTuple):
    """What a step does: calls a tool or a model, or is a step of a name."""

    kind: str
    """tool, model or step."""
    name: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What a step took by itself, without the steps in it; of the duration, what lies on the critical path."""

    duration_s: float
    cost_usd: float
    tokens: float

    def of(self, kind: Kind) -> float:
        """Return what anomalies of ``kind`` are about."""
        return {Kind.LATENCY_SPIKE: self.duration_s, Kind.COST_SPIKE: self.cost_usd}.get(kind, self.tokens)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a run."""

    ordinal: int
    doing: Doing
    taken: Taken


@dataclass(frozen=True, slots=True)
class Usual:
    """What steps that do the same usually take (the median), and how many a run has that has any (the mean)."""

    taken: Taken
    steps_of_run: float


@dataclass(frozen=True, slots=True)
class Culprit:
    """What caused it: one step, or many that do the same."""

    doing: Doing
    ordinal: int
    """The step, the first of many."""
    steps: int
    """How many; 1 if it is that step alone."""
    usual_steps: float
    value: float
    """What the step took, or all of them together."""
    usual: float | None
    """What one such step, or all of a run, usually take; None where no usual run has any."""
    share: float
    """Of what was too much."""


def culprit(unusual: Unusual, steps: Sequence[Step], usual: Mapping[Doing, Usual]) -> Culprit | None:
    """Return what caused a run to be ``unusual``; None if no step stands out."""
    if unusual.streak is not None:
        doing = Doing("tool", unusual.streak.tool)
        calls = unusual.streak.calls
        return Culprit(doing, unusual.streak.first, calls, unusual.typical, calls, unusual.typical, 1)
    if unusual.surprise is not None:
        return _of_tool(unusual.surprise.tool, steps) if unusual.surprise.is_there else None
    if unusual.kind is Kind.RUN_AWAY:
        return _most_often(steps, usual)
    return _largest(unusual, steps, usual)


def _of_tool(tool: str, steps: Sequence[Step]) -> Culprit | None:
    doing = Doing("tool", tool)
    ordinals = [step.ordinal for step in steps if step.doing == doing]
    return Culprit(doing, ordinals[0], len(ordinals), 0, len(ordinals), None, 1) if ordinals else None


def _most_often(steps: Sequence[Step], usual: Mapping[Doing, Usual]) -> Culprit | None:
    groups = _groups(steps)
    more = {doing: len(group) - (usual[doing].steps_of_run if doing in usual else 0) for doing, group in groups.items()}
    doing = max(more, key=lambda one: more[one], default=None)
    total = sum(max(one, 0) for one in more.values())
    if doing is None or more[doing] <= 0:
        return None
    count, known = len(groups[doing]), usual.get(doing)
    usually = known.steps_of_run if known else 0
    return Culprit(
        doing,
        groups[doing][0].ordinal,
        count,
        usually,
        count,
        known.steps_of_run if known else None,
        more[doing] / total,
    )


def _largest(unusual: Unusual, steps: Sequence[Step], usual: Mapping[Doing, Usual]) -> Culprit | None:
    """Return the one step that makes most of what is too much, else the many that do."""
    kind = unusual.kind
    excess = unusual.value - unusual.typical

    def usually(doing: Doing) -> float:
        return usual[doing].taken.of(kind) if doing in usual else 0.0

    if not steps:
        return None
    step = max(steps, key=lambda one: one.taken.of(kind) - usually(one.doing))
    more = step.taken.of(kind) - usually(step.doing)
    known = usual.get(step.doing)
    if more >= _MOST_OF_IT * excess:
        value = step.taken.of(kind)
        return Culprit(
            step.doing, step.ordinal, 1, 1, value, usually(step.doing) if known else None, min(more / excess, 1.0)
        )
    groups = _groups(steps)
    sums = {doing: sum(one.taken.of(kind) for one in group) for doing, group in groups.items()}
    most = {doing: usually(doing) * (usual[doing].steps_of_run if doing in usual else 0) for doing in groups}
    doing = max(sums, key=lambda one: sums[one] - most[one])
    more = sums[doing] - most[doing]
    if more < _MOST_OF_IT * excess:
        return None
    known = usual.get(doing)
    return Culprit(
        doing,
        groups[doing][0].ordinal,
        len(groups[doing]),
        known.steps_of_run if known else 0,
        sums[doing],
        most[doing] if known else None,
        min(more / excess, 1.0),
    )


def _groups(steps: Sequence[Step]) -> dict[Doing, list[Step]]:
    groups: dict[Doing, list[Step]] = {}
    for step in steps:
        groups.setdefault(step.doing, []).append(step)
    return groups
