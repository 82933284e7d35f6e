"""Situations: what a rule finds to be the case at a moment, one for each thing that it is the case of."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from agentvigil.analysis.alerts.notices import RANKS, Fact
from agentvigil.analysis.findings.model import Severity


@dataclass(frozen=True, slots=True)
class Situation:
    """Something that is the case. ``key`` is what stays the same while it lasts; a greater ``level`` is worse."""

    key: str
    level: int
    severity: Severity
    subject: str
    title: str
    text: str
    facts: Sequence[Fact] = ()
    link: str = ""
    is_muted: bool = False
    """Nobody wants to hear of it: nothing begins, gets worse or is repeated."""
    is_looked_after: bool = False
    """Somebody acknowledged it: nothing is repeated."""
    is_repeated: bool = True
    """Whether it is told again while it lasts; single runs do not last."""
    is_end_told: bool = True
    """Whether that it is over tells anybody anything; a period ends by itself."""

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the situation that ``text`` is, as :meth:`as_json` gave it."""
        told: dict[str, Any] = json.loads(text)
        told |= {"severity": Severity(told["severity"]), "facts": tuple(Fact(**fact) for fact in told["facts"])}
        return cls(**told)


@dataclass(frozen=True, slots=True)
class Look:
    """All situations of a rule; where they are not ``is_complete``, one that is missing may still be there."""

    situations: Sequence[Situation] = field(default=())
    is_complete: bool = True


def level_of(severity: Severity) -> int:
    """Return the level that a severity is."""
    return RANKS[severity] + 1
