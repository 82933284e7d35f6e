"""Alerts: rules on findings and metrics, and notices by webhook and mail.

A :class:`Rule` finds situations, which become alerts with episodes (``states.py``); what becomes of an alert is a
notice, which goes to destinations by way of the outbox (``outbox.py``). Everything that is told has an id that follows
from what it tells, so that it may be done twice and is told once. Names in notices come from spans and are not trusted
(``formats.py``).
"""

from agentvigil.analysis.alerts.book import AlertBook
from agentvigil.analysis.alerts.configuration import AlertsUnusable, Configuration
from agentvigil.analysis.alerts.job import AlertJob, AlertProgress
from agentvigil.analysis.alerts.metrics import AlertCollector
from agentvigil.analysis.alerts.rules import Rule
from agentvigil.analysis.alerts.sending import Sender

__all__ = [
    "AlertBook",
    "AlertCollector",
    "AlertJob",
    "AlertProgress",
    "AlertsUnusable",
    "Configuration",
    "Rule",
    "Sender",
]
