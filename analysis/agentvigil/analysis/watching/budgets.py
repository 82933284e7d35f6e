"""Whether what costs more takes an agent over a budget that somebody set."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from agentvigil.analysis.features.cells import Subject, hour_of, time_of
from agentvigil.analysis.features.reading import read_costs
from agentvigil.analysis.findings.model import Observation
from agentvigil.analysis.findings.severity import over_budget
from agentvigil.analysis.spending.budgets import BudgetUse, SharedBudget, use_of
from agentvigil.analysis.spending.forecast import HOURS_PER_DAY, MOST_DAYS, forecast
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
        foretold at the end of its data.

        Raises:
            StorageError: if the store does not answer.
        """
        if not seen.agent or (seen.usd_per_day or 0.0) <= 0.0:
            return seen
        for budget in self._budgets_of(Subject(seen.project, seen.environment, seen.agent)):
            use = self._use(budget, seen.project, hour_of(seen.seen_at))
            if use.is_likely_over:
                details = {
                    "usd": use.budget.usd,
                    "period": use.budget.period.value,
                    "used": use.used,
                    "probability_over": use.probability_over,
                }
                return replace(
                    seen,
                    severity=over_budget(seen.severity),
                    explanation=f"{seen.explanation} {_words(use)}",
                    details={**seen.details, "budget": details},
                )
        return seen

    def _use(self, shared: SharedBudget, project: str, end_hour: int) -> BudgetUse:
        start_hour, period_end = shared.budget.period.hours(time_of(end_hour - 1))
        first_hour = min(start_hour, end_hour - MOST_DAYS * HOURS_PER_DAY)
        costs = read_costs(self._store, project, first_hour, end_hour, shared.agents, shared.environments)
        spent = float(costs[start_hour - first_hour :].sum())
        foretold = forecast(costs, first_hour, start_hour, period_end)
        return use_of(shared.budget, spent, foretold, end_hour, period_end)


def _words(use: BudgetUse) -> str:
    name = f"The budget of ${use.budget.usd:,.2f} a {use.budget.period}"
    return f"{name} is used up." if use.is_over else f"{name} will sooner be used up than not."
