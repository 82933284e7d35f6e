"""A rise worth telling: the end of a window in which a share, or a mean, lies surely and far enough above the baseline.

Two conditions, since each alone speaks too often. It is **sure**: the lower bound of the change lies beyond a margin
that does not matter to anybody. And it is **large**: the change itself is what somebody would act on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agentvigil.analysis.failure_modes.change_days import change_day
from agentvigil.analysis.failure_modes.day_tables import DayTable
from agentvigil.analysis.failure_modes.looking import LOOKS, Look, Period
from agentvigil.analysis.failure_modes.observing import began
from agentvigil.analysis.failure_modes.standardized_changes import Change, change

MARGIN_LOG_ODDS: Final = 0.05
"""Of the bound: as the detector of drift has it."""


@dataclass(frozen=True, slots=True)
class Rise:
    """What rose, in which days, and since when."""

    change: Change
    period: Period
    """The end of the window that shows it best."""
    errors: float
    """Standard errors beyond the margin; ``change.critical`` are needed."""
    began: tuple[datetime, datetime, datetime]
    runs_since: float

    @property
    def strength(self) -> float:
        return self.errors / self.change.critical


def share_rise(
    before: DayTable,
    window: DayTable,
    look: Look,
    *,
    spans_days: Sequence[int],
    tests: int,
    least_odds_ratio: float,
) -> Rise | None:
    """Return the clearest rise of a share by the factor ``least_odds_ratio`` or more of its odds.

    ``tests`` is among how many tests of its mode the chance of an error is divided.
    """
    found: list[Rise] = []
    if not before.is_baseline():
        return None
    for days in spans_days:
        changed = change(before, window.last(days), 1 / (LOOKS * tests * len(spans_days)), are_shares=True)
        if changed is None or changed.odds_ratio < least_odds_ratio:
            continue
        errors = changed.errors_beyond_log_odds(MARGIN_LOG_ODDS)
        if errors >= changed.critical:
            found.append(_rise(before, window, look, changed, days, errors))
    return max(found, key=lambda rise: rise.strength, default=None)


def mean_rise(
    before: DayTable,
    window: DayTable,
    look: Look,
    *,
    spans_days: Sequence[int],
    tests: int,
    margin: float,
    least_rise: float,
    least_ratio: float,
) -> Rise | None:
    """Return the clearest rise of a mean by ``least_rise`` or more, and to so many times the baseline."""
    found: list[Rise] = []
    if not before.is_baseline():
        return None
    for days in spans_days:
        changed = change(before, window.last(days), 1 / (LOOKS * tests * len(spans_days)), are_shares=False)
        if changed is None or changed.after < max(changed.before + least_rise, changed.before * least_ratio):
            continue
        errors = changed.errors_beyond(margin)
        if errors >= changed.critical:
            found.append(_rise(before, window, look, changed, days, errors))
    return max(found, key=lambda rise: rise.strength, default=None)


def _rise(before: DayTable, window: DayTable, look: Look, changed: Change, days: int, errors: float) -> Rise:
    since = change_day(before, window, changed.intraday_correlation)
    return Rise(
        change=changed,
        period=look.window.last(days),
        errors=errors,
        began=began(since, look.window),
        runs_since=float(window.n[since.most_likely :].sum()),
    )
