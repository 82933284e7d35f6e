"""What is spent, as the API takes the question and tells the answer."""

from decimal import Decimal

from pydantic import BaseModel, Field

from agentvigil.analysis.spending.budgets import Period
from agentvigil.api.amounts import MoneyText
from agentvigil.api.asked import Asked
from agentvigil.api.runs.filters import Texts
from agentvigil.api.times import GivenTime, ToldTime


class SpendingAsked(Asked):
    """Whose spending, and of which day or month; a filter that is given several times matches any of its values."""

    agent: Texts = Field([], description="name of the agent, else of the workflow, else of the top span")
    environment: Texts = Field([], description="deployment.environment.name")
    user: Texts = Field([], description="user.id")
    model: Texts = Field([], description="calls of this model alone")
    period: Period = Field(Period.MONTH, description="of the calendar, in UTC")
    at: GivenTime | None = Field(None, description="as of this time, in the period that it is in; now if not said")
    budget_usd: Decimal | None = Field(
        None, gt=0, lt=10**12, description="what may be spent in the period by what the filters choose"
    )
    top: int = Field(10, ge=1, le=100, description="so many agents, models and users are told")


class Foretold(BaseModel):
    """What the period will have cost when it is over. docs/spending.md has the method."""

    usd: MoneyText = Field(description="in the middle of what may come, what was spent included")
    low_usd: MoneyText = Field(description="lower end of the interval")
    high_usd: MoneyText
    level: float = Field(description="so probable it is that the end lies in the interval, if it goes on as it went")
    days: int = Field(description="whole days that it is made of")


class BudgetTold(BaseModel):
    """Where the budget stands."""

    usd: MoneyText
    used: float = Field(examples=[0.42], description="what was spent, as a part of it")
    is_over: bool
    probability_over: float | None = Field(description="that it will not do; null where nothing can be foretold")
    used_up_at: ToldTime | None = Field(description="when it will be used up, as things go; null if it will do")


class Part(BaseModel):
    """What one of them cost."""

    name: str | None = Field(description="null where it is not known")
    usd: MoneyText
    share: float | None = Field(description="of all that was spent in the period")


class Spending(BaseModel):
    """What was spent since the period began. All money is list prices of settled runs, each real call once."""

    period: Period
    since: ToldTime = Field(description="when the period began")
    until: ToldTime = Field(description="as of when")
    ends_at: ToldTime = Field(description="when the period is over")
    usd: MoneyText
    unpriced_calls: int = Field(description="calls whose model has no price: usd lacks them")
    forecast: Foretold | None = Field(description="null below a day of history")
    budget: BudgetTold | None = Field(description="null where none is said")
    by_agent: list[Part] = Field(description="by the start of their runs, the dearest first")
    by_model: list[Part] = Field(description="by the time of their calls, the dearest first")
    by_user: list[Part] = Field(description="by the start of their runs, the dearest first")
