"""How much of a budget is used, and whether it will do."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from agentvigil.analysis.spending.forecast import Forecast

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)


class Period(StrEnum):
    """How long a budget is for: a day or a month of the calendar, in UTC."""

    DAY = "day"
    MONTH = "month"

    def hours(self, time: datetime) -> tuple[int, int]:
        """Return the first hour of the period that ``time`` is in, and the first one after it."""
        start = time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self is Period.DAY:
            end = start + timedelta(days=1)
        else:
            start = start.replace(day=1)
            end = (start + timedelta(days=32)).replace(day=1)
        return (start - _EPOCH) // _HOUR, (end - _EPOCH) // _HOUR


@dataclass(frozen=True, slots=True)
class Budget:
    """So many US dollars for each period, of what ``project``, ``agent``, ``user`` and ``model`` say; empty is all."""

    usd: float
    period: Period = Period.MONTH
    project: str = ""
    agent: str = ""
    user: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class SharedBudget:
    """A budget, and whose costs come out of it: all agents' where none is named, in all environments likewise."""

    budget: Budget
    agents: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    per: str = ""
    """``user`` or ``tag:NAME``: each user, or each value of the tag, has the budget for itself."""

    @property
    def is_of_agents(self) -> bool:
        """Whether the agent and the environment of a run alone say if it comes out of the budget."""
        return not self.per and not self.users


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """Where a budget stands."""

    budget: Budget
    spent: float
    used: float
    """``spent`` as a part of the budget."""
    probability_over: float | None
    """How probable it is that it will not do; None where nothing can be foretold."""
    used_up_hour: int | None
    """In which hour it will be used up if each hour that is left costs as much as the others; None if it will do."""

    @property
    def is_over(self) -> bool:
        return self.spent > self.budget.usd

    @property
    def is_likely_over(self) -> bool:
        """Say whether it will sooner be used up than not."""
        return self.is_over or (self.probability_over is not None and self.probability_over >= 0.5)


def use_of(budget: Budget, spent: float, forecast: Forecast | None, now_hour: int, end_hour: int) -> BudgetUse:
    """Return where ``budget`` stands at ``now_hour``, of a period that goes to ``end_hour``.

    Raises:
        ValueError: if the budget is not more than nothing.
    """
    if not budget.usd > 0:
        raise ValueError(f"a budget of {budget.usd} USD is used up before it begins; give more than 0")
    if spent > budget.usd:
        probability: float | None = 1.0
    else:
        probability = None if forecast is None else forecast.probability_above(budget.usd)
    return BudgetUse(
        budget, spent, spent / budget.usd, probability, _used_up(budget, spent, forecast, now_hour, end_hour)
    )


def _used_up(budget: Budget, spent: float, forecast: Forecast | None, now_hour: int, end_hour: int) -> int | None:
    if spent > budget.usd:
        return now_hour
    if forecast is None or forecast.expected <= budget.usd:
        return None
    share = (budget.usd - spent) / (forecast.expected - spent)
    return now_hour + int(share * (end_hour - now_hour))
