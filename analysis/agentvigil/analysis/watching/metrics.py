"""How far agents are watched, as Prometheus metrics; ``docs/metrics.md`` lists them."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agentvigil.analysis.watching.job import WatchProgress


class WatchCollector(Collector):
    """Tells how far projects are watched, as it is when it is asked for."""

    def __init__(self, registry: CollectorRegistry, progress: Callable[[], Sequence[WatchProgress]]) -> None:
        self._progress = progress
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        progress = self._progress()
        yield GaugeMetricFamily(
            "agentvigil_watched_agents",
            "Agents that are compared with a baseline.",
            value=sum(one.watched for one in progress),
        )
        yield GaugeMetricFamily(
            "agentvigil_watch_lag_hours",
            "Hours that are counted and not looked through, of the project with the most.",
            value=max((one.end_hour - one.next_hour for one in progress), default=0),
        )
