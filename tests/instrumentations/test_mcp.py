"""MCP's SDK: a client and a server in one process, over streams in memory."""

from collections.abc import Iterator

import pytest
from mcp_in_memory import IS_NATIVE, ask
from opentelemetry.trace import SpanKind, StatusCode
from telemetry_sinks import Sinks, said

from agentvigil.instrumentations.mcp import MCPInstrumentor


@pytest.fixture
def sinks(global_sinks: Sinks) -> Iterator[Sinks]:
    with global_sinks.fed_by(MCPInstrumentor()):
        yield global_sinks


@pytest.mark.skipif(not IS_NATIVE, reason="before 2.0 the SDK has no spans of its own")
def test_the_sdks_own_spans_stay_as_they_are(sinks: Sinks) -> None:
    ask("canary-argument")

    assert "tools/call get_weather" in [span.name for span in sinks.spans()]
    assert {span.instrumentation_scope.name for span in sinks.spans()} == {"mcp-python-sdk"}
    assert "canary" not in sinks.everything()


@pytest.mark.skipif(IS_NATIVE, reason="the SDK's own spans are not ours to change")
def test_a_call_is_one_trace_of_client_and_server(sinks: Sinks) -> None:
    ask("canary-argument")

    called = [span for span in sinks.spans() if span.name == "tools/call get_weather"]
    client, server = sorted(called, key=lambda span: span.kind is SpanKind.SERVER)
    assert server.parent is not None
    assert server.parent.span_id == client.context.span_id
    for span in (client, server):
        assert said(span)["mcp.method.name"] == "tools/call"
        assert said(span)["gen_ai.tool.name"] == "get_weather"
        assert said(span)["gen_ai.operation.name"] == "execute_tool"
    assert "canary" not in sinks.everything()


@pytest.mark.skipif(IS_NATIVE, reason="the SDK's own spans are not ours to change")
def test_a_tool_that_fails(sinks: Sinks) -> None:
    ask("nowhere")

    called = [span for span in sinks.spans() if span.name == "tools/call get_weather"]
    assert [span.status.status_code for span in called] == [StatusCode.ERROR, StatusCode.ERROR]
    assert {said(span)["error.type"] for span in called} == {"tool_error"}
    assert sinks.metrics()["mcp.client.operation.duration"]
    assert sinks.metrics()["mcp.server.operation.duration"]


@pytest.mark.skipif(IS_NATIVE, reason="the SDK's own spans are not ours to change")
def test_inside_the_span_of_the_tool_there_is_no_second_one(sinks: Sinks) -> None:
    tool = sinks.telemetry().tool("get_weather")
    with tool.active():
        ask("Paris")
    tool.end()

    assert "tools/call get_weather" not in [span.name for span in sinks.spans() if span.kind is SpanKind.CLIENT]
    assert said(sinks.span("execute_tool get_weather"))["mcp.method.name"] == "tools/call"
    (server,) = [span for span in sinks.spans() if span.kind is SpanKind.SERVER and "tools/call" in span.name]
    assert server.parent is not None
    assert server.parent.span_id == sinks.span("execute_tool get_weather").context.span_id


def test_letting_go(sinks: Sinks) -> None:
    MCPInstrumentor().uninstrument()
    ask("Paris")

    assert {span.instrumentation_scope.name for span in sinks.spans()} <= {"mcp-python-sdk"}
