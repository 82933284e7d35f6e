"""What settling tells Prometheus is its progress at that moment, under the names that the docs list."""

from pathlib import Path

from prometheus_client import CollectorRegistry

from agentvigil.analysis.settling import Progress, ProgressCollector

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_each_look_finds_the_progress_of_that_moment() -> None:
    progress = [Progress(), Progress(runs=3, pending_traces=2, lag_s=1.5)]
    registry = CollectorRegistry()
    ProgressCollector(registry, lambda: progress[0])
    names = ("agentvigil_settling_runs_total", "agentvigil_settling_pending_traces", "agentvigil_settling_lag_seconds")
    assert [registry.get_sample_value(name) for name in names] == [0, 0, 0]
    progress.pop(0)
    assert [registry.get_sample_value(name) for name in names] == [3, 2, 1.5]
    assert not [name for name in names if f"`{name}`" not in DOCUMENT.read_text(encoding="utf-8")]
