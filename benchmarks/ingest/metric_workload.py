"""The pinned workload of metrics: what the GenAI conventions and a service's own meters emit, a service per request.

Of every eight data points three are histograms with 15 buckets (two of ``gen_ai.client.token.usage``, one of
``gen_ai.client.operation.duration``, with the conventions' bounds), three are sums and two are gauges. Each is a series
of its own with six attributes or so. One histogram in sixteen has an exemplar. Temporality is cumulative.

Fresh in every request: the time of collection, which all points share, the start time (per stream, that of a process
some minutes old), the values of gauges and of sums in doubles, the sums of histograms, and the exemplars' ids, times
and values. Counts, bucket counts and integer sums are the template's, as fixed by the seed.
How requests are made is in ``patching.py``.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from patching import (
    DECIMAL,
    DECIMAL_DIGITS,
    SECOND_NS,
    SPAN_ID,
    TIME,
    TRACE_ID,
    AttributeValue,
    Draft,
    Indices,
    Pool,
    Template,
    Values,
    add_attributes,
    add_resource,
    protobuf_template,
    sentinel,
)
from workload import MODELS, SERVICES, Service

POOL_POINTS: Final = 16_384
POINTS_PER_TURN: Final = 8
"""Two of token usage, one of duration, three of sums, two of gauges: requests are multiples of it."""

TOKEN_BOUNDS: Final = tuple(4.0**power for power in range(14))
DURATION_BOUNDS: Final = tuple(0.01 * 2**power for power in range(14))
"""https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/"""

_STARTED, _COLLECTED, _FIRST_EXEMPLAR = 0, 1, 2
"""Which of a request's fresh times is which."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """How many fresh values a request needs."""

    exemplars: int
    decimals: int


class _DraftBuilder:
    """Builds one request and keeps, in serialisation order, what each sentinel stands for."""

    def __init__(self, rng: random.Random, service: Service, points: int) -> None:
        self.rng = rng
        self.service = service
        self.turns = points // POINTS_PER_TURN
        self.times: list[int] = []
        self.fraction_digits: list[int] = []
        self.exemplars = 0
        self.histograms = 0

    def build(self) -> Draft:
        request = ExportMetricsServiceRequest()
        resource_metrics = request.resource_metrics.add()
        add_resource(resource_metrics.resource, self.rng, self.service.name)
        self._gen_ai(resource_metrics.scope_metrics.add())
        self._service(resource_metrics.scope_metrics.add())
        exemplars = np.arange(self.exemplars)
        return Draft(
            request,
            self.turns * POINTS_PER_TURN,
            {
                TIME: np.array(self.times, dtype=np.int64),
                DECIMAL: np.arange(len(self.fraction_digits)),
                SPAN_ID: exemplars,
                TRACE_ID: exemplars,
            },
            _Plan(self.exemplars, len(self.fraction_digits)),
            relative_times=np.empty(0, dtype=np.int64),
            fraction_digits=np.array(self.fraction_digits),
        )

    def _gen_ai(self, scope_metrics: Any) -> None:
        scope_metrics.scope.name = "opentelemetry.instrumentation.genai"
        scope_metrics.scope.version = "1.3.0"
        tokens = _metric(
            scope_metrics, "gen_ai.client.token.usage", "Number of input and output tokens used.", "{token}"
        )
        tokens.histogram.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
        for index in range(2 * self.turns):
            attributes = self._model_call(index // 2) | {"gen_ai.token.type": ("input", "output")[index % 2]}
            self._histogram(tokens.histogram, TOKEN_BOUNDS, attributes, typical_bucket=5, fraction_digits=2)
        duration = _metric(scope_metrics, "gen_ai.client.operation.duration", "GenAI operation duration.", "s")
        duration.histogram.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
        for index in range(self.turns):
            self._histogram(
                duration.histogram, DURATION_BOUNDS, self._model_call(index), typical_bucket=7, fraction_digits=6
            )

    def _model_call(self, index: int) -> dict[str, AttributeValue]:
        """Attributes of one series; another index is another series."""
        provider, request_model, response_model = MODELS[index % len(MODELS)]
        return {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": request_model,
            "gen_ai.response.model": response_model,
            "server.address": f"llm-gateway-{index // len(MODELS)}",
            "server.port": 443,
        }

    def _service(self, scope_metrics: Any) -> None:
        scope_metrics.scope.name = f"{self.service.name.replace('-', '_')}.meters"
        counters = (
            ("agent.steps", "Steps that agents took.", "{step}", None),
            ("tool.calls", "Calls of tools.", "{call}", None),
            ("gen_ai.client.cost", "What calls to models cost.", "USD", 6),
        )
        for name, description, unit, fraction_digits in counters:
            metric = _metric(scope_metrics, name, description, unit)
            metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
            metric.sum.is_monotonic = True
            for index in range(self.turns):
                point = self._point(metric.sum, self._work(index))
                if fraction_digits is None:
                    point.as_int = self.rng.randrange(1_000_000)
                else:
                    point.as_double = self._decimal(fraction_digits)
        gauges = (
            ("agent.context.tokens", "Size of the context of the agents at work.", "{token}", 5),
            ("tool.pool.memory", "Memory of a tool's workers.", "MiBy", 6),
        )
        for name, description, unit, fraction_digits in gauges:
            metric = _metric(scope_metrics, name, description, unit)
            for index in range(self.turns):
                self._point(metric.gauge, self._work(index)).as_double = self._decimal(fraction_digits)

    def _work(self, index: int) -> dict[str, AttributeValue]:
        service = self.service
        return {
            "gen_ai.agent.name": (service.agent, service.specialist)[index % 2],
            "gen_ai.tool.name": service.tools[index % len(service.tools)],
            "gen_ai.tool.type": "function",
            "tool.cache.hit": index % 4 == 3,
            "tenant.id": f"tenant-{index}",
            "cloud.region": ("eu-central-1", "us-east-1")[index % 2],
        }

    def _point(self, data: Any, attributes: dict[str, AttributeValue]) -> Any:
        point = data.data_points.add()
        point.start_time_unix_nano = self._time(_STARTED)
        point.time_unix_nano = self._time(_COLLECTED)
        add_attributes(point.attributes, attributes)
        return point

    def _histogram(
        self,
        data: Any,
        bounds: tuple[float, ...],
        attributes: dict[str, AttributeValue],
        *,
        typical_bucket: int,
        fraction_digits: int,
    ) -> None:
        rng = self.rng
        point = self._point(data, attributes)
        counts = [0] * (len(bounds) + 1)
        for _ in range(rng.randrange(20, 200)):
            counts[min(max(round(rng.gauss(typical_bucket, 1.5)), 0), len(bounds))] += 1
        filled = [bucket for bucket, count in enumerate(counts) if count]
        point.count = sum(counts)
        point.sum = self._decimal(fraction_digits)
        point.bucket_counts.extend(counts)
        point.explicit_bounds.extend(bounds)
        point.min = bounds[max(filled[0] - 1, 0)]
        point.max = bounds[min(filled[-1], len(bounds) - 1)]
        self.histograms += 1
        if self.histograms % 16 == 0:
            exemplar = point.exemplars.add()
            exemplar.time_unix_nano = self._time(_FIRST_EXEMPLAR + self.exemplars)
            exemplar.as_double = self._decimal(fraction_digits)
            exemplar.span_id = sentinel(SPAN_ID.magic, self.exemplars, SPAN_ID.width)
            exemplar.trace_id = sentinel(TRACE_ID.magic, self.exemplars, TRACE_ID.width)
            self.exemplars += 1

    def _time(self, which: int) -> int:
        self.times.append(which)
        return int.from_bytes(sentinel(TIME.magic, len(self.times), TIME.width), "little")

    def _decimal(self, fraction_digits: int) -> float:
        self.fraction_digits.append(fraction_digits)
        return float(np.frombuffer(sentinel(DECIMAL.magic, len(self.fraction_digits), DECIMAL.width), dtype="<f8")[0])


def _metric(scope_metrics: Any, name: str, description: str, unit: str) -> Any:
    metric = scope_metrics.metrics.add()
    metric.name, metric.description, metric.unit = name, description, unit
    return metric


class MetricValues:
    """Fresh values for the requests of one stream, all from a process that started when the stream did, or earlier."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._age_ns = int(rng.integers(60, 300)) * SECOND_NS
        self._started_ns: int | None = None

    def __call__(self, plan: _Plan, now_ns: int) -> Values:
        """Values of a collection at ``now_ns``, its exemplars from the second before."""
        if self._started_ns is None:
            self._started_ns = now_ns - self._age_ns
        exemplar_times = now_ns - self._rng.integers(0, SECOND_NS, size=plan.exemplars)
        times: Indices = np.concatenate(([self._started_ns, now_ns], exemplar_times)).astype(np.int64)
        return {
            TIME: times,
            DECIMAL: self._rng.integers(10 ** (DECIMAL_DIGITS - 1), 10**DECIMAL_DIGITS, size=plan.decimals),
            SPAN_ID: self._rng.integers(0, 256, size=(plan.exemplars, SPAN_ID.width), dtype=np.uint8),
            TRACE_ID: self._rng.integers(0, 256, size=(plan.exemplars, TRACE_ID.width), dtype=np.uint8),
        }


class MetricWorkload(Pool):
    """A pool of requests with data points, all of one size."""

    def __init__(
        self,
        points_per_request: int,
        spell: Callable[[Draft], Template] = protobuf_template,
        *,
        seed: int = 20261103,
    ) -> None:
        if points_per_request <= 0 or points_per_request % POINTS_PER_TURN:
            raise ValueError(f"{points_per_request} points per request: must be a multiple of {POINTS_PER_TURN}")
        rng = random.Random(seed)
        drafts = [
            _DraftBuilder(rng, SERVICES[i % len(SERVICES)], points_per_request).build()
            for i in range(max(len(SERVICES), POOL_POINTS // points_per_request))
        ]
        super().__init__(drafts, spell, MetricValues)
