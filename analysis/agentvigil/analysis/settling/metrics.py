"""How far settling is, as Prometheus metrics; ``docs/metrics.md`` lists them."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agentvigil.analysis.settling.job import Progress


class ProgressCollector(Collector):
    """Tells the progress of settling as it is when it is asked for."""

    def __init__(self, registry: CollectorRegistry, progress: Callable[[], Progress]) -> None:
        self._progress = progress
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        progress = self._progress()
        yield CounterMetricFamily(
            "agentvigil_settling_runs", "Runs written, each time one is settled.", value=progress.runs
        )
        yield GaugeMetricFamily(
            "agentvigil_settling_pending_traces",
            "Traces that wait until they are quiet, or until their open run ends.",
            value=progress.pending_traces,
        )
        yield GaugeMetricFamily(
            "agentvigil_settling_lag_seconds", "Age of the oldest span that is in no settled row.", value=progress.lag_s
        )
