"""What looks at the data while a server runs: sums of hours, detectors, alerts. One thread each."""

import asyncio
import contextlib
from typing import Final

from prometheus_client import CollectorRegistry

from agentvigil.analysis.alerts import AlertCollector, AlertJob, Configuration, Sender
from agentvigil.analysis.alerts.book import AlertBook
from agentvigil.analysis.alerts.budgets import cost_budgets
from agentvigil.analysis.anomalies import AnomalyJob
from agentvigil.analysis.detection import DetectionConfig, Hours
from agentvigil.analysis.features.feature_hours import FEATURE_HOURS
from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.job_service import Job, JobService, Pace, holder_of
from agentvigil.analysis.rollups import CALL_HOURS, RollupCollector, RollupJob
from agentvigil.analysis.watching import WatchCollector, WatchJob
from agentvigil.analysis.watching.budgets import BudgetsOf
from agentvigil.analysis.watching.sink import recording
from agentvigil.cli.settings import Settings
from agentvigil.storage.store import Store

_SUMMING: Final = Pace(pause_s=15, rest_per_work=4, rest_per_work_behind=4, begin_after_s=10)
"""A month of a store that has no sums yet takes minutes, and intake and settling keep the machine."""
_WATCHING: Final = Pace(pause_s=15, rest_per_work=4, rest_per_work_behind=1, begin_after_s=30)
_ALERTING: Final = Pace(pause_s=10, begin_after_s=20)
_BRISK: Final = Pace(pause_s=1)
_BRISK_QUIET_S: Final = 5


async def start_jobs(
    stack: contextlib.AsyncExitStack,
    store: Store,
    settings: Settings,
    alerts: Configuration,
    registry: CollectorRegistry,
    *,
    brisk: bool = False,
) -> list[JobService]:
    """Start what ``settings`` ask for, and stop it when ``stack`` unwinds; return what was started.

    ``brisk`` does not wait for hours to be quiet for long, nor rests: for a demo, where somebody watches.
    """
    holder = holder_of(store)
    services: list[JobService] = []

    def add(name: str, job: Job, pace: Pace, *, what: str, done: str) -> None:
        services.append(JobService(name, job, pace, what=what, done=done))

    if settings.settling:
        kinds = (CALL_HOURS, FEATURE_HOURS)
        rollups = RollupJob(store, holder, _BRISK_QUIET_S, kinds) if brisk else RollupJob(store, holder, kinds=kinds)
        RollupCollector(registry, lambda: rollups.progress)
        add("rollups", rollups, _BRISK if brisk else _SUMMING, what="hours", done="summed")
    if settings.analysis:
        findings = FindingsBook(store, settings.keep_days)
        watch = WatchJob(store, holder, detection_config(settings), findings, budgets_in(store, alerts))
        WatchCollector(registry, lambda: watch.progress)
        add("watching", watch, _BRISK if brisk else _WATCHING, what="agents", done="watched")
        anomalies = AnomalyJob(store, holder, recording(findings))
        add("anomalies", anomalies, _WATCHING, what="runs", done="compared with others")
        alerting = AlertJob(store, alerts, holder, Sender())
        AlertCollector(registry, lambda: alerting.progress)
        add("alerts", alerting, _ALERTING, what="alerts", done="looked at")
    for service in services:
        service.start()
        stack.push_async_callback(asyncio.to_thread, service.stop)
    return services


def budgets_in(store: Store, alerts: Configuration) -> BudgetsOf:
    """Return the budgets that rules for alerts set, in the file or by the API."""
    book = AlertBook(store, alerts)
    return lambda subject: cost_budgets(book.rules(subject.project), subject)


def detection_config(settings: Settings) -> DetectionConfig:
    """Return how the drift detector is tuned."""
    return DetectionConfig(hours_between_false_alarms=float(Hours[settings.sensitivity.upper()]))
