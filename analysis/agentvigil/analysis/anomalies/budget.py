"""How many anomalies are told: at most some of each agent and day, the largest first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MOST_A_DAY: Final = 3
_SAID_AT: Final = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)


@dataclass
class DayBudget:
    """What was found of one agent on one day: the excess of each that was told, and those that were not."""

    told: dict[str, float] = field(default_factory=dict)
    not_told: set[str] = field(default_factory=set)

    def admit(self, found: Mapping[str, float], most: int = MOST_A_DAY) -> list[str]:
        """Return which of ``found``, each with its excess, are told: those that were, and the largest others.

        The rest is counted.
        """
        again = [key for key in found if key in self.told]
        rest = sorted((key for key in found if key not in self.told), key=lambda key: (-found[key], key))
        free = max(0, most - len(self.told))
        for key in [*again, *rest[:free]]:
            self.told[key] = found[key]
            self.not_told.discard(key)
        self.not_told.update(rest[free:])
        return [*again, *rest[:free]]

    @property
    def largest(self) -> str:
        """The largest that was told: it says how many others there are."""
        return max(self.told, key=lambda key: (self.told[key], key))


def said(count: int) -> int:
    """Return what is said of a count that grows: its last power of ten, so that it is not said anew each time."""
    return max((step for step in _SAID_AT if step <= count), default=0)


def grew(before: int, after: int) -> bool:
    """Say whether more is to be said of a count."""
    return said(after) > said(before)
