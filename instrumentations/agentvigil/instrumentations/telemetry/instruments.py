"""The metrics of the GenAI conventions, with their units and bucket boundaries.

https://github.com/open-telemetry/semantic-conventions-genai (docs/gen-ai/gen-ai-metrics.md)
"""

from collections.abc import Mapping
from typing import Final

from opentelemetry.context import Context
from opentelemetry.metrics import Counter, Histogram, Meter
from opentelemetry.util.types import AttributeValue

from agentvigil.semconv import names

NO_EXEMPLAR: Final = Context()
"""Makes a measurement without a link to its span. That of an operation's time has one, which is enough: each more
would cost about as much as the span."""

_SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_AGENT_SECONDS: Final = tuple(0.1 * 2**power for power in range(13))
_WORKFLOW_SECONDS: Final = (1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)
_TOKENS: Final = tuple(4**power for power in range(14))
_CALLS: Final = tuple(2**power for power in range(8))
_MCP_SECONDS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)

_HISTOGRAMS: Final[Mapping[str, tuple[str, str, tuple[float, ...]]]] = {
    names.METRIC_GEN_AI_CLIENT_INFERENCE_DURATION: ("s", "Time that a call of a model took", _SECONDS),
    names.METRIC_GEN_AI_CLIENT_OPERATION_DURATION: ("s", "Time that embeddings or a retrieval took", _SECONDS),
    names.METRIC_GEN_AI_CLIENT_INFERENCE_TIME_TO_FIRST_CHUNK: ("s", "Time to the first chunk of a stream", _SECONDS),
    names.METRIC_GEN_AI_CLIENT_INFERENCE_TIME_PER_OUTPUT_CHUNK: ("s", "Time between chunks of a stream", _SECONDS),
    names.METRIC_GEN_AI_CLIENT_INFERENCE_OPERATION_INPUT_TOKENS: ("{token}", "Input of one call", _TOKENS),
    names.METRIC_GEN_AI_CLIENT_INFERENCE_OPERATION_OUTPUT_TOKENS: ("{token}", "Output of one call", _TOKENS),
    names.METRIC_GEN_AI_INVOKE_AGENT_DURATION: ("s", "Time that an agent took", _AGENT_SECONDS),
    names.METRIC_GEN_AI_INVOKE_AGENT_INFERENCE_CALLS: ("{inference_call}", "Calls of models by an agent", _CALLS),
    names.METRIC_GEN_AI_INVOKE_AGENT_TOOL_CALLS: ("{tool_call}", "Calls of tools by an agent", _CALLS),
    names.METRIC_GEN_AI_INVOKE_WORKFLOW_DURATION: ("s", "Time that a workflow took", _WORKFLOW_SECONDS),
    names.METRIC_GEN_AI_EXECUTE_TOOL_DURATION: ("s", "Time that a tool took", _SECONDS),
    names.METRIC_MCP_CLIENT_OPERATION_DURATION: ("s", "Time from an MCP request to its answer", _MCP_SECONDS),
    names.METRIC_MCP_SERVER_OPERATION_DURATION: ("s", "Time that an MCP server took for a request", _MCP_SECONDS),
}
_COUNTERS: Final[Mapping[str, str]] = {
    names.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS: "Input tokens",
    names.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS: "Output tokens",
    names.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS: "Input tokens that came from a cache",
    names.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_WRITE_INPUT_TOKENS: "Input tokens that went into a cache",
    names.METRIC_GEN_AI_CLIENT_INFERENCE_USAGE_REASONING_OUTPUT_TOKENS: "Output tokens of reasoning",
}


class Instruments:
    """The instruments of one meter, made when they are first used."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._histograms: dict[str, Histogram] = {}
        self._counters: dict[str, Counter] = {}

    def record(self, name: str, value: float, attributes: Mapping[str, AttributeValue], context: Context) -> None:
        """Record ``value``, in the metric's own unit."""
        histogram = self._histograms.get(name)
        if histogram is None:
            unit, description, boundaries = _HISTOGRAMS[name]
            histogram = self._histograms[name] = self._meter.create_histogram(
                name, unit, description, explicit_bucket_boundaries_advisory=boundaries
            )
        histogram.record(value, attributes, context)

    def count(self, name: str, value: int, attributes: Mapping[str, AttributeValue]) -> None:
        """Count ``value`` tokens."""
        counter = self._counters.get(name)
        if counter is None:
            counter = self._counters[name] = self._meter.create_counter(name, "{token}", _COUNTERS[name])
        counter.add(value, attributes, NO_EXEMPLAR)
