"""What is usual of one agent: the spread of its values by cells, its tools, its streaks of calls."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from agentvigil.analysis.anomalies.loops import StreakUse
from agentvigil.analysis.anomalies.spread import Limit, Spread, limit_of
from agentvigil.analysis.anomalies.tool_use import ToolUse

ANY_STEPS: Final = -1
"""The bucket of cells that do not look at how many steps runs have."""


class Cell(NamedTuple):
    """Runs that are alike before anything happens."""

    measure: str
    input_class: str | None
    """None is all."""
    step_bucket: int


class ToolSet(NamedTuple):
    """How many runs of an input class use just these tools; ``class_runs`` are those of any tools."""

    input_class: str
    tools: Sequence[str]
    runs: int
    class_runs: int


def step_bucket(steps: int) -> int:
    """Return the half of an octave that a number of steps lies in: 1; 2; 3; 4; 5, 6; 7 to 9; 10 to 13; and so on."""
    return round(2 * math.log2(max(steps, 1)))


@dataclass
class Baseline:
    """What is usual of an agent, as of a day: nothing, as long as it has run for less than that."""

    spreads: Mapping[Cell, Spread] = field(default_factory=dict)
    tool_sets: Sequence[ToolSet] = ()
    versions: frozenset[str] = frozenset()
    """Versions whose tools are in ``tool_sets``."""
    streaks: StreakUse = field(default_factory=lambda: StreakUse(0, {}))

    def __post_init__(self) -> None:
        self._limits: dict[Cell, Limit | None] = {}
        self._tools: dict[str, ToolUse | None] = {}

    def limit(self, measure: str, input_class: str, bucket: int) -> Limit | None:
        """Return from where on a value is out of the ordinary among runs like these; None if too few are known.

        Like are those of the same class and about as many steps; where they are too few, of any class; then of any
        number of steps.
        """
        cell = Cell(measure, input_class, bucket)
        if cell not in self._limits:
            cells = (
                cell,
                Cell(measure, None, bucket),
                Cell(measure, input_class, ANY_STEPS),
                Cell(measure, None, ANY_STEPS),
            )
            self._limits[cell] = limit_of([self.spreads[one] for one in dict.fromkeys(cells) if one in self.spreads])
        return self._limits[cell]

    def tools(self, input_class: str) -> ToolUse | None:
        """Return the tools of a class, or of all classes where that has too few runs; None if those are too few too."""
        if input_class not in self._tools:
            own = [one for one in self.tool_sets if one.input_class == input_class]
            use = ToolUse.of([(one.tools, one.runs) for one in own], own[0].class_runs) if own else None
            self._tools[input_class] = use or self._all_tools
        return self._tools[input_class]

    @cached_property
    def _all_tools(self) -> ToolUse | None:
        runs = {one.input_class: one.class_runs for one in self.tool_sets}
        return ToolUse.of([(one.tools, one.runs) for one in self.tool_sets], sum(runs.values()))
