"""Settling: the spans of a trace that has been quiet for some seconds become rows of agent_runs and agent_steps.

ClickHouse does the work, in the statements of the ``.sql`` files here; Python decides which traces are due, and when.
"""

from agentvigil.analysis.settling.batches import Trace
from agentvigil.analysis.settling.config import SettlingConfig
from agentvigil.analysis.settling.job import Progress, SettlingJob
from agentvigil.analysis.settling.metrics import ProgressCollector
from agentvigil.analysis.settling.service import SettlingService
from agentvigil.analysis.settling.traces import TraceSettler

__all__ = ["Progress", "ProgressCollector", "SettlingConfig", "SettlingJob", "SettlingService", "Trace", "TraceSettler"]
