"""Rollups: what is summed by the hour, for answers over weeks: calls of models and tools, and features of runs.

An hour is summed when it is over and quiet, from the rows as they are, and again whenever they changed. A count of
all rows that were ever written for the hour (``agent_step_changes`` of calls, ``agent_run_changes`` of features) says
whether its sums still hold: it is read before the rows, kept with the sums, and whoever reads them compares. So nothing
depends on clocks, on who else sums, or on where a process died: sums of a lower count are void, those of one count are
the same whoever made them.
"""

from agentvigil.analysis.rollups.call_hours import CALL_HOURS
from agentvigil.analysis.rollups.hourly import HourlySums, Hours
from agentvigil.analysis.rollups.job import RollupJob, RollupProgress
from agentvigil.analysis.rollups.metrics import RollupCollector

__all__ = ["CALL_HOURS", "Hours", "HourlySums", "RollupCollector", "RollupJob", "RollupProgress"]
