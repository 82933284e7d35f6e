"""Users, and values of tags, that have a budget each and that an agent ran for: what each hour cost them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agentvigil.analysis.features.cells import SECONDS_PER_HOUR, Subject
from agentvigil.analysis.spending.budgets import SharedBudget
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_STATEMENTS: Final = load_queries("agentvigil.analysis.watching", "spenders.sql")
_MOST: Final = 20
"""They all have the same budget: whose is not among those who used most of it will do the longest."""
_TAG: Final = "tag:"
_SETTINGS: Final = {"max_memory_usage": 2 * 2**30, "max_threads": 1}


@dataclass(frozen=True, slots=True)
class Spender:
    """Who has a budget, and what each hour cost in US dollars."""

    name: str
    """Of the user, or the value of the tag; empty where several users share one budget."""
    usd: NDArray[np.float64]
    """Of all runs that the budget counts."""
    own_usd: NDArray[np.float64]
    """Of these, those of the agent that is asked about, since it changed."""


def read_spenders(
    store: Store, shared: SharedBudget, subject: Subject, changed_hour: int, start_hour: int, hours: range
) -> list[Spender]:
    """Return who has the budget, in ``hours``, of those whom ``subject`` ran for since ``changed_hour``.

    They are at most 20, those who used most since ``start_hour``, in which the budget's period began.

    Raises:
        StorageError: if the store does not answer.
    """
    is_tag = shared.per.startswith(_TAG)
    parameters = {
        "project": subject.project,
        "agent": subject.agent,
        "environment": subject.environment,
        "per": "tag" if is_tag else shared.per,
        "tag": f"{shared.per.removeprefix(_TAG)}=" if is_tag else "",
        "agents": sorted(shared.agents),
        "environments": sorted(shared.environments),
        "users": sorted(shared.users),
        "changed_hour": changed_hour,
        "start_hour": start_hour,
        "first_hour_s": hours.start * SECONDS_PER_HOUR,
        "end_hour_s": hours.stop * SECONDS_PER_HOUR,
        "most": _MOST,
    }
    found: dict[str, Spender] = {}
    for row in store.records(_STATEMENTS["hourly_costs"], parameters, _SETTINGS):
        name, at = str(row["spender"]), int(row["hour"]) - hours.start
        spender = found.setdefault(name, Spender(name, np.zeros(len(hours)), np.zeros(len(hours))))
        spender.usd[at], spender.own_usd[at] = row["usd"], row["own_usd"]
    return list(found.values())
