"""Anthropic's SDK against the fake provider and against recorded responses: one span a call, with all that it cost."""

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

anthropic = pytest.importorskip("anthropic")

from telemetry_sinks import Sinks, said

from agentvigil.instrumentations.anthropic import AnthropicInstrumentor
from agentvigil.semconv import names
from agentvigil.semconv.enums import OperationName
from agentvigil.testing import Answer, FakeProvider, RecordedProvider, ToolCall, Usage

CASSETTES = Path(__file__).parents[1] / "testdata" / "cassettes" / "anthropic"
MODEL: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 99,
    "messages": [{"role": "user", "content": "canary-question"}],
}
USED = Usage(1150, 333, cache_read=950, cache_write=110, reasoning=110)
CACHED = Answer(USED, "canary-answer in several words.")
TOOL = {"name": "get_weather", "description": "canary", "input_schema": {"type": "object", "properties": {}}}
USAGE = {
    "gen_ai.usage.input_tokens": 1150,
    "gen_ai.usage.output_tokens": 333,
    "gen_ai.usage.cache_read.input_tokens": 950,
    "gen_ai.usage.cache_write.input_tokens": 110,
    "gen_ai.usage.reasoning.output_tokens": 110,
}


@pytest.fixture
def sinks(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sinks]:
    # The SDK's own spans go to the global provider, so that they would be seen here.
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", sinks.tracer_provider)
    AnthropicInstrumentor().instrument(**sinks.providers)
    yield sinks
    AnthropicInstrumentor().uninstrument()


def client(provider: FakeProvider | RecordedProvider, kind: str = "Anthropic", **options: Any) -> Any:
    return getattr(anthropic, kind)(base_url=provider.base_url + "/own", api_key="x", max_retries=0, **options)


def test_a_message(sinks: Sinks) -> None:
    with FakeProvider(answers=[CACHED]) as provider:
        answer = client(provider).messages.create(**MODEL, stop_sequences=["END"], system="canary")
        port = provider.port

    span = sinks.span()
    assert type(answer).__name__ == "Message"
    assert (span.name, span.kind, span.status.status_code) == (
        "chat claude-sonnet-4-5",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert said(span) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-4-5",
        "server.address": "127.0.0.1",
        "server.port": port,
        "gen_ai.request.max_tokens": 99,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.response.id": "msg_000000000000000000000001",
        "gen_ai.response.model": "claude-sonnet-4-5-20260501",
        "gen_ai.response.finish_reasons": ("stop",),
        **USAGE,
    }
    assert "canary" not in sinks.everything()
    assert sinks.metrics()["gen_ai.client.inference.usage.input_tokens"][0].value == 1150


def test_streams(sinks: Sinks) -> None:
    with FakeProvider(answers=[CACHED]) as provider:
        messages = client(provider).messages
        stream = messages.create(**MODEL, stream=True)
        assert type(stream) is anthropic.Stream
        assert len(list(stream)) > 3
        with messages.stream(**MODEL) as helper:
            assert helper.get_final_message().usage.output_tokens == 333

    for span in sinks.spans():
        assert (
            said(span).items()
            >= {
                **USAGE,
                "gen_ai.request.stream": True,
                "gen_ai.response.finish_reasons": ("stop",),
                "gen_ai.response.time_to_first_chunk": 0.0,
            }.items()
        )
    assert len(sinks.spans()) == 2
    assert "canary" not in sinks.everything()


def test_asynchronously(sinks: Sinks) -> None:
    async def main(provider: FakeProvider) -> None:
        messages = client(provider, "AsyncAnthropic").messages
        await messages.create(**MODEL)
        async for _ in await messages.create(**MODEL, stream=True):
            pass
        async with messages.stream(**MODEL) as helper:
            await helper.get_final_message()
        assert (await messages.with_raw_response.create(**MODEL)).status_code == 200
        await asyncio.gather(*(messages.create(**MODEL) for _ in range(4)))

    with FakeProvider(answers=[CACHED]) as provider:
        asyncio.run(main(provider))

    assert [said(span)["gen_ai.usage.input_tokens"] for span in sinks.spans()] == [1150] * 8


def test_content_only_if_it_is_wanted(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    with FakeProvider(answers=[Answer(USED, tool_calls=[ToolCall("get_weather", {"city": "Paris"})])]) as provider:
        client(provider).messages.create(**MODEL, tools=[TOOL], system="canary-system")
        list(client(provider).messages.create(**MODEL, tools=[TOOL], system="canary-system", stream=True))

    for span in sinks.spans():
        attributes = said(span)
        assert "canary-question" in attributes["gen_ai.input.messages"]
        assert attributes["gen_ai.system_instructions"] == '[{"type":"text","content":"canary-system"}]'
        assert '"type":"reasoning"' in attributes["gen_ai.output.messages"]
        assert '"name":"get_weather","arguments":{"city":"Paris"}' in attributes["gen_ai.output.messages"]
        assert attributes["gen_ai.response.finish_reasons"] == ("tool_call",)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 529])
def test_errors_of_the_provider(sinks: Sinks, status: int) -> None:
    with FakeProvider(answers=[Answer(status=status)]) as provider, pytest.raises(anthropic.APIStatusError) as caught:
        client(provider).messages.create(**MODEL)

    span = sinks.span()
    assert (span.status.status_code, caught.value.status_code) == (StatusCode.ERROR, status)
    assert said(span)["error.type"] == f"{type(caught.value).__module__}.{type(caught.value).__name__}"


def test_streams_that_break_or_that_nobody_reads(sinks: Sinks) -> None:
    with FakeProvider(answers=[Answer(USED, "a b c d", cut="middle")]) as provider, pytest.raises(Exception):  # noqa: B017
        list(client(provider).messages.create(**MODEL, stream=True))
    with FakeProvider(answers=[CACHED]) as provider:
        messages = client(provider).messages
        next(iter(messages.create(**MODEL, stream=True)))
        messages.create(**MODEL, stream=True).close()
        with messages.stream(**MODEL) as helper:
            next(iter(helper))
        gc.collect()

    codes = [span.status.status_code for span in sinks.spans()]
    assert codes == [StatusCode.ERROR, StatusCode.UNSET, StatusCode.UNSET, StatusCode.UNSET]
    assert not [span for span in sinks.spans() if "gen_ai.usage.output_tokens" in said(span)]


def test_inside_the_call_of_a_framework_it_adds_to_that(sinks: Sinks) -> None:
    """The SDK's own span is left out there too."""
    outer = sinks.telemetry().inference(OperationName.CHAT, "anthropic", "claude-sonnet-4-5")
    with FakeProvider(answers=[CACHED]) as provider, outer.active():
        client(provider).messages.create(**MODEL)
    outer.end()

    assert said(sinks.span()).items() >= USAGE.items()


def test_other_calls_keep_the_sdks_own_spans(sinks: Sinks) -> None:
    with FakeProvider(answers=[CACHED]) as provider:
        client(provider).messages.create(**MODEL)
        with pytest.raises(anthropic.NotFoundError):
            client(provider).messages.count_tokens(model="m", messages=MODEL["messages"])

    own = [span for span in sinks.spans() if span.instrumentation_scope.name == "com.anthropic.sdk.python"]
    assert [span.name for span in own] in ([], ["anthropic.messages.count_tokens"])  # older SDKs have none
    assert len(sinks.spans()) - len(own) == 1


RECORDED = sorted(path.name for path in CASSETTES.glob("*.yaml"))


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_responses(sinks: Sinks, name: str) -> None:
    with RecordedProvider(CASSETTES / name) as provider:
        try:
            answer = client(provider).messages.create(**MODEL, stream="streaming" in name or "_stream_" in name)
            if isinstance(answer, anthropic.Stream):
                list(answer)
        except anthropic.APIStatusError:
            assert sinks.span().status.status_code is StatusCode.ERROR
            return
    attributes = said(sinks.span())
    assert attributes[names.GEN_AI_USAGE_INPUT_TOKENS] > 0
    assert attributes[names.GEN_AI_USAGE_OUTPUT_TOKENS] > 0
    assert attributes[names.GEN_AI_RESPONSE_FINISH_REASONS][0] in ("stop", "tool_call", "length")


def test_letting_go(sinks: Sinks) -> None:
    AnthropicInstrumentor().uninstrument()
    with FakeProvider(answers=[CACHED]) as provider:
        client(provider).messages.create(**MODEL)

    assert {span.instrumentation_scope.name for span in sinks.spans()} <= {"com.anthropic.sdk.python"}
