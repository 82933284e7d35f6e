"""What the receiver tells about itself, as Prometheus metrics; ``docs/metrics.md`` lists them."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class ReceiverMetrics:
    """The receiver's metrics, registered in ``registry``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "agentvigil_receiver_requests",
            "Export requests, by protocol and how they were answered (a gRPC status code's name).",
            ["signal", "protocol", "status"],
            registry=registry,
        )
        self.spans_stored = Counter(
            "agentvigil_receiver_spans_stored", "Spans acknowledged as stored.", registry=registry
        )
        self.spans_rejected = Counter(
            "agentvigil_receiver_spans_rejected", "Spans refused for good, e.g. for invalid ids.", registry=registry
        )
        self.requests_repeated = Counter(
            "agentvigil_receiver_requests_repeated",
            "Requests answered without storing, since they were stored before.",
            registry=registry,
        )
        self.group_seconds = Histogram(
            "agentvigil_receiver_group_commit_seconds",
            "Time to store one group of requests.",
            registry=registry,
            buckets=_SECONDS,
        )
        self.group_requests = Histogram(
            "agentvigil_receiver_group_requests",
            "Requests stored together.",
            registry=registry,
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
        )
        self.queued_bytes = Gauge(
            "agentvigil_receiver_queued_bytes", "Bytes of requests that wait for an answer.", registry=registry
        )
