"""What alerts tell Prometheus is their progress at that moment, under the names that the docs list."""

from pathlib import Path

from prometheus_client import CollectorRegistry

from agentvigil.analysis.alerts import AlertCollector, AlertProgress

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_each_look_finds_the_progress_of_that_moment() -> None:
    progress = [AlertProgress()]
    registry = CollectorRegistry()
    AlertCollector(registry, lambda: progress[0])
    of_kind = {"kind": "drift", "severity": "major"}
    assert registry.get_sample_value("agentvigil_findings_open", of_kind) == 0

    progress[0] = AlertProgress(
        delivered=3, retried=2, failed=1, dropped=4, waiting=5, open_alerts=6, open_findings={("drift", "major"): 7}
    )
    assert registry.get_sample_value("agentvigil_findings_open", of_kind) == 7
    assert registry.get_sample_value("agentvigil_findings_open", {"kind": "anomaly", "severity": "minor"}) == 0
    outcomes = {
        outcome: registry.get_sample_value("agentvigil_alert_deliveries_total", {"outcome": outcome})
        for outcome in ("delivered", "retried", "failed", "dropped")
    }
    assert outcomes == {"delivered": 3, "retried": 2, "failed": 1, "dropped": 4}
    assert registry.get_sample_value("agentvigil_alert_deliveries_waiting") == 5
    assert registry.get_sample_value("agentvigil_alerts_open") == 6
    names = {sample.name for metric in registry.collect() for sample in metric.samples if "_created" not in sample.name}
    assert not [name for name in names if f"`{name}`" not in DOCUMENT.read_text(encoding="utf-8")]
