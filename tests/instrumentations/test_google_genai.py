"""Google's GenAI SDK against the fake provider and recorded responses."""

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

genai = pytest.importorskip("google.genai")

from google.genai import types
from telemetry_sinks import Sinks, said

from agentvigil.instrumentations.google_genai import GoogleGenAIInstrumentor
from agentvigil.testing import Answer, FakeProvider, RecordedProvider, ToolCall, Usage

CASSETTES = Path(__file__).parents[1] / "testdata" / "cassettes" / "google"
CACHED = Answer(Usage(1200, 345, cache_read=1000, reasoning=120), "canary-answer in several words.")
MODEL: dict[str, Any] = {"model": "gemini-2.5-flash", "contents": "canary-question"}
ID = {"gen_ai.response.id": "google-000000000000000000000001"}
"""Older versions of the SDK drop it."""
USAGE = {
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 345,
    "gen_ai.usage.cache_read.input_tokens": 1000,
    "gen_ai.usage.reasoning.output_tokens": 120,
}


@pytest.fixture
def sinks(sinks: Sinks) -> Iterator[Sinks]:
    GoogleGenAIInstrumentor().instrument(**sinks.providers)
    yield sinks
    GoogleGenAIInstrumentor().uninstrument()


CLIENTS: list[Any] = []
"""Kept: a client that nobody holds closes its connections, even while one of its parts makes a call."""


def client(provider: FakeProvider | RecordedProvider, path: str = "/own") -> Any:
    CLIENTS[:] = [genai.Client(api_key="x", http_options=types.HttpOptions(base_url=provider.base_url + path))]
    return CLIENTS[0]


def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"canary-result {city}"


def test_content(sinks: Sinks) -> None:
    config = types.GenerateContentConfig(temperature=0.5, max_output_tokens=99, top_k=5, stop_sequences=["END"])
    with FakeProvider(answers=[CACHED]) as provider:
        answer = client(provider).models.generate_content(**MODEL, config=config)

    span = sinks.span()
    assert type(answer) is types.GenerateContentResponse
    assert (span.name, span.status.status_code) == ("generate_content gemini-2.5-flash", StatusCode.UNSET)
    assert said(span) == {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": "gemini-2.5-flash",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 99,
        "gen_ai.request.top_k": 5,
        "gen_ai.request.stop_sequences": ("END",),
        **(ID if getattr(answer, "response_id", None) else {}),
        "gen_ai.response.model": "gemini-2.5-flash-2026-05-01",
        "gen_ai.response.finish_reasons": ("stop",),
        **USAGE,
    }
    assert "canary" not in sinks.everything()


def test_streams(sinks: Sinks) -> None:
    async def main(provider: FakeProvider) -> None:
        async for _ in await client(provider).aio.models.generate_content_stream(**MODEL):
            pass
        await client(provider).aio.models.generate_content(**MODEL)

    with FakeProvider(answers=[CACHED]) as provider:
        assert len(list(client(provider).models.generate_content_stream(**MODEL))) > 2
        asyncio.run(main(provider))
        chat = client(provider).chats.create(model="gemini-2.5-flash")
        assert chat.send_message("canary").text == CACHED.text

    assert [said(span).get("gen_ai.request.stream") for span in sinks.spans()] == [True, True, None, None]
    assert all(said(span).items() >= USAGE.items() for span in sinks.spans())
    assert "canary" not in sinks.everything()


def test_why_a_model_stopped_does_not_depend_on_content(sinks: Sinks) -> None:
    """Google says STOP also where the model wants a tool."""
    answers = [Answer(Usage(89, 23), tool_calls=[ToolCall("get_weather", {"city": "Paris"})])]
    with FakeProvider(answers=answers) as provider:
        declared = types.FunctionDeclaration(name="get_weather")
        config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[declared])])
        client(provider).models.generate_content(**MODEL, config=config)
        list(client(provider).models.generate_content_stream(**MODEL, config=config))

    assert [said(span)["gen_ai.response.finish_reasons"] for span in sinks.spans()] == [("tool_call",)] * 2


def test_functions_that_the_sdk_calls(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    answers = [Answer(Usage(89, 23), tool_calls=[ToolCall("get_weather", {"city": "Paris"})]), CACHED]
    with FakeProvider(answers=answers) as provider:
        config = types.GenerateContentConfig(tools=[get_weather])
        client(provider).models.generate_content(**MODEL, config=config)

    assert [span.name for span in sinks.spans()] == [
        "generate_content gemini-2.5-flash",
        "execute_tool get_weather",
        "generate_content gemini-2.5-flash",
    ]
    first, called, last = (said(span) for span in sinks.spans())
    assert first["gen_ai.usage.input_tokens"] == 89
    assert first["gen_ai.response.finish_reasons"] == ("tool_call",)
    assert called["gen_ai.tool.call.arguments"] == '{"city":"Paris"}'
    assert "canary-question" in first["gen_ai.input.messages"]
    assert "canary-answer" in last["gen_ai.output.messages"]


@pytest.mark.parametrize("status", [400, 401, 429, 503])
def test_errors_of_the_provider(sinks: Sinks, status: int) -> None:
    with FakeProvider(answers=[Answer(status=status)]) as provider, pytest.raises(genai.errors.APIError) as caught:
        client(provider).models.generate_content(**MODEL)

    assert sinks.spans()[-1].status.status_code is StatusCode.ERROR
    assert said(sinks.spans()[-1])["error.type"] == f"google.genai.errors.{type(caught.value).__name__}"


def test_streams_that_nobody_reads_to_the_end(sinks: Sinks) -> None:
    with FakeProvider(answers=[CACHED]) as provider:
        stream = client(provider).models.generate_content_stream(**MODEL)
        next(iter(stream))
        stream.close()
        next(iter(client(provider).models.generate_content_stream(**MODEL)))
        client(provider).models.generate_content_stream(**MODEL)
        gc.collect()

    assert {span.status.status_code for span in sinks.spans()} == {StatusCode.UNSET}
    assert len(sinks.spans()) == 2  # the one that is never read has not begun


@pytest.mark.parametrize("name", sorted(path.name for path in CASSETTES.glob("*.yaml")))
def test_recorded_responses(sinks: Sinks, name: str) -> None:
    with RecordedProvider(CASSETTES / name) as provider:
        list(client(provider, "").models.generate_content_stream(**MODEL))

    attributes = said(sinks.span())
    assert attributes["gen_ai.usage.input_tokens"] > 0
    assert attributes["gen_ai.usage.output_tokens"] > 0
    assert attributes["gen_ai.response.finish_reasons"]
