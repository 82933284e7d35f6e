"""What can be unusual of a run, and how much of it is worth saying."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agentvigil.analysis.features.names import Unit


class Kind(StrEnum):
    """What is unusual. Of several in one run the first in this order is told: those behind it mostly follow from it."""

    LOOP = "loop"
    """The same tool called again and again, far more often in a row than the agent ever does."""
    RUN_AWAY = "run_away"
    """Far more steps than usual."""
    TOOL_CHANGE = "tool_change"
    """A set of tools that such runs never use together, or without one that they always use."""
    TOKEN_SPIKE = "token_spike"  # noqa: S105 - tokens of models
    COST_SPIKE = "cost_spike"
    LATENCY_SPIKE = "latency_spike"
    SESSION_RUNS = "session_runs"
    """A conversation of far more runs than usual."""
    SESSION_COST = "session_cost"


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that each run, or each conversation, has."""

    name: str
    """As baselines have it."""
    kind: Kind
    feature: str
    unit: Unit
    least_more: float
    """So much more than usual it has to be, in ``unit``: ten times next to nothing is nothing to tell."""
    by_steps: bool = True
    """Runs with about as many steps are compared."""


MEASURES: Final = {
    measure.name: measure
    for measure in (
        Measure("steps", Kind.RUN_AWAY, "steps", Unit.COUNT, 10, by_steps=False),
        Measure("tokens", Kind.TOKEN_SPIKE, "tokens", Unit.TOKENS, 1000),
        Measure("cost", Kind.COST_SPIKE, "cost", Unit.USD, 0.01),
        Measure("duration", Kind.LATENCY_SPIKE, "duration", Unit.SECONDS, 1),
        Measure("session_runs", Kind.SESSION_RUNS, "session_runs", Unit.COUNT, 10, by_steps=False),
        Measure("session_cost", Kind.SESSION_COST, "session_cost", Unit.USD, 0.05, by_steps=False),
    )
}
MEASURE_OF: Final = {measure.kind: measure for measure in MEASURES.values()}
