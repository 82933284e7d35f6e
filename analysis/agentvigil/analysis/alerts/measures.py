"""What rules on metrics and budgets find: a situation for each agent, user, ... whose sum is not what it should be."""

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from agentvigil.analysis.alerts.moments import milliseconds
from agentvigil.analysis.alerts.notices import Fact
from agentvigil.analysis.alerts.rules import BudgetCondition, Measure, MetricCondition, Period
from agentvigil.analysis.alerts.situations import Look, Situation, level_of
from agentvigil.analysis.alerts.texts import span_text
from agentvigil.analysis.findings.model import Severity
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_STATEMENTS: Final = load_queries("agentvigil.analysis.alerts", "measures.sql")
_MOST_SUBJECTS: Final = 1000
_SETTINGS: Final = {"max_execution_time": 20, "max_memory_usage": 2 * 2**30, "max_threads": 1}
"""Intake has the machine first, and one rule must not keep all others waiting."""

_TAG: Final = "tag:"
_SUMS: Final = frozenset({Measure.FAILURES, Measure.COST, Measure.RUNS, Measure.TOKENS})
"""What is 0, and not unknown, where there is no run."""

_SHORTEST: Final = timedelta(minutes=1)
_LONGEST: Final = timedelta(minutes=15)


def pause_of(condition: MetricCondition | BudgetCondition) -> timedelta:
    """Return how often it is looked at: a sixtieth of its time, between one and fifteen minutes."""
    if isinstance(condition, MetricCondition):
        return min(max(condition.window / 60, _SHORTEST), _LONGEST)
    return _LONGEST if condition.period is Period.MONTH else _LONGEST / 3


def look_at_metric(store: Store, project: str, condition: MetricCondition, now: datetime) -> Look:
    """Return what ``condition`` finds in the window that ends at ``now``.

    Raises:
        StorageError: if the store does not answer.
    """
    records = _sums(store, project, condition, now - condition.window, now)
    situations = []
    for record in [*records, *_without_runs(condition, records)]:
        value = record[condition.measure]
        if value is None or math.isnan(value) or record["runs"] < condition.enough_runs:
            continue
        if condition.is_met_by(value):
            situations.append(_metric_situation(condition, record, value))
    # The first are the worst: where the last one is as it should be, nothing is left out.
    is_complete = len(records) < _MOST_SUBJECTS or not condition.is_met_by(records[-1][condition.measure] or 0)
    return Look(situations, is_complete)


def look_at_budget(store: Store, project: str, condition: BudgetCondition, now: datetime) -> Look:
    """Return which budgets are used up, or nearly, in the period that ``now`` is in.

    Raises:
        StorageError: if the store does not answer.
    """
    begin = period_start(condition.period, condition.time_zone, now)
    records = _sums(store, project, condition, begin, now)
    situations = []
    for record in records:
        value = float(record[condition.measure])
        reached = [share for share in sorted(set(condition.at)) if value >= share * condition.limit]
        if reached:
            situations.append(_budget_situation(condition, record, value, reached, begin))
    is_complete = len(records) < _MOST_SUBJECTS or len(situations) < len(records)
    return Look(situations, is_complete)


def period_start(period: Period, time_zone: str, now: datetime) -> datetime:
    """Return when the day or month began that ``now`` is in, in UTC."""
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()
    first = date(today.year, today.month, 1) if period is Period.MONTH else today
    return datetime.combine(first, time(), zone).astimezone(UTC)


def _sums(
    store: Store, project: str, condition: MetricCondition | BudgetCondition, since: datetime, until: datetime
) -> list[dict[str, Any]]:
    is_tag = condition.per.startswith(_TAG)
    parameters = {
        "project": project,
        "since_ms": milliseconds(since),
        "until_ms": milliseconds(until),
        "per": "tag" if is_tag else condition.per,
        "tag": f"{condition.per.removeprefix(_TAG)}=" if is_tag else "",
        "agents": list(condition.agents),
        "environments": list(condition.environments),
        "users": list(condition.users),
        "measure": condition.measure.value,
        "is_below": isinstance(condition, MetricCondition) and condition.below is not None,
        "limit": _MOST_SUBJECTS,
    }
    return store.records(_STATEMENTS["sums"], parameters, _SETTINGS)


def _without_runs(condition: MetricCondition, records: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    """Return sums of 0 for what is named in ``condition`` and had no run: that an agent is silent may be the matter."""
    if condition.measure not in _SUMS:
        return []
    named = {"": ("",), "agent": condition.agents, "user": condition.users, "environment": condition.environments}
    seen = {record["subject"] for record in records}
    return [
        {"subject": subject, "runs": 0, condition.measure: 0}
        for subject in dict.fromkeys(named.get(condition.per, ()))
        if subject not in seen
    ]


def _metric_situation(condition: MetricCondition, record: Mapping[str, Any], value: float) -> Situation:
    bound = condition.above if condition.above is not None else condition.below
    assert bound is not None
    word = "above" if condition.above is not None else "below"
    shown, limit = _shown(condition.measure, value), _shown(condition.measure, bound)
    return Situation(
        key=record["subject"],
        level=level_of(condition.severity),
        severity=condition.severity,
        subject=record["subject"],
        title=f"{condition.measure}{_of(condition.per, record['subject'])} is {shown}, {word} {limit}",
        text=f"Over the last {span_text(condition.window)}, in {record['runs']:,} runs.",
        facts=_facts(condition),
    )


def _budget_situation(
    condition: BudgetCondition, record: Mapping[str, Any], value: float, reached: list[float], begin: datetime
) -> Situation:
    severity = condition.severity if reached[-1] >= 1 else Severity.MINOR
    local = begin.astimezone(ZoneInfo(condition.time_zone))
    name = "daily" if condition.period is Period.DAY else "monthly"
    used, limit = _shown(condition.measure, value), _shown(condition.measure, condition.limit)
    return Situation(
        # The next period is another one.
        key=f"{local:%Y-%m-%d} {record['subject']}",
        level=len(reached),
        severity=severity,
        subject=record["subject"],
        title=f"{value / condition.limit:.0%} of the {name} budget{_of(condition.per, record['subject'])} is used",
        text=f"{used} of {limit} since {local:%Y-%m-%d} ({condition.time_zone}), in {record['runs']:,} runs.",
        facts=_facts(condition),
        is_end_told=False,
    )


def _of(per: str, subject: str) -> str:
    return f" of {per.removeprefix(_TAG)} {subject}" if per else ""


def _facts(condition: MetricCondition | BudgetCondition) -> list[Fact]:
    said = {"Agents": condition.agents, "Environments": condition.environments, "Users": condition.users}
    return [Fact(name, ", ".join(values)) for name, values in said.items() if values]


def _shown(measure: Measure, value: float) -> str:
    if measure is Measure.FAILURE_RATE:
        return f"{value:.3g}" if value > 1 else f"{100 * value:.3g} %"
    if measure is Measure.COST:
        return f"${value:,.2f}"
    if measure is Measure.DURATION_P95:
        return f"{value / 1000:,.3g} s" if value >= 1000 else f"{value:,.3g} ms"
    return f"{value:,.0f}" if measure is Measure.TOKENS else f"{value:,.10g}"
