"""What the receiver tells about itself, as Prometheus metrics; ``docs/metrics.md`` lists them."""

import time
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from agentvigil.receiver.checking import REASONS
from agentvigil.receiver.errors import ReceiverError

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
        self._requests_refused = Counter(
            "agentvigil_receiver_requests_refused",
            "Export requests that were not stored, by protocol and reason.",
            ["signal", "protocol", "reason"],
            registry=registry,
        )
        self._items_received = Counter(
            "agentvigil_receiver_items_received",
            "Spans, log records and data points that arrived in requests that could be read.",
            ["signal"],
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
            "Spans, log records and data points refused for good, by reason.",
            ["signal", "reason"],
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
        self._newest_item_age = Gauge(
            "agentvigil_receiver_newest_item_age_seconds",
            "Time since the newest stored span, log record or data point was taken in.",
            ["signal"],
            registry=registry,
        )

    def of(self, signal: str) -> "SignalMetrics":
        """Return the metrics of one signal."""
        for reason in REASONS:
            self._items_rejected.labels(signal, reason)
        return SignalMetrics(
            signal,
            self._requests,
            self._requests_refused,
            self._items_rejected,
            self._newest_item_age,
            self._items_received.labels(signal),
            self._items_stored.labels(signal),
            self._requests_repeated.labels(signal),
            self._group_seconds.labels(signal),
            self._group_requests.labels(signal),
            self._queued_bytes.labels(signal),
        )


@dataclass(slots=True)
class SignalMetrics:
    """One signal's part of the receiver's metrics."""

    signal: str
    _requests: Counter
    _requests_refused: Counter
    _items_rejected: Counter
    _newest_item_age: Gauge
    items_received: Counter
    items_stored: Counter
    requests_repeated: Counter
    group_seconds: Histogram
    group_requests: Histogram
    queued_bytes: Gauge
    _newest_s: float | None = field(default=None, init=False)

    def accepted(self, protocol: str) -> None:
        """Count one request that was stored; ``protocol`` is ``grpc`` or ``http``."""
        self._requests.labels(self.signal, protocol, "OK").inc()

    def refused(self, protocol: str, error: ReceiverError) -> None:
        """Count one request that was not; its status is the name of a gRPC status code in both protocols."""
        self._requests.labels(self.signal, protocol, error.status.grpc_code.name).inc()
        self._requests_refused.labels(self.signal, protocol, error.reason).inc()

    def rejected(self, items: int, reason: str) -> None:
        """Count items that are refused for good, for one of ``checking.REASONS``."""
        self._items_rejected.labels(self.signal, reason).inc(items)

    def stored_at(self, received_at_s: float) -> None:
        """Take note of when an item that is stored was taken in, in seconds since 1970; one thread calls it."""
        if self._newest_s is None:
            # There is no age before the first.
            self._newest_s = received_at_s
            self._newest_item_age.labels(self.signal).set_function(self._age_s)
        self._newest_s = max(self._newest_s, received_at_s)

    def _age_s(self) -> float:
        return max(time.time() - (self._newest_s or 0), 0)
