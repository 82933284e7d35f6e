"""Watches agents: every hour that is counted goes to the detectors, and what they see goes to the book of findings.

**Hour by hour, whatever the clock says.** A project is watched from its first run on, an hour after the other, as far
as hours are over, settled and counted. An hour of last month is judged by what was known then: what would have been
found is found, with the times at which it would have been. So a pause is caught up with, and history that is sent at
once is looked through in minutes.

**What is kept.** The baselines that agents are compared with, and the evidence against them, as of an hour; both are
written after each day that is looked through. A process that dies does that day again: the evidence is a function of
what was counted, and the book knows its findings again.

**What comes late.** Where runs came in for hours that were looked at already, more than the odd one, their agent is
looked through again from the start, and its evidence put in the place of what was.

**What goes on.** A drift that is open is explained again once a day, at midnight, and when it is closed: what it is
like then. That is no second finding, and says nothing of whether it is still there: only the detector does.

:mod:`.drift` holds the state of a project, :mod:`.choosing` picks baselines, :mod:`.daily` asks what is asked once a
day, :mod:`.examples` finds runs that show it, :mod:`.budgets` says what takes an agent over a budget, :mod:`.keeping`
writes and reads the state, and :mod:`.job` puts all of them together.
"""

from agentvigil.analysis.watching.job import WatchJob, WatchProgress
from agentvigil.analysis.watching.metrics import WatchCollector

__all__ = ["WatchCollector", "WatchJob", "WatchProgress"]
