"""Confident hallucination: the agent says that it is sure, or that it succeeded, and it was wrong.

**Theory.** Where agents state a confidence and somebody judges their answers, by feedback or an evaluation, the share
of bad answers among the confident ones (0.8 or more) is what a reader suffers from: a doubtful wrong answer is
checked, a confident one is believed. Where nobody states or judges anything there is a shadow of it: runs that end
well, with a model that stopped by itself, although their last search found nothing or all their tools failed. The
answer then rests on nothing.

The share is compared with the baseline's, standardised to the input classes of the window, with days as clusters
(:mod:`.standardized_changes`). **Reported** when its odds are 1.25 times the baseline's or more and the lower bound of
their logarithm's rise is beyond 0.02, and if ten answers were bad. The last 3, 7, 14, 21 and 28 days are looked at. One
false alarm in 1,500 daily looks at most, half of it for each form; where both rose, the answers that somebody judged
are told (:mod:`.looking`).

**Limits.** Judgements that are asked for where answers look bad are no sample: more of them look like more
hallucination. Without 14 days of baseline nothing is said.
"""

from typing import Final

from agentvigil.analysis.failure_modes import day_tables
from agentvigil.analysis.failure_modes.day_tables import DayTable
from agentvigil.analysis.failure_modes.looking import LOOKS, Look
from agentvigil.analysis.failure_modes.observing import bad_hours, observe, per_day, series
from agentvigil.analysis.failure_modes.rises import share_rises
from agentvigil.analysis.failure_modes.wording import percent, percent_range
from agentvigil.analysis.features.cells import Cells
from agentvigil.analysis.features.names import Unit
from agentvigil.analysis.findings.model import Observation

NAME: Final = "confident_hallucination"
LEAST_ODDS_RATIO: Final = 1.25
_LEAST_COUNTED: Final = 30

_FORMS: Final = (
    ("confident", "bad", "of the answers that were given with confidence and judged", "were bad"),
    ("unfounded", "any", "of the runs", "succeed on nothing: their last search was empty, or all their tools failed"),
)


def find(baseline: Cells, window: Cells, look: Look) -> list[Observation]:
    """Return the observation that more confident answers are bad than before, or more runs succeed on nothing."""
    for feature, key, of_what, happens in _FORMS:
        before = day_tables.shares(baseline, feature, key, look.baseline)
        after = day_tables.shares(window, feature, key, look.window)
        if min(before.total, after.total) >= _LEAST_COUNTED and before.is_baseline():
            found = _compared(window, look, feature, key, f"{of_what} {happens}", before, after)
            if found:
                return found
    return []


def _compared(
    window: Cells, look: Look, feature: str, key: str, happens: str, before: DayTable, after: DayTable
) -> list[Observation]:
    rises = share_rises(
        before,
        after,
        look,
        spans_days=look.spans_days(),
        chance=1 / (LOOKS * len(_FORMS)),
        least_odds_ratio=LEAST_ODDS_RATIO,
    )
    if not rises:
        return []
    rise = rises[0]
    change = rise.change
    return [
        observe(
            look,
            NAME,
            feature,
            f"Confident hallucination: {percent(change.after)} {happens} "
            f"({percent_range(change.share_low, change.share_high)}); "
            f"{percent(change.before)} is what the baseline lets expect.",
            unit=Unit.SHARE,
            before=change.before,
            after=change.after,
            low=change.share_low,
            high=change.share_high,
            statistic=rise.errors,
            threshold=change.critical,
            stream=key,
            began=rise.began,
            compared_with=rise.before,
            runs=rise.runs_since,
            failed_runs_per_day=per_day(change.more, rise.period.days),
            details={
                "where": {feature: key},
                "example_hours": bad_hours(window, feature, key, rise.period),
                "series": series([(look.baseline, before), (look.window, after)]),
            },
        )
    ]
