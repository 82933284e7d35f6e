"""What each metric is made of: a measure of runs or steps, and how its sum is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agentvigil.api.amounts import usd
from agentvigil.api.metrics.asked import MetricName
from agentvigil.api.metrics.models import Value
from agentvigil.api.totals.measures import Source
from agentvigil.api.totals.models import rate, told_ns, told_s


@dataclass(frozen=True, slots=True)
class Metric:
    """Made of ``measures`` by ``told``; where there is nothing it is ``nothing``."""

    measures: tuple[str, ...]
    told: Callable[[Mapping[str, Any]], Value]
    nothing: Value


def _sum(measure: str) -> Metric:
    return Metric((measure,), lambda record: record[measure], 0)


def _duration(place: int) -> Metric:
    return Metric(("durations",), lambda record: told_ns(record["durations"])[place], None)


def _first_chunk(place: int) -> Metric:
    return Metric(("first_chunks",), lambda record: told_s(record["first_chunks"])[place], None)


_OF_BOTH: Final = {
    MetricName.DURATION_P50: _duration(0),
    MetricName.DURATION_P95: _duration(1),
    MetricName.DURATION_P99: _duration(2),
    MetricName.FIRST_CHUNK_P50: _first_chunk(0),
    MetricName.FIRST_CHUNK_P95: _first_chunk(1),
    MetricName.INPUT_TOKENS: _sum("input_tokens"),
    MetricName.OUTPUT_TOKENS: _sum("output_tokens"),
    MetricName.CACHE_READ_TOKENS: _sum("cache_read_tokens"),
    MetricName.CACHE_WRITE_TOKENS: _sum("cache_write_tokens"),
    MetricName.REASONING_TOKENS: _sum("reasoning_tokens"),
    MetricName.CALLS_WITHOUT_USAGE: _sum("calls_without_usage"),
    MetricName.COST: Metric(("cost_usd",), lambda record: usd(record["cost_usd"]), "0"),
    MetricName.UNPRICED_CALLS: _sum("unpriced_calls"),
    MetricName.RETRIES: _sum("retries"),
}

METRICS: Final[Mapping[Source, Mapping[MetricName, Metric]]] = {
    Source.RUNS: {
        MetricName.RUNS: _sum("runs"),
        MetricName.FAILURES: _sum("failures"),
        MetricName.FAILURE_RATE: Metric(
            ("runs", "failures", "opens"),
            lambda record: rate(record["failures"], record["runs"] - record["opens"]),
            None,
        ),
        **_OF_BOTH,
        MetricName.STEPS: _sum("steps"),
        MetricName.LLM_CALLS: _sum("llm_calls"),
        MetricName.TOOL_CALLS: _sum("tool_calls"),
    },
    Source.STEPS: {
        MetricName.CALLS: _sum("calls"),
        MetricName.ERRORS: _sum("errors"),
        MetricName.ERROR_RATE: Metric(
            ("calls", "errors"), lambda record: rate(record["errors"], record["calls"]), None
        ),
        **_OF_BOTH,
    },
}
