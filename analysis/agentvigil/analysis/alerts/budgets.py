"""Budgets of money that rules set, for whoever wants to know if something will be dear."""

from collections.abc import Iterable
from typing import Final

from agentvigil.analysis.alerts.book import KeptRule
from agentvigil.analysis.alerts.rules import BudgetCondition, Measure
from agentvigil.analysis.features.cells import Subject
from agentvigil.analysis.spending.budgets import Budget, Period, SharedBudget

_PER_SUBJECT: Final = ("agent", "environment")
"""What an agent has one of."""


def cost_budgets(rules: Iterable[KeptRule], subject: Subject) -> list[SharedBudget]:
    """Return the budgets that what ``subject`` costs comes out of, as ``rules`` of its project have them.

    Some are of users, or of each user or value of a tag. Days and months are those of UTC.
    """
    return [
        _shared(condition, subject)
        for kept in rules
        if kept.project == subject.project and kept.rule.enabled
        if isinstance(condition := kept.rule.condition, BudgetCondition) and _is_of(condition, subject)
    ]


def _is_of(condition: BudgetCondition, subject: Subject) -> bool:
    return (
        condition.measure is Measure.COST
        and (not condition.agents or subject.agent in condition.agents)
        and (not condition.environments or subject.environment in condition.environments)
    )


def _shared(condition: BudgetCondition, subject: Subject) -> SharedBudget:
    agents = (subject.agent,) if condition.per == "agent" else condition.agents
    environments = (subject.environment,) if condition.per == "environment" else condition.environments
    budget = Budget(
        condition.limit, Period(condition.period), subject.project, subject.agent if agents == (subject.agent,) else ""
    )
    per = "" if condition.per in _PER_SUBJECT else condition.per
    return SharedBudget(budget, frozenset(agents), frozenset(environments), frozenset(condition.users), per)
