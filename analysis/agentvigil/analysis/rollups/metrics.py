"""How far the sums of hours are, as Prometheus metrics; ``docs/metrics.md`` lists them."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agentvigil.analysis.rollups.job import RollupProgress


class RollupCollector(Collector):
    """Tells the progress of rollups as it is when it is asked for."""

    def __init__(self, registry: CollectorRegistry, progress: Callable[[], RollupProgress]) -> None:
        self._progress = progress
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        progress = self._progress()
        yield CounterMetricFamily(
            "agentvigil_rollup_hours", "Hours of calls or of features of runs summed.", value=progress.hours
        )
        yield GaugeMetricFamily(
            "agentvigil_rollup_waiting_hours",
            "Hours whose steps or runs changed since they were summed.",
            progress.waiting_hours,
        )
        yield GaugeMetricFamily(
            "agentvigil_rollup_lag_seconds", "How long the oldest hour that waits has been over.", value=progress.lag_s
        )
