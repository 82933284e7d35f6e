"""A rise worth telling: the end of a window in which a share, or a mean, surely lies far enough above the days before.

Two conditions, since each alone speaks too often. It is **sure**: the lower bound of the change lies beyond a margin
that does not matter to anybody. And it is **large**: the change itself is what somebody would act on. A share must have
happened ten times as well: what happened less often is no habit, however rare it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agentvigil.analysis.failure_modes.change_days import change_day
from agentvigil.analysis.failure_modes.day_tables import DayTable
from agentvigil.analysis.failure_modes.looking import Look, Period, chance_of
from agentvigil.analysis.failure_modes.observing import began
from agentvigil.analysis.failure_modes.standardized_changes import Change, change

MARGIN_LOG_ODDS: Final = 0.02
"""Of the bound. What shares wander without anything being wrong is in their spread, so it need not be wide."""
LEAST_HAPPENED: Final = 10


@dataclass(frozen=True, slots=True)
class Rise:
    """What rose, in which days, and since when."""

    change: Change
    before: Period
    """What it is compared with."""
    period: Period
    """The end of the window that shows it best."""
    errors: float
    """Standard errors beyond the margin; ``change.critical`` are needed."""
    began: tuple[datetime, datetime, datetime]
    runs_since: float

    @property
    def strength(self) -> float:
        return self.errors / self.change.critical


def days_before(baseline: DayTable, window: DayTable, days: int, look: Look) -> DayTable:
    """Return the days that the last ``days`` days of a window are compared with."""
    return baseline if look.is_pinned else baseline.followed_by(window.before_last(days))


def share_rises(
    baseline: DayTable,
    window: DayTable,
    look: Look,
    *,
    spans_days: Sequence[int],
    chance: float,
    least_odds_ratio: float,
) -> list[Rise]:
    """Return the rises of a share by the factor ``least_odds_ratio`` or more of its odds, the clearest first.

    ``chance`` is that of an error, over all spans.
    """
    found: list[Rise] = []
    if not baseline.is_baseline():
        return found
    for days in spans_days:
        before, after = days_before(baseline, window, days, look), window.last(days)
        if after.s.sum() < LEAST_HAPPENED:
            continue
        changed = change(before, after, chance_of(days, spans_days, chance), are_shares=True)
        if changed is None or changed.odds_ratio < least_odds_ratio:
            continue
        errors = changed.errors_beyond_log_odds(MARGIN_LOG_ODDS)
        if errors >= changed.critical:
            found.append(_rise(baseline, window, look, changed, days, errors))
    return sorted(found, key=lambda rise: -rise.strength)


def mean_rise(
    baseline: DayTable,
    window: DayTable,
    look: Look,
    *,
    chance: float,
    margin: float,
    least_rise: float,
    least_ratio: float,
) -> Rise | None:
    """Return the clearest rise of a mean by ``least_rise`` or more, and to so many times what was before."""
    found: list[Rise] = []
    if not baseline.is_baseline():
        return None
    spans_days = look.spans_days()
    for days in spans_days:
        before, after = days_before(baseline, window, days, look), window.last(days)
        changed = change(before, after, chance_of(days, spans_days, chance), are_shares=False)
        if changed is None or changed.after < max(changed.before + least_rise, changed.before * least_ratio):
            continue
        errors = changed.errors_beyond(margin)
        if errors >= changed.critical:
            found.append(_rise(baseline, window, look, changed, days, errors))
    return max(found, key=lambda rise: rise.strength, default=None)


def _rise(baseline: DayTable, window: DayTable, look: Look, changed: Change, days: int, errors: float) -> Rise:
    since = change_day(baseline, window, changed.dispersion)
    return Rise(
        change=changed,
        before=look.before_last(days),
        period=look.window.last(days),
        errors=errors,
        began=began(since, look.window),
        runs_since=float(window.n[since.most_likely :].sum()),
    )
