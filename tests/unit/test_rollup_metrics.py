"""What rollups tell Prometheus is their progress at that moment, under the names that the docs list."""

from pathlib import Path

from prometheus_client import CollectorRegistry

from agentvigil.analysis.rollups import RollupCollector, RollupProgress

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_each_look_finds_the_progress_of_that_moment() -> None:
    progress = [RollupProgress(), RollupProgress(hours=3, waiting_hours=2, lag_s=90.0)]
    registry = CollectorRegistry()
    RollupCollector(registry, lambda: progress[0])
    names = ("agentvigil_rollup_hours_total", "agentvigil_rollup_waiting_hours", "agentvigil_rollup_lag_seconds")
    assert [registry.get_sample_value(name) for name in names] == [0, 0, 0]
    progress.pop(0)
    assert [registry.get_sample_value(name) for name in names] == [3, 2, 90.0]
    assert not [name for name in names if f"`{name}`" not in DOCUMENT.read_text(encoding="utf-8")]
