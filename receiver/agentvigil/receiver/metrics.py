"""What the receiver tells about itself, as Prometheus metrics; ``docs/metrics.md`` lists them."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class ReceiverMetrics:
    """The receiver's metrics, registered in ``registry``; each has a label ``signal``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "agentvigil_receiver_requests",
            "Export requests, by protocol and how they were answered (a gRPC status code's name).",
            ["signal", "protocol", "status"],
            registry=registry,
        )
        self._items_stored = Counter(
            "agentvigil_receiver_items_stored",
            "Spans, log records and data points acknowledged as stored.",
            ["signal"],
            registry=registry,
        )
        self._items_rejected = Counter(
            "agentvigil_receiver_items_rejected",
            "Spans, log records and data points refused for good, e.g. for invalid ids.",
            ["signal"],
            registry=registry,
        )
        self._requests_repeated = Counter(
            "agentvigil_receiver_requests_repeated",
            "Requests answered without storing, since they were stored before.",
            ["signal"],
            registry=registry,
        )
        self._group_seconds = Histogram(
            "agentvigil_receiver_group_commit_seconds",
            "Time to store one group of requests.",
            ["signal"],
            registry=registry,
            buckets=_SECONDS,
        )
        self._group_requests = Histogram(
            "agentvigil_receiver_group_requests",
            "Requests stored together.",
            ["signal"],
            registry=registry,
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
        )
        self._queued_bytes = Gauge(
            "agentvigil_receiver_queued_bytes",
            "Bytes of requests that wait for an answer.",
            ["signal"],
            registry=registry,
        )

    def of(self, signal: str) -> "SignalMetrics":
        """Return the metrics of one signal."""
        return SignalMetrics(
            signal,
            self._requests,
            self._items_stored.labels(signal),
            self._items_rejected.labels(signal),
            self._requests_repeated.labels(signal),
            self._group_seconds.labels(signal),
            self._group_requests.labels(signal),
            self._queued_bytes.labels(signal),
        )


@dataclass(frozen=True, slots=True)
class SignalMetrics:
    """One signal's part of the receiver's metrics."""

    signal: str
    _requests: Counter
    items_stored: Counter
    items_rejected: Counter
    requests_repeated: Counter
    group_seconds: Histogram
    group_requests: Histogram
    queued_bytes: Gauge

    def answered(self, protocol: str, status: str) -> None:
        """Count one answer; ``status`` is the name of a gRPC status code in both protocols."""
        self._requests.labels(self.signal, protocol, status).inc()
