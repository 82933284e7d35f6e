"""MCP 1.x beside other instrumentations of it: one span of a request on each side, whosever it is."""

import pytest
from mcp_in_memory import IS_NATIVE, ask
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from side_by_side import ORDERS, are_ours, at_work, installed, pairs
from telemetry_sinks import Sinks

from agentvigil.instrumentations.mcp import MCPInstrumentor
from agentvigil.instrumentations.rivals import Rival

pytestmark = pytest.mark.skipif(IS_NATIVE, reason="since 2.0 the SDK has its own spans, and ours makes none")
ONLY_HANDS_ON_THE_TRACE = Rival("openinference.instrumentation.mcp", "MCPInstrumentor")


@pytest.fixture
def sinks(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> Sinks:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", sinks.tracer_provider)
    return sinks


@ORDERS
@pairs("mcp")
def test_of_the_same_framework(sinks: Sinks, framework: str, rival: Rival, is_first: bool) -> None:
    with at_work(sinks, installed(rival), MCPInstrumentor(), is_first=is_first):
        ask("Paris")

    assert not any(are_ours([span.instrumentation_scope.name for span in sinks.spans()]))
    assert len([span for span in sinks.spans() if "get_weather" in span.name]) == 1


@ORDERS
def test_one_that_only_hands_on_the_trace(sinks: Sinks, is_first: bool) -> None:
    with at_work(sinks, installed(ONLY_HANDS_ON_THE_TRACE), MCPInstrumentor(), is_first=is_first):
        ask("Paris")

    called = [span for span in sinks.spans() if span.name == "tools/call get_weather"]
    assert sorted(span.kind.name for span in called) == [SpanKind.CLIENT.name, SpanKind.SERVER.name]
    assert len({span.context.trace_id for span in called}) == 1
