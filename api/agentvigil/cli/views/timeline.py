"""When a step ran within its run, as a bar."""

from dataclasses import dataclass
from typing import Final

from rich.text import Text

from agentvigil.cli.views.paper import Paper

_NATURAL_WIDTH: Final = 48


@dataclass(frozen=True, slots=True)
class Bar:
    """From ``offset_ms`` on for ``duration_ms`` of ``total_ms``; full where the critical path goes through it."""

    offset_ms: float
    duration_ms: float
    total_ms: float
    is_critical: bool
    style: str = ""

    @property
    def cell_len(self) -> int:
        return _NATURAL_WIDTH

    def fitted(self, width: int, paper: Paper) -> Text:
        """Return the bar in a line of ``width``; it is never less than one column, and never outside."""
        scale = width / self.total_ms if self.total_ms > 0 else 0.0
        begin = min(max(0, int(self.offset_ms * scale)), width - 1)
        end = min(max(begin + 1, round((self.offset_ms + self.duration_ms) * scale)), width)
        return Text(" " * begin).append(mark(paper, is_critical=self.is_critical) * (end - begin), self.style)


def mark(paper: Paper, *, is_critical: bool) -> str:
    """Return what bars are made of."""
    if paper.draws:
        return "█" if is_critical else "░"
    return "#" if is_critical else "-"
