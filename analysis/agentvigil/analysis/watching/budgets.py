"""Whether what costs more takes an agent over a budget that somebody set."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.explaining.labels import quoted
from agentvigil.analysis.features.cells import Subject, hour_of, time_of
from agentvigil.analysis.features.reading import read_costs
from agentvigil.analysis.findings.model import Observation
from agentvigil.analysis.findings.severity import over_budget
from agentvigil.analysis.spending.budgets import BudgetUse, SharedBudget, use_of
from agentvigil.analysis.spending.forecast import HOURS_PER_DAY, MOST_DAYS, forecast
from agentvigil.analysis.watching.spenders import read_spenders
from agentvigil.storage.store import Store

BudgetsOf = Callable[[Subject], Sequence[SharedBudget]]
"""Returns the budgets that the costs of an agent come out of. It may raise StorageError."""


def no_budgets(_subject: Subject) -> Sequence[SharedBudget]:
    """Return the budgets where nobody set any."""
    return ()


class BudgetWatch:
    """Looks at budgets when something is found to cost more."""

    def __init__(self, store: Store, budgets_of: BudgetsOf) -> None:
        self._store, self._budgets_of = store, budgets_of

    def weighed(self, seen: Observation) -> Observation:
        """Return ``seen``, which is major at least if it costs more and a budget of its agent will not do, as was to be
        foretold at the end of its data; or that of a user, or of a tag, which would do if it did not cost more.

        Raises:
            StorageError: if the store does not answer.
        """
        if not seen.agent or (seen.usd_per_day or 0.0) <= 0.0:
            return seen
        for budget in self._budgets_of(Subject(seen.project, seen.environment, seen.agent)):
            over = self._of_agents(budget, seen) if budget.is_of_agents else self._of_spenders(budget, seen)
            if over is not None:
                return _told(seen, budget, *over)
        return seen

    def _of_agents(self, shared: SharedBudget, seen: Observation) -> tuple[BudgetUse, str] | None:
        end_hour = hour_of(seen.seen_at)
        hours = _hours(shared, end_hour)
        costs = read_costs(self._store, seen.project, hours.start, hours.stop, shared.agents, shared.environments)
        use = _use(shared, costs, end_hour)
        return (use, "") if use.is_likely_over else None

    def _of_spenders(self, shared: SharedBudget, seen: Observation) -> tuple[BudgetUse, str] | None:
        """Return the budget that will not do since the agent costs more, and whose it is; None where there is none."""
        subject = Subject(seen.project, seen.environment, seen.agent)
        end_hour, changed_hour = hour_of(seen.seen_at), hour_of(seen.changed_at or seen.window_start)
        more = self._part_more(seen, subject, changed_hour, end_hour)
        hours = _hours(shared, end_hour)
        start_hour, _ = shared.budget.period.hours(time_of(end_hour - 1))
        for spender in read_spenders(self._store, shared, subject, changed_hour, start_hour, hours):
            use = _use(shared, spender.usd, end_hour)
            # Of many users one is always near the limit: that alone says nothing of this agent.
            if use.is_likely_over and not _use(shared, spender.usd - more * spender.own_usd, end_hour).is_likely_over:
                return use, spender.name
        return None

    def _part_more(self, seen: Observation, subject: Subject, changed_hour: int, end_hour: int) -> float:
        """Return which part of what the agent costs since it changed is what it costs more."""
        hours = max(1, end_hour - changed_hour)
        agents, environments = {subject.agent}, {subject.environment}
        costs = read_costs(self._store, subject.project, end_hour - hours, end_hour, agents, environments)
        usd_per_day = float(costs.sum()) / hours * HOURS_PER_DAY
        return min(1.0, (seen.usd_per_day or 0.0) / usd_per_day) if usd_per_day > 0 else 0.0


def _hours(shared: SharedBudget, end_hour: int) -> range:
    """Return the hours that a forecast is made of, up to ``end_hour``."""
    start_hour, _ = shared.budget.period.hours(time_of(end_hour - 1))
    return range(min(start_hour, end_hour - MOST_DAYS * HOURS_PER_DAY), end_hour)


def _use(shared: SharedBudget, costs: NDArray[np.float64], end_hour: int) -> BudgetUse:
    first_hour = end_hour - len(costs)
    start_hour, period_end = shared.budget.period.hours(time_of(end_hour - 1))
    spent = float(costs[start_hour - first_hour :].sum())
    return use_of(shared.budget, spent, forecast(costs, first_hour, start_hour, period_end), end_hour, period_end)


def _told(seen: Observation, shared: SharedBudget, use: BudgetUse, whose: str) -> Observation:
    details = {
        "usd": use.budget.usd,
        "period": use.budget.period.value,
        "used": use.used,
        "probability_over": use.probability_over,
        "per": shared.per,
        "of": whose,
    }
    return replace(
        seen,
        severity=over_budget(seen.severity),
        explanation=f"{seen.explanation} {_words(use, shared, whose)}",
        details={**seen.details, "budget": details},
    )


def _words(use: BudgetUse, shared: SharedBudget, whose: str) -> str:
    of = f" of {shared.per.removeprefix('tag:')} {quoted(whose)}" if whose else ""
    name = f"The budget of ${use.budget.usd:,.2f} a {use.budget.period}{of}"
    since = "" if shared.is_of_agents else ", and would do if this did not cost more"
    return f"{name} is used up{since}." if use.is_over else f"{name} will sooner be used up than not{since}."
