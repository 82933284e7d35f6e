"""One made-up agent and its baseline, learned once for all tests."""

from dataclasses import replace

import pytest

from agentvigil.analysis.detection.baseline import Baseline, fit
from agentvigil.analysis.features.cells import Cells
from simulated_agents import START, Agent, cells_of, subject

BASELINE_DAYS = 28


@pytest.fixture(scope="session")
def agent() -> Agent:
    """Return how it is made."""
    return Agent()


@pytest.fixture(scope="session")
def cells(agent: Agent) -> Cells:
    """Return its runs of eight weeks; in the last ten days version 2.4 uses another tool more often."""
    changed = replace(agent, tools={**agent.tools, "refund": 0.32}, version="2.4")
    return cells_of(agent, 50, 7, changes=[(40 + 7 / 24, changed)])


@pytest.fixture(scope="session")
def baseline(cells: Cells) -> Baseline:
    """Return what is learned from its first four weeks."""
    found = fit(subject(), cells, START, START + BASELINE_DAYS * 24)
    assert isinstance(found, Baseline)
    return found
