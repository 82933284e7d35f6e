"""Multi-agent cascade: one agent fails, and those after it fail because of it.

**Theory.** Where agents hand over to each other, failures can breed. As with an epidemic, what decides is the
reproduction number R: how many of the agents that come after a failed one fail in their turn, here the share P(failure
| the agent before failed). A failure has R / (1 - R) descendants on average: a half of one more agent at R = 1/3, one
at 0.5, nine at 0.9. If failures were merely frequent, agents would fail as often after a success; so the share after a
failure is also held against that after a success, within the same input class, model and day: the odds ratio of
:mod:`.odds_ratios`, told as a lift.

**Reported** when R of the last 3, 7, 14, 21 or 28 days is above 0.5, the lower bound of its rise above what was before
is beyond 0.02 of log-odds, standardised to classes and models with days as clusters (:mod:`.standardized_changes`), and
the lower bound of the odds ratio is above 1. One false alarm in 1,500 daily looks at most (:mod:`.looking`).

**Root.** The earliest agent upstream that failed. Hourly counts do not hold it; the example runs do.

**Limits.** R counts followers, so an agent that hands over to several at once weighs as often. Without 14 days of
baseline nothing is said.
"""

from typing import Final

from agentvigil.analysis.failure_modes import day_tables
from agentvigil.analysis.failure_modes.critical_values import LEAST_DEGREES, student_t
from agentvigil.analysis.failure_modes.looking import LOOKS, Look, chance_of
from agentvigil.analysis.failure_modes.observing import bad_hours, observe, per_day, series
from agentvigil.analysis.failure_modes.odds_ratios import mantel_haenszel
from agentvigil.analysis.failure_modes.rises import Rise, share_rises
from agentvigil.analysis.failure_modes.wording import count, percent, ratio
from agentvigil.analysis.features.cells import Cells
from agentvigil.analysis.findings.model import Observation

NAME: Final = "cascade"
LEAST_REPRODUCTION: Final = 0.5
_LEAST_ODDS_RATIO: Final = 1.25
_LEAST_FAILED: Final = 10


def find(baseline: Cells, window: Cells, look: Look) -> list[Observation]:
    """Return the observation that failed agents make the next ones fail, more than they used to, if they do."""
    before = day_tables.tallies(baseline, "cascade", "after_failure", look.baseline)
    after = day_tables.tallies(window, "cascade", "after_failure", look.window)
    if min(before.total, after.total) < _LEAST_FAILED:
        return []
    rises = share_rises(
        before, after, look, spans_days=look.spans_days(), chance=1 / LOOKS, least_odds_ratio=_LEAST_ODDS_RATIO
    )
    for rise in rises:
        if rise.change.after > LEAST_REPRODUCTION:
            found = _if_it_is_passed_on(window, look, before, after, rise)
            if found:
                return found
    return []


def _if_it_is_passed_on(
    window: Cells, look: Look, before: day_tables.DayTable, after: day_tables.DayTable, rise: Rise
) -> list[Observation]:
    days = rise.period.days
    success = day_tables.tallies(window, "cascade", "after_success", look.window).last(days)
    failure = after.last(days)
    odds = mantel_haenszel(failure, success)
    if odds is None or odds.days - 1 < LEAST_DEGREES:
        return []
    low, _ = odds.interval(student_t(chance_of(days, look.spans_days(), 1 / LOOKS), odds.days - 1), odds.dispersion)
    if low <= 1:
        return []
    change = rise.change
    after_success = float(success.s.sum() / success.total)
    lift = change.after / after_success if after_success > 0 else None
    descendants = change.after / max(1 - change.after, 0.01)
    against = (
        f", {ratio(lift)} times as often as after a success" if lift is not None else ", none does after a success"
    )
    return [
        observe(
            look,
            NAME,
            "cascade",
            f"Multi-agent cascade: of the agents that come after a failed one, {percent(change.after)} fail "
            f"(R = {change.after:.2f}, {change.share_low:.2f} to {change.share_high:.2f}){against}; "
            f"R = {change.before:.2f} is what the baseline lets expect. One failure makes {count(descendants)} more.",
            unit="1",
            before=change.before,
            after=change.after,
            low=change.share_low,
            high=change.share_high,
            statistic=rise.errors,
            threshold=change.critical,
            stream="after_failure",
            began=rise.began,
            compared_with=rise.before,
            things_per_day=per_day(change.more, days),
            details={
                "where": {"cascade": "after_failure", "failed": True},
                "example_hours": bad_hours(window, "cascade", "after_failure", rise.period),
                "reproduction_number": change.after,
                "lift": lift,
                "odds_ratio": odds.value,
                "failures_per_failure": descendants,
                "root": "the earliest failed agent upstream, in the example runs",
                "more_per_day": {"agents_failed": per_day(change.more, days)},
                "series": series([(look.baseline, before), (look.window, after)]),
            },
        )
    ]
