"""How often a detector was right, as people judged: the share of real ones among its findings that somebody judged.

It says nothing of findings that nobody judged, and people judge what bothers them first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from agentvigil.analysis.comparing.intervals import Share, wilson
from agentvigil.analysis.findings.finding import Judgement

LOOK_BACK: Final = timedelta(days=90)
"""By when a finding was found."""


@dataclass(frozen=True, slots=True)
class Precision:
    """How many findings of a detector were ``real`` and how many a ``false_alarm``, and how many nobody judged."""

    kind: str
    detector: str
    real: int
    false_alarms: int
    not_judged: int

    @property
    def judged(self) -> int:
        return self.real + self.false_alarms

    @property
    def share(self) -> float | None:
        """The share of real ones, None where nothing was judged."""
        return self.real / self.judged if self.judged else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The score interval of 95 % of the share (Wilson, J. Am. Stat. Assoc. 22, 1927, 209-212)."""
        if not self.judged:
            return None
        interval = wilson(Share(self.real, self.judged))
        return interval.low, interval.high


def precisions(counts: Iterable[tuple[str, str, str, int]]) -> list[Precision]:
    """Return the precision of each detector by its kind and name, from (kind, detector, judgement, how many)."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for kind, detector, judgement, number in counts:
        of_detector = found.setdefault((kind, detector), {})
        of_detector[judgement] = of_detector.get(judgement, 0) + number
    return [
        Precision(
            kind,
            detector,
            real=of.get(Judgement.REAL, 0),
            false_alarms=of.get(Judgement.FALSE_ALARM, 0),
            not_judged=of.get("", 0),
        )
        for (kind, detector), of in sorted(found.items())
    ]
