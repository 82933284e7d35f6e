"""Sums up what is spent, and tells what it will come to."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np

from agentvigil.analysis.spending.budgets import Budget, BudgetUse, use_of
from agentvigil.analysis.spending.forecast import MOST_DAYS, Forecast, forecast
from agentvigil.api.agents.models import money
from agentvigil.api.amounts import usd
from agentvigil.api.baselines.models import hour_of, time_of_hour
from agentvigil.api.conditions import put_together
from agentvigil.api.ranges import TimeRange
from agentvigil.api.reading import Reader
from agentvigil.api.runs.filters import RunFilters
from agentvigil.api.spending.models import BudgetTold, Foretold, Part, Spending, SpendingAsked
from agentvigil.api.totals.measures import Calls, run_rows, step_rows
from agentvigil.storage.named_queries import load_queries

_STATEMENTS: Final = load_queries("agentvigil.api.spending", "queries.sql")


class SpendingReading:
    """What is spent, as ``reader`` has it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of(self, project: str, asked: SpendingAsked) -> Spending:
        """Return what was spent in a period and what it will come to.

        Raises:
            StorageError: if the store does not answer.
        """
        now = asked.at or datetime.now(UTC)
        start_hour, end_hour = asked.period.hours(now)
        since = time_of_hour(start_hour)
        filters = RunFilters.model_validate(asked.model_dump(include={"agent", "environment", "user", "model"}))
        history = self._hours(project, filters, TimeRange(since - timedelta(days=MOST_DAYS), max(now, since)))
        in_period = {hour: record for hour, record in history.items() if hour >= start_hour}
        spent = sum((record["cost_usd"] or Decimal(0) for record in in_period.values()), Decimal(0))
        foretold = _foretold(history, now, start_hour, end_hour)
        return Spending(
            period=asked.period,
            since=since,
            until=now,
            ends_at=time_of_hour(end_hour),
            usd=usd(spent) or "0",
            unpriced_calls=sum(record["unpriced_calls"] for record in in_period.values()),
            forecast=None if foretold is None else _told(foretold, float(spent)),
            budget=_budget(asked, spent, foretold, now, end_hour),
            **{
                name: _parts(self._largest(name, project, filters, TimeRange(since, max(now, since)), asked.top), spent)
                for name in ("by_agent", "by_model", "by_user")
            },
        )

    def _hours(self, project: str, filters: RunFilters, time: TimeRange) -> dict[int, Mapping[str, Any]]:
        """Return cost and unpriced calls by the hour; hours without runs are not there."""
        if filters.model:
            rows, values = _calls(filters)
            sql = _STATEMENTS["hours_of_models"]
        else:
            rows, values = run_rows(filters)
            sql = _STATEMENTS["hours"]
        parameters = {**values, **time.parameters, "project": project}
        return {record["hour"]: record for record in self._reader.records(put_together(sql, rows=rows), parameters)}

    def _largest(
        self, name: str, project: str, filters: RunFilters, time: TimeRange, limit: int
    ) -> list[dict[str, Any]]:
        rows, values = _calls(filters) if name == "by_model" else run_rows(filters)
        parameters = {**values, **time.parameters, "project": project, "limit": limit}
        return self._reader.records(put_together(_STATEMENTS[name], rows=rows), parameters)


def _calls(filters: RunFilters) -> tuple[str, dict[str, Any]]:
    """Return what follows FROM for calls of models: of those that ``filters`` name, whatever else their runs called."""
    others = filters.model_copy(update={"model": []})
    conditions = _STATEMENTS["only_models"] if filters.model else ""
    sql, values = step_rows(others, [Calls.MODELS], conditions=conditions)
    return sql, values | ({"model": filters.model} if filters.model else {})


def _foretold(
    history: Mapping[int, Mapping[str, Any]], now: datetime, start_hour: int, end_hour: int
) -> Forecast | None:
    """Return the forecast as of the last hour that is over; that which goes on is told by none of its runs yet."""
    over = hour_of(now)
    first = min(min(history, default=over), over)
    costs = np.zeros(over - first)
    for hour, record in history.items():
        if hour < over:
            costs[hour - first] = float(record["cost_usd"] or 0)
    return forecast(costs, first, start_hour, end_hour)


def _told(foretold: Forecast, spent: float) -> Foretold:
    # The hour that goes on may have cost more by now than was foretold of it.
    return Foretold(
        usd=money(max(spent, foretold.expected)),
        low_usd=money(max(spent, foretold.low)),
        high_usd=money(max(spent, foretold.high)),
        level=foretold.level,
        days=foretold.days,
    )


def _budget(
    asked: SpendingAsked, spent: Decimal, foretold: Forecast | None, now: datetime, end_hour: int
) -> BudgetTold | None:
    if asked.budget_usd is None:
        return None
    use: BudgetUse = use_of(
        Budget(float(asked.budget_usd), asked.period), float(spent), foretold, hour_of(now), end_hour
    )
    return BudgetTold(
        usd=usd(asked.budget_usd) or "0",
        used=use.used,
        is_over=use.is_over,
        probability_over=use.probability_over,
        used_up_at=None if use.used_up_hour is None else time_of_hour(use.used_up_hour),
    )


def _parts(records: Iterable[Mapping[str, Any]], spent: Decimal) -> list[Part]:
    return [
        Part(
            name=record["name"] or None,
            usd=usd(record["cost_usd"]) or "0",
            share=float(record["cost_usd"] / spent) if spent else None,
        )
        for record in records
    ]
