"""Budgets that rules set, as those see them who ask whether an agent will be too dear."""

from typing import Any

import pytest

from agentvigil.analysis.alerts.book import KeptRule
from agentvigil.analysis.alerts.budgets import cost_budgets
from agentvigil.analysis.alerts.rules import Rule
from agentvigil.analysis.features.cells import Subject
from agentvigil.analysis.spending.budgets import Budget, Period, SharedBudget

AGENT = Subject("shop", "production", "concierge")


def rule(project: str = "shop", enabled: bool = True, **budget: Any) -> KeptRule:
    said = {"destinations": ["ops"], "enabled": enabled, "budget": {"limit": 500, **budget}}
    return KeptRule(project, "budget", Rule.model_validate(said))


def test_budgets_have_whose_costs_they_are_for() -> None:
    of_agent = Budget(500, Period.MONTH, "shop", "concierge")
    of_all = Budget(500, Period.MONTH, "shop")
    for said, shared in (
        ({}, SharedBudget(of_all)),
        ({"per": "agent"}, SharedBudget(of_agent, frozenset({"concierge"}))),
        ({"per": "agent", "agents": ["writer", "concierge"]}, SharedBudget(of_agent, frozenset({"concierge"}))),
        ({"agents": ["writer", "concierge"]}, SharedBudget(of_all, frozenset({"writer", "concierge"}))),
        ({"per": "environment"}, SharedBudget(of_all, environments=frozenset({"production"}))),
        ({"environments": ["production"]}, SharedBudget(of_all, environments=frozenset({"production"}))),
        ({"per": "user"}, SharedBudget(of_all, per="user")),
        (
            {"per": "tag:team", "agents": ["concierge"]},
            SharedBudget(of_agent, frozenset({"concierge"}), per="tag:team"),
        ),
        ({"users": ["anna"]}, SharedBudget(of_all, users=frozenset({"anna"}))),
        ({"period": "day"}, SharedBudget(Budget(500, Period.DAY, "shop"))),
    ):
        assert cost_budgets([rule(**said)], AGENT) == [shared], said


@pytest.mark.parametrize(
    "said",
    [
        {"project": "another"},
        {"enabled": False},
        {"measure": "tokens"},
        {"agents": ["writer"]},
        {"environments": ["staging"]},
    ],
)
def test_budgets_of_others_are_left_out(said: dict[str, Any]) -> None:
    """What others may spend says nothing of what an agent may."""
    assert cost_budgets([rule(**said)], AGENT) == []


def test_rules_on_other_things_are_no_budgets() -> None:
    other = Rule.model_validate({"destinations": ["ops"], "findings": {}})

    assert cost_budgets([KeptRule("shop", "findings", other)], AGENT) == []
