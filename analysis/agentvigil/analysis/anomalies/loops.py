"""How often in a row agents call the same tool, and from where on that is a loop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

FEWEST_RUNS: Final = 50
LEAST_CALLS: Final = 8
"""Fewer calls in a row are no loop."""

_TIMES: Final = 2
"""So many times what the agent does otherwise it has to be."""


@dataclass(frozen=True, slots=True)
class Streak:
    """A tool that is called ``calls`` times with no other tool between, in the steps from ``first`` to ``last``."""

    tool: str
    calls: int
    first: int
    last: int


def longest(calls: Sequence[tuple[int, str]]) -> Streak | None:
    """Return the longest streak in the calls of a run, each an ordinal and a tool; None of none."""
    best: Streak | None = None
    streak: Streak | None = None
    for ordinal, tool in calls:
        if streak is not None and streak.tool == tool:
            streak = Streak(tool, streak.calls + 1, streak.first, ordinal)
        else:
            streak = Streak(tool, 1, ordinal, ordinal)
        if best is None or streak.calls > best.calls:
            best = streak
    return best


@dataclass(frozen=True, slots=True)
class StreakUse:
    """Longest streaks of usual runs: for each tool, calls in a row and how many runs had so many."""

    runs: int
    """All of which it is known, with and without calls of tools."""
    lengths: Mapping[str, Sequence[tuple[int, int]]]

    def usual_most(self, tool: str) -> int:
        """Return what all but a few runs stay at, or below: one odd run must not hide the next."""
        may_lie_beyond = max(2, self.runs // 1000)
        for length, runs in sorted(self.lengths.get(tool, ()), reverse=True):
            may_lie_beyond -= runs
            if may_lie_beyond < 0:
                return length
        return 0

    def limit(self, tool: str) -> int | None:
        """Return how many calls in a row are not yet a loop; None if too few runs are known."""
        if self.runs < FEWEST_RUNS:
            return None
        return max(LEAST_CALLS, _TIMES * self.usual_most(tool)) - 1
