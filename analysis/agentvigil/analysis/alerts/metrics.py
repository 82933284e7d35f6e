"""Open findings and what became of notices, as Prometheus metrics; ``docs/metrics.md`` lists them."""

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agentvigil.analysis.alerts.job import AlertProgress
from agentvigil.analysis.findings.model import Kind, Severity

_OUTCOMES: Final = ("delivered", "retried", "failed", "dropped")


class AlertCollector(Collector):
    """Tells the progress of alerts as it is when it is asked for."""

    def __init__(self, registry: CollectorRegistry, progress: Callable[[], AlertProgress]) -> None:
        self._progress = progress
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        progress = self._progress()
        findings = GaugeMetricFamily("agentvigil_findings_open", "Findings that are open.", labels=("kind", "severity"))
        for kind in Kind:
            for severity in Severity:
                findings.add_metric((kind, severity), progress.open_findings.get((kind, severity), 0))
        yield findings
        yield GaugeMetricFamily("agentvigil_alerts_open", "Alerts that are not over.", value=progress.open_alerts)
        attempts = CounterMetricFamily(
            "agentvigil_alert_deliveries", "Notices that were, or were not, delivered.", labels=("outcome",)
        )
        for outcome in _OUTCOMES:
            attempts.add_metric((outcome,), getattr(progress, outcome))
        yield attempts
        yield GaugeMetricFamily(
            "agentvigil_alert_deliveries_waiting", "Notices that are held or to be sent.", value=progress.waiting
        )
