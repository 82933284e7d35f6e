"""Explaining: why a run went as it did, out of its rows of agent_runs and agent_steps, in words.

Pure functions of structure: names, codes, counts, times and costs. What people or models wrote is not looked at.
"""

from agentvigil.analysis.explaining.account import account_of
from agentvigil.analysis.explaining.cause import RootCause, root_cause_of
from agentvigil.analysis.explaining.facts import RunFacts, StepFacts
from agentvigil.analysis.explaining.next_actions import next_actions_of

__all__ = ["RootCause", "RunFacts", "StepFacts", "account_of", "next_actions_of", "root_cause_of"]
