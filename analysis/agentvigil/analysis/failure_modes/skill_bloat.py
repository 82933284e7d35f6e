"""Skill bloat: the agent got more tools, and now it takes the wrong ones.

**Theory.** A model chooses among descriptions of tools; with each more there are more that nearly fit. What the spans
tell of the choice is what comes of it: runs in which a tool fails, runs that go from a failed tool to another one, and
tools that nobody chooses any more. None of it is bloat by itself, so the tool set must have grown first: tools came to
stay that were never seen before (:mod:`.new_keys`).

Since the first of them came, and in the last week, the share of runs with a tool error, and of those with a switch, is
compared with the baseline's: standardised to the input classes of the window, with days as clusters
(:mod:`.standardized_changes`). **Reported** when the odds of one of them are 1.25 times the baseline's or more and the
lower bound of their logarithm's rise is beyond 0.02; or when, in the last 14 days, at least two tools and 30 % of all
were not chosen once, of those that were to be expected ten times or more. One false alarm at most in 300 daily looks
at an agent that just got tools, divided among the four tests: there are 28 such looks for each growth, and none where
no tool came, so it takes fewer certainty than what may happen on any day. That a tool expected ten times is not chosen
has a chance of e⁻¹⁰.

The trend over the number of tools, by weighted least squares over all days, is told with it: points of share per tool.

**Limits.** Only tools that were used can be counted. A tool that is offered and was never chosen does not show.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from agentvigil.analysis.explaining.labels import quoted
from agentvigil.analysis.explaining.wording import counted, listed
from agentvigil.analysis.failure_modes import day_tables
from agentvigil.analysis.failure_modes.day_tables import DayTable
from agentvigil.analysis.failure_modes.looking import HOURS_PER_DAY, Look, Period
from agentvigil.analysis.failure_modes.new_keys import (
    NewKey,
    counted_runs,
    first_seen,
    has_unnamed,
    new_keys,
    runs_around,
    runs_by_key,
    sustained,
)
from agentvigil.analysis.failure_modes.observing import bad_hours, observe, per_day, series
from agentvigil.analysis.failure_modes.rises import Rise, share_rises
from agentvigil.analysis.failure_modes.wording import percent, percent_range
from agentvigil.analysis.features.cells import Cells, time_of
from agentvigil.analysis.features.names import Unit
from agentvigil.analysis.findings.model import Observation, Severity

NAME: Final = "skill_bloat"
LEAST_ODDS_RATIO: Final = 1.25
LEAST_UNUSED_SHARE: Final = 0.3
_MAJOR_UNUSED_SHARE: Final = 0.5
_LEAST_UNUSED: Final = 2
_UNUSED_DAYS: Final = 14
_EXPECTED: Final = 10.0
_LEAST_DAYS_SINCE: Final = 3
_NAMES_TOLD: Final = 3
LOOKS_AFTER_GROWTH: Final = 300
"""In so many looks at an agent that got tools, and to which nothing else happens, it is wrong once at most."""

_HARMS: Final = (
    ("tool_error", "of the runs have a tool that fails"),
    ("tool_switch", "of the runs go from a failed tool to another"),
)


@dataclass(frozen=True, slots=True)
class Growth:
    """Which tools came, and when the first of them did."""

    tools: tuple[NewKey, ...]
    first_hour: int
    known_before: int
    """How many tools the baseline used."""


def find(baseline: Cells, window: Cells, look: Look) -> list[Observation]:
    """Return the observation that tools came and that more goes wrong since, told of the worse of two harms."""
    growth = growth_of(baseline, window, look)
    if growth is None:
        return []
    days_since = -(-(look.window.end_hour - growth.first_hour) // HOURS_PER_DAY)
    if days_since < _LEAST_DAYS_SINCE:
        return []
    spans = sorted({days_since, min(days_since, 7)})
    harms = []
    for feature, words in _HARMS:
        before = day_tables.shares(baseline, feature, "any", look.baseline)
        after = day_tables.shares(window, feature, "any", look.window)
        rises = share_rises(
            before,
            after,
            look,
            spans_days=spans,
            chance=1 / (LOOKS_AFTER_GROWTH * len(_HARMS)),
            least_odds_ratio=LEAST_ODDS_RATIO,
        )
        harms += [(rise, feature, words, before, after) for rise in rises[:1]]
    if harms:
        return [_of_harm(window, look, growth, *max(harms, key=lambda harm: harm[0].strength))]
    unused = unused_tools(baseline, window, look, growth)
    return [_of_unused(look, growth, unused)] if unused else []


def growth_of(baseline: Cells, window: Cells, look: Look) -> Growth | None:
    """Return the tools that came to stay; None where none did, or where the baseline is too short to know."""
    known = first_seen(baseline, "tool")
    if (
        not known
        or has_unnamed(baseline, "tool")
        or not day_tables.shares(baseline, "tool", "", look.baseline).is_baseline()
    ):
        return None
    came = tuple(
        new
        for new in new_keys(baseline, window, "tool")
        if sustained(new, *runs_around(baseline, window, "tool", new.first_hour))
    )
    return Growth(came, came[0].first_hour, len(known)) if came else None


def unused_tools(baseline: Cells, window: Cells, look: Look, growth: Growth) -> list[str]:
    """Return the tools that were not chosen in the last days, of those that would have been; none if they are few."""
    if has_unnamed(window, "tool"):
        return []
    last = look.window.last(_UNUSED_DAYS)
    recent, earlier = window.between(*last), window.between(look.window.first_hour, last.first_hour)
    chosen = set(first_seen(recent, "tool"))
    runs = counted_runs(recent, "tool")
    runs_earlier = counted_runs(baseline, "tool") + counted_runs(earlier, "tool")
    uses = Counter(runs_by_key(baseline, "tool"))
    uses.update(runs_by_key(earlier, "tool"))
    unused = sorted(
        name for name, count in uses.items() if name not in chosen and count / runs_earlier * runs >= _EXPECTED
    )
    is_many = len(unused) >= max(_LEAST_UNUSED, LEAST_UNUSED_SHARE * (growth.known_before + len(growth.tools)))
    return unused if is_many else []


def points_per_tool(tables: list[tuple[Period, DayTable]], growth: Growth) -> float | None:
    """Return how much the share of days rises with each tool, by least squares weighted with runs."""
    tools, share, weight = [], [], []
    for period, table in tables:
        n, s = table.n.sum(axis=1), table.s.sum(axis=1)
        for day in np.flatnonzero(n > 0):
            end = period.start_of(int(day)) + HOURS_PER_DAY
            tools.append(growth.known_before + sum(new.first_hour < end for new in growth.tools))
            share.append(s[day] / n[day])
            weight.append(n[day])
    x, y, w = np.array(tools, dtype=np.float64), np.array(share), np.array(weight)
    x -= np.average(x, weights=w)
    spread = float((w * x**2).sum())
    return float((w * x * y).sum()) / spread if spread > 0 else None


def _of_harm(
    window: Cells,
    look: Look,
    growth: Growth,
    rise: Rise,
    feature: str,
    words: str,
    before: DayTable,
    after: DayTable,
) -> Observation:
    change = rise.change
    tables = [(look.baseline, before), (look.window, after)]
    interval = percent_range(change.share_low, change.share_high)
    return observe(
        look,
        NAME,
        feature,
        f"Skill bloat: since {_came(growth)}, {percent(change.after)} {words} "
        f"({interval}); {percent(change.before)} is what the baseline lets expect.",
        unit=Unit.SHARE,
        before=change.before,
        after=change.after,
        low=change.share_low,
        high=change.share_high,
        statistic=rise.errors,
        threshold=change.critical,
        stream="any",
        began=_since(growth),
        compared_with=rise.before,
        looks=LOOKS_AFTER_GROWTH,
        things_per_day=per_day(change.more, rise.period.days),
        runs=float(after.last(look.window.days - _day(growth, look)).total),
        details={
            "where": {feature: "any"},
            "example_hours": bad_hours(window, feature, "any", rise.period),
            "new_tools": _told(growth),
            "tools_before": growth.known_before,
            "share_per_tool": points_per_tool(tables, growth),
            "more_per_day": {"runs": per_day(change.more, rise.period.days)},
            "series": series(tables),
        },
    )


def _of_unused(look: Look, growth: Growth, unused: list[str]) -> Observation:
    tools = growth.known_before + len(growth.tools)
    share = len(unused) / tools
    names = listed([quoted(name) for name in unused[:_NAMES_TOLD]])
    more = f" and {len(unused) - _NAMES_TOLD} more" if len(unused) > _NAMES_TOLD else ""
    return observe(
        look,
        NAME,
        "tool",
        f"Skill bloat: since {_came(growth)}, {counted(len(unused), 'tool')} of {tools} "
        f"({percent(share)}) went unused for {_UNUSED_DAYS} days: {names}{more}.",
        unit=Unit.SHARE,
        before=0.0,
        after=share,
        severity=Severity.MAJOR if share >= _MAJOR_UNUSED_SHARE else Severity.MINOR,
        statistic=share,
        threshold=LEAST_UNUSED_SHARE,
        stream="unused",
        began=_since(growth),
        details={
            "where": {"tool": growth.tools[0].key},
            "new_tools": _told(growth),
            "tools_before": growth.known_before,
            "unused_tools": unused,
            "example_hours": [new.first_hour for new in growth.tools[:_NAMES_TOLD]],
        },
    )


def _came(growth: Growth) -> str:
    names = [quoted(new.key) for new in growth.tools]
    told = listed(names[:_NAMES_TOLD]) if len(names) <= _NAMES_TOLD else f"{', '.join(names[:_NAMES_TOLD])} and others"
    count = "a tool" if len(names) == 1 else counted(len(names), "tool")
    day = time_of(growth.first_hour)
    return f"{count} came to the {growth.known_before} there were ({told}, from {day:%Y-%m-%d %H:00} UTC on)"


def _told(growth: Growth) -> list[dict[str, object]]:
    return [
        {"tool": new.key, "first_seen": time_of(new.first_hour).isoformat(), "runs": new.runs} for new in growth.tools
    ]


def _since(growth: Growth) -> tuple[datetime, datetime, datetime]:
    """Return the hour in which the first of the tools came, which is certain."""
    hour = time_of(growth.first_hour)
    return hour, hour, hour


def _day(growth: Growth, look: Look) -> int:
    return int(look.window.day_of(np.array([growth.first_hour], dtype=np.int32))[0])
