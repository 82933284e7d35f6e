"""What a comparison says."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agentvigil.analysis.comparing.streams import Measure
from agentvigil.analysis.features.names import Feature
from agentvigil.analysis.findings.model import Severity

LEVEL: Final = 0.05
"""Of comparisons of versions that are the same, at most so many say of anything that it moved."""


class Verdict(StrEnum):
    """What became of something."""

    WORSE = "worse"
    CHANGED = "changed"
    """Neither way is worse."""
    BETTER = "better"
    TOO_FEW_RUNS = "too_few_runs"
    """It may have moved by as much as matters, or may not."""
    SAME = "same"
    """Had it moved by as much as matters, that would be seen."""


@dataclass(frozen=True, slots=True)
class Change:
    """How one part of a feature moved.

    Of rates ``before``, ``after``, ``low``, ``high``, ``within`` and ``mix`` are shares, the last four differences of
    them. Of typical values ``before`` and ``after`` are in the feature's unit and the others relative: 0.25 is a
    quarter more. Where the typical value is a share itself, all are shares.
    """

    feature: Feature
    key: str
    measure: Measure
    edge: float | None
    """What the high values are above, in the feature's unit."""
    before: float
    """Of all runs as they came; so is ``after``."""
    after: float
    within: float | None
    """By how much runs of the same input class differ; None where no class has runs of both."""
    low: float | None
    """Lower end of the 95 % interval of ``within``, and ``high`` the upper; None of too few runs."""
    high: float | None
    mix: float | None
    """What is left of the difference: the sides have different work. Of typical values, it is what both factors
    multiply to."""
    relative: float | None
    """``within`` as a part of the value before with the same work; None where that is 0."""
    log_evidence: float
    """Natural logarithm of the e-value of the way it went."""
    log_threshold: float
    """What that has to reach."""
    verdict: Verdict
    severity: Severity | None = None
    """Of what got worse."""
    more_before: int | None = None
    """About how many runs more would tell, where there are too few; None where nobody can say."""
    more_after: int | None = None

    @property
    def direction(self) -> str:
        """up, down, new where it never was before, or empty where it is as it was."""
        if self.before == 0 and self.after > 0 and self.measure is Measure.SHARE:
            return "new"
        moved = self.after - self.before if self.within is None else self.within
        return "up" if moved > 0 else "down" if moved < 0 else ""


@dataclass(frozen=True, slots=True)
class Spread:
    """Of all values of one side: exact mean, and percentiles to 1/16 octave."""

    mean: float
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class FeatureReport:
    """What became of one feature. ``changes`` has what moved most surely first."""

    feature: Feature
    verdict: Verdict
    severity: Severity | None
    changes: Sequence[Change]
    before: Spread | None
    """None where the feature has keys."""
    after: Spread | None

    @property
    def more_before(self) -> int | None:
        """About how many runs more are needed to tell, None where nobody can say or there are enough."""
        return _most(change.more_before for change in self._undecided)

    @property
    def more_after(self) -> int | None:
        return _most(change.more_after for change in self._undecided)

    @property
    def _undecided(self) -> Sequence[Change]:
        return [change for change in self.changes if change.verdict is Verdict.TOO_FEW_RUNS]


@dataclass(frozen=True, slots=True)
class Report:
    """What became of an agent. ``features`` has what got worse first, the gravest of it at the top."""

    runs_before: int
    runs_after: int
    days_before: int
    """Days with runs."""
    days_after: int
    share_compared: float
    """Of all runs, those of input classes that both sides have: only these are judged."""
    features: Sequence[FeatureReport]
    only_before: Sequence[str]
    """Features that no run after tells of, and ``only_after`` those that none before tells of: not compared."""
    only_after: Sequence[str]
    runs_per_day: float
    """Of the side after, over the hours in which it ran."""
    usd_per_run: float | None
    """What a run of the same class costs more; None if costs are not known."""
    failed_per_run: float | None
    """Which part more of the runs of the same class fail."""
    level: float = LEVEL

    @property
    def worse(self) -> Sequence[FeatureReport]:
        return [one for one in self.features if one.verdict is Verdict.WORSE]

    @property
    def severity(self) -> Severity | None:
        """Of the gravest regression, None without one."""
        return max((one.severity for one in self.features if one.severity), key=RANK.__getitem__, default=None)

    @property
    def verdict(self) -> Verdict:
        """The gravest of the features' verdicts; too few runs if there is nothing to compare."""
        verdicts = {one.verdict for one in self.features}
        return next((verdict for verdict in Verdict if verdict in verdicts), Verdict.TOO_FEW_RUNS)


RANK: Final = {Severity.MINOR: 1, Severity.MAJOR: 2, Severity.CRITICAL: 3}


def _most(counts: Iterable[int | None]) -> int | None:
    return max((count for count in counts if count is not None), default=None)
