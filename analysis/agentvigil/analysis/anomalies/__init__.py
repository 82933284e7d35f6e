"""Anomalies: single runs and conversations that are far from what their agent usually does.

What is usual is worked out once a day for each project, from the runs of the 28 days before the day: no run is compared
with itself, nor with others of its day. Each finished run is then compared with runs like it: the same agent and
environment, the same class of input, about as many steps. :mod:`.spread`, :mod:`.tool_use` and :mod:`.loops` say from
where on something is out of the ordinary, :mod:`.judging` asks all of them, :mod:`.culprits` which step it was; all of
these are pure. :mod:`.baseline_book` and :mod:`.run_reading` read, and :mod:`.job` does it run by run as they settle.
"""

from agentvigil.analysis.anomalies.job import AnomalyJob, AnomalyProgress, Sink

__all__ = ["AnomalyJob", "AnomalyProgress", "Sink"]
