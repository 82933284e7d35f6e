"""OpenAI's SDK against the fake provider and against recorded responses: what is told, and that nothing is harmed."""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode

openai = pytest.importorskip("openai")

from telemetry_sinks import Sinks, said

from agentvigil.instrumentations.openai import OpenAIInstrumentor
from agentvigil.testing import Answer, FakeProvider, RecordedProvider, ToolCall, Usage

CASSETTES = Path(__file__).parents[1] / "testdata" / "cassettes" / "openai"
MODEL: dict[str, Any] = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "canary-question"}]}
STREAM = {**MODEL, "stream": True}
USED = Usage(1200, 345, cache_read=1000, cache_write=100, reasoning=120)
CACHED = Answer(USED, "canary-answer in several words.")
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "canary-description",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
USAGE = {
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 345,
    "gen_ai.usage.cache_read.input_tokens": 1000,
    "gen_ai.usage.cache_write.input_tokens": 100,
    "gen_ai.usage.reasoning.output_tokens": 120,
}


@pytest.fixture
def sinks(sinks: Sinks) -> Iterator[Sinks]:
    instrumentor = OpenAIInstrumentor()
    instrumentor.instrument(**sinks.providers)
    yield sinks
    instrumentor.uninstrument()


def client(provider: FakeProvider | RecordedProvider, **options: Any) -> Any:
    return openai.OpenAI(base_url=provider.openai_url, api_key="x", max_retries=0, **options)


def async_client(provider: FakeProvider) -> Any:
    return openai.AsyncOpenAI(base_url=provider.openai_url, api_key="x", max_retries=0)


def stream_helper(sdk: Any) -> Any:
    """The helper that gathers a stream; it was among the beta resources once."""
    return getattr(sdk.chat.completions, "stream", None) or sdk.beta.chat.completions.stream


def expected(port: int, **more: Any) -> dict[str, Any]:
    """All attributes of a chat that was answered."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5-mini",
        "server.address": "127.0.0.1",
        "server.port": port,
        "openai.api.type": "chat_completions",
        "gen_ai.response.id": "chatcmpl-000000000000000000000001",
        "gen_ai.response.model": "gpt-5-mini-2026-05-01",
        "openai.response.service_tier": "default",
        "openai.response.system_fingerprint": "fp_0123456789",
        "gen_ai.response.finish_reasons": ("stop",),
        **more,
    }


def test_a_chat(sinks: Sinks) -> None:
    with FakeProvider(answers=[CACHED]) as provider:
        answer = client(provider).chat.completions.create(
            **MODEL, temperature=0.5, top_p=1, max_completion_tokens=99, seed=7, stop="END", n=1,
            reasoning_effort="low", service_tier="auto", response_format={"type": "json_object"},
        )  # fmt: skip
        port = provider.port

    span = sinks.span()
    assert type(answer) is openai.types.chat.ChatCompletion
    assert (span.name, span.kind, span.status.status_code) == ("chat gpt-5-mini", SpanKind.CLIENT, StatusCode.UNSET)
    assert said(span) == expected(
        port,
        **USAGE,
        **{
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.top_p": 1,
            "gen_ai.request.max_tokens": 99,
            "gen_ai.request.seed": 7,
            "gen_ai.request.stop_sequences": ("END",),
            "gen_ai.request.reasoning.level": "low",
            "gen_ai.output.type": "json",
            "openai.request.service_tier": "auto",
        },
    )
    assert "canary" not in sinks.everything()


def test_metrics_of_a_chat(sinks: Sinks) -> None:
    with FakeProvider(answers=[CACHED]) as provider:
        client(provider).chat.completions.create(**MODEL)

    metrics = sinks.metrics()
    assert {name: points[0].value for name, points in metrics.items() if hasattr(points[0], "value")} == {
        "gen_ai.client.inference.usage.input_tokens": 1200,
        "gen_ai.client.inference.usage.output_tokens": 345,
        "gen_ai.client.inference.usage.cache_read.input_tokens": 1000,
        "gen_ai.client.inference.usage.cache_write.input_tokens": 100,
        "gen_ai.client.inference.usage.reasoning.output_tokens": 120,
    }
    (duration,) = metrics["gen_ai.client.inference.duration"]
    assert duration.count == 1
    assert duration.explicit_bounds[:3] == (0.01, 0.02, 0.04)
    assert duration.attributes["gen_ai.response.model"] == "gpt-5-mini-2026-05-01"
    (counted,) = metrics["gen_ai.client.inference.usage.input_tokens"]
    assert counted.attributes["gen_ai.token.modality"] == "unknown"


def test_content_only_if_it_is_wanted(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    calls = [ToolCall("get_weather", {"city": "Paris"}), ToolCall("get_weather", {"city": "Rome"})]
    with FakeProvider(answers=[Answer(tool_calls=calls)]) as provider:
        for how in (MODEL, STREAM):
            answer = client(provider).chat.completions.create(**how, tools=[WEATHER])
            list(answer) if how is STREAM else None

    for span in sinks.spans():
        attributes = said(span)
        assert attributes["gen_ai.input.messages"] == (
            '[{"role":"user","parts":[{"type":"text","content":"canary-question"}]}]'
        )
        assert "canary-description" in attributes["gen_ai.tool.definitions"]
        assert attributes["gen_ai.output.messages"].count('"type":"tool_call"') == 2
        assert '"name":"get_weather","arguments":{"city":"Rome"}' in attributes["gen_ai.output.messages"]
        assert attributes["gen_ai.response.finish_reasons"] == ("tool_call",)
    assert sinks.logs() == []


def test_content_on_events(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "EVENT_ONLY")
    with FakeProvider(answers=[CACHED]) as provider:
        client(provider).chat.completions.create(**MODEL)

    assert "gen_ai.input.messages" not in said(sinks.span())
    (event,) = sinks.logs()
    assert event.event_name == "gen_ai.client.inference.operation.details"
    assert event.attributes["gen_ai.input.messages"][0]["parts"][0]["content"] == "canary-question"
    assert event.attributes["gen_ai.usage.input_tokens"] == 1200


@pytest.mark.parametrize("asks", [False, True])
def test_a_stream(sinks: Sinks, asks: bool) -> None:
    with FakeProvider(answers=[CACHED]) as provider:
        options = {"stream_options": {"include_usage": True}} if asks else {}
        stream = client(provider).chat.completions.create(**STREAM, **options)
        chunks = list(stream)
        port = provider.port

    assert type(stream) is openai.Stream
    assert [bool(chunk.choices) for chunk in chunks].count(False) == (1 if asks else 0)
    streamed = {"gen_ai.request.stream": True, "gen_ai.response.time_to_first_chunk": 0.0}
    assert said(sinks.span()) == expected(port, **streamed, **(USAGE if asks else {}))


def test_usage_of_streams_is_asked_for_and_hidden(sinks: Sinks) -> None:
    OpenAIInstrumentor().uninstrument()
    OpenAIInstrumentor().instrument(**sinks.providers, stream_usage=True)
    with FakeProvider(answers=[CACHED]) as provider:
        given = dict(STREAM)
        chunks = list(client(provider).chat.completions.create(**given))
        chosen = {"stream_options": {"include_usage": False}}
        list(client(provider).chat.completions.create(**given, **chosen))
        sent = [request.get("stream_options") for request in provider.requests()]

    assert all(chunk.choices for chunk in chunks)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == CACHED.text
    assert given == STREAM
    assert sent == [{"include_usage": True}, {"include_usage": False}]
    first, second = sinks.spans()
    assert said(first).items() >= USAGE.items()
    assert "gen_ai.usage.input_tokens" not in said(second)


def test_a_usage_chunk_that_was_not_asked_for_is_passed_on(sinks: Sinks) -> None:
    """Some servers send it anyway; without our switch nothing is hidden."""

    def with_usage(document: dict[str, Any]) -> dict[str, Any]:
        finished = document["choices"][0]["finish_reason"]
        return {**document, "choices": [], "usage": {"prompt_tokens": 1}} if finished else document

    with FakeProvider(answers=[Answer(USED, "a b", edit=with_usage)]) as provider:
        chunks = list(client(provider).chat.completions.create(**STREAM))

    assert not chunks[-1].choices


def test_every_other_way_of_calling(sinks: Sinks) -> None:
    """One span each, with what it cost, and the types that the SDK promises."""
    with FakeProvider(answers=[CACHED]) as provider:
        chat = client(provider).chat.completions
        assert chat.with_raw_response.create(**MODEL).parse().usage.prompt_tokens == 1200
        stream = chat.with_raw_response.create(**STREAM, stream_options={"include_usage": True}).parse()
        assert type(stream) is openai.Stream
        assert len(list(stream)) > 3
        with chat.with_streaming_response.create(**MODEL) as response:
            assert response.parse().usage.prompt_tokens == 1200
        with stream_helper(client(provider))(**MODEL, stream_options={"include_usage": True}) as helper:
            assert helper.get_final_completion().usage.prompt_tokens == 1200
        client(provider).embeddings.create(model="gpt-5-mini", input="canary")
        client(provider).responses.create(model="gpt-5-mini", input="canary", instructions="canary")
        assert len(list(client(provider).responses.create(model="gpt-5-mini", input="canary", stream=True))) > 3
        with client(provider).responses.stream(model="gpt-5-mini", input="canary") as events:
            assert events.get_final_response().usage.input_tokens == 1200

    spans = sinks.spans()
    assert len(spans) == 8
    assert [said(span).get("gen_ai.usage.input_tokens") for span in spans] == [1200] * 8
    assert {span.status.status_code for span in spans} == {StatusCode.UNSET}
    assert "canary" not in sinks.everything()


def test_asynchronously(sinks: Sinks) -> None:
    async def main(provider: FakeProvider) -> None:
        chat = async_client(provider).chat.completions
        await chat.create(**MODEL)
        stream = await chat.create(**STREAM, stream_options={"include_usage": True})
        assert type(stream) is openai.AsyncStream
        assert len([chunk async for chunk in stream]) > 3
        async with chat.with_streaming_response.create(**MODEL) as response:
            assert (await response.parse()).usage.prompt_tokens == 1200
        async with chat.with_streaming_response.create(**MODEL) as response:
            assert [line async for line in response.iter_lines()]
        raw = await chat.with_raw_response.create(**MODEL)
        assert raw.parse().usage.prompt_tokens == 1200
        await asyncio.gather(*(chat.create(**MODEL) for _ in range(5)))

    with FakeProvider(answers=[CACHED]) as provider:
        asyncio.run(main(provider))

    spans = sinks.spans()
    assert [said(span).get("gen_ai.usage.input_tokens") for span in spans] == [1200] * 10
    assert all(span.parent is None for span in spans)


@pytest.mark.parametrize("read", ["iter_lines", "iter_bytes", "iter_text", "read", "json", "parse"])
@pytest.mark.parametrize("streams", [False, True])
def test_responses_that_the_caller_reads_himself(sinks: Sinks, read: str, streams: bool) -> None:
    if streams and read in ("json", "parse"):
        pytest.skip("a stream is no JSON, and parsed it is one like any other")
    said_more: dict[str, Any] = {**STREAM, "stream_options": {"include_usage": True}} if streams else MODEL

    def taken(response: Any) -> bytes:
        found = getattr(response, read)()
        if read in ("json", "parse"):
            return b"canary"
        pieces = [found] if isinstance(found, bytes) else list(found)
        return b"".join(piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)

    with (
        FakeProvider(answers=[CACHED]) as provider,
        client(provider).chat.completions.with_streaming_response.create(**said_more) as response,
    ):
        assert CACHED.text.split()[0].encode() in taken(response) or read in ("json", "parse")

    span = sinks.span()
    assert said(span)["gen_ai.usage.input_tokens"] == 1200
    assert said(span)["gen_ai.response.finish_reasons"] == ("stop",)
    assert ("gen_ai.response.time_to_first_chunk" in said(span)) is streams
    assert span.status.status_code is StatusCode.UNSET


def test_a_response_that_the_caller_reads_halfway(sinks: Sinks) -> None:
    with (
        FakeProvider(answers=[CACHED]) as provider,
        client(provider).chat.completions.with_streaming_response.create(**STREAM) as response,
    ):
        next(response.iter_lines())

    assert said(sinks.span())["gen_ai.response.id"] == "chatcmpl-000000000000000000000001"


def test_a_response_that_is_fetched_has_no_tokens(sinks: Sinks) -> None:
    with RecordedProvider(CASSETTES / "test_responses_create_basic_content_mode0.yaml") as provider:
        created = client(provider).responses.create(model="gpt-4o-mini", input="x")
        client(provider).responses.retrieve(created.id)

    fetched = sinks.span("fetch_response")
    assert said(fetched)["gen_ai.response.id"] == created.id
    assert not [key for key in said(fetched) if "usage" in key]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("streams", [False, True])
def test_errors_of_the_provider(sinks: Sinks, status: int, streams: bool) -> None:
    with FakeProvider(answers=[Answer(status=status)]) as provider, pytest.raises(openai.APIStatusError) as caught:
        client(provider).chat.completions.create(**MODEL, stream=streams)

    span = sinks.span()
    assert caught.value.status_code == status
    assert span.status.status_code is StatusCode.ERROR
    assert said(span)["error.type"] == f"openai.{type(caught.value).__name__}"
    (event,) = sinks.logs()
    assert event.event_name == "gen_ai.client.operation.exception"
    assert event.attributes["exception.type"] == said(span)["error.type"]


def test_retries_are_one_call(sinks: Sinks) -> None:
    with FakeProvider(answers=[Answer(status=429), Answer(status=503), CACHED]) as provider:
        openai.OpenAI(base_url=provider.openai_url, api_key="x", max_retries=2).chat.completions.create(**MODEL)

    assert said(sinks.span())["gen_ai.usage.input_tokens"] == 1200


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(Answer(USED, "x", delay_s=2), "APITimeoutError", id="no answer in time"),
        pytest.param(Answer(USED, "x", cut="before"), "APIConnectionError", id="cut before"),
        pytest.param(Answer(USED, "x", cut="middle"), "APIConnectionError", id="cut in the middle"),
    ],
)
def test_broken_connections(sinks: Sinks, answer: Answer, error: str) -> None:
    with FakeProvider(answers=[answer]) as provider, pytest.raises(openai.APIConnectionError):
        client(provider, timeout=0.5).chat.completions.create(**MODEL)

    assert said(sinks.span())["error.type"] == f"openai.{error}"


def test_a_stream_that_breaks(sinks: Sinks) -> None:
    with FakeProvider(answers=[Answer(USED, "a b c d e f", cut="middle")]) as provider:
        stream = client(provider).chat.completions.create(**STREAM)
        with pytest.raises(Exception) as caught:
            list(stream)

    span = sinks.span()
    assert span.status.status_code is StatusCode.ERROR
    assert said(span)["error.type"].endswith(type(caught.value).__name__)


ODDITIES = {
    "choices of null": lambda document: {**document, "choices": [None]},
    "null for choices": lambda document: {**document, "choices": None},
    "null for usage": lambda document: {**document, "usage": None},
    "usage of nulls": lambda document: {**document, "usage": {"prompt_tokens": None, "prompt_tokens_details": None}},
    "null for the message": lambda document: {**document, "choices": [{"index": 0, "message": None, "delta": None}]},
    "usage of the wrong kind": lambda document: {**document, "usage": {"prompt_tokens": "many"}},
    "unknown fields": lambda document: {**document, "more": {"and": ["more"]}},
    "numbers for names": lambda document: {**document, "model": 5, "id": 7},
}


@pytest.mark.parametrize("oddity", ODDITIES)
@pytest.mark.parametrize("content", ["NO_CONTENT", "SPAN_AND_EVENT"])
def test_odd_answers_come_through(
    sinks: Sinks, monkeypatch: pytest.MonkeyPatch, oddity: str, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What the application gets is the same with and without us, and nothing of ours stumbles over it."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", content)
    with FakeProvider(answers=[Answer(USED, "a b", edit=ODDITIES[oddity])]) as provider:
        watched = (
            client(provider).chat.completions.create(**MODEL).to_dict(),
            [chunk.to_dict() for chunk in client(provider).chat.completions.create(**STREAM)],
        )
        OpenAIInstrumentor().uninstrument()
        plain = (
            client(provider).chat.completions.create(**MODEL).to_dict(),
            [chunk.to_dict() for chunk in client(provider).chat.completions.create(**STREAM)],
        )

    assert str(watched).replace("000001", "X").replace("000002", "Y") == (
        str(plain).replace("000003", "X").replace("000004", "Y")
    )
    assert len(sinks.spans()) == 2
    assert not [record for record in caplog.records if record.name.startswith("agentvigil")]


def test_wrong_arguments_are_the_sdks_to_refuse(sinks: Sinks) -> None:
    with FakeProvider(answers=[CACHED]) as provider:
        with pytest.raises(TypeError):
            client(provider).chat.completions.create(model="gpt-5-mini")
        client(provider).chat.completions.create(**MODEL, stop=5, temperature="hot", n="many", tools=None)

    assert said(sinks.span())["gen_ai.usage.input_tokens"] == 1200


def test_streams_that_nobody_reads_to_the_end(sinks: Sinks) -> None:
    with FakeProvider(answers=[Answer(USED, "a b c d e f")]) as provider:
        chat = client(provider).chat.completions
        next(iter(chat.create(**STREAM)))  # abandoned
        chat.create(**STREAM)  # never read
        with chat.create(**STREAM) as stream:
            next(iter(stream))  # closed
        assert len(sinks.spans()) >= 1
        kept = chat.create(**STREAM)
        kept.close()
        with stream_helper(client(provider))(**MODEL) as helper:
            next(iter(helper))
        gc.collect()

        assert len(sinks.spans()) == 5
        assert {span.status.status_code for span in sinks.spans()} == {StatusCode.UNSET}


def test_who_reads_a_stream_is_not_inside_the_call(sinks: Sinks) -> None:
    tracer = sinks.tracer_provider.get_tracer("application")
    with FakeProvider(answers=[Answer(USED, "a b c")]) as provider, tracer.start_as_current_span("reader"):
        for _ in client(provider).chat.completions.create(**STREAM):
            tracer.start_span("work").end()

    assert {pair for pair in sinks.tree() if pair[0] != "reader"} == {
        ("chat gpt-5-mini", "reader"),
        ("work", "reader"),
    }


def test_azure(sinks: Sinks) -> None:
    with FakeProvider(answers=[CACHED]) as provider:
        azure = openai.AzureOpenAI(
            azure_endpoint=provider.url(), api_key="x", api_version="2025-01-01", azure_deployment="my-deployment"
        )
        azure.chat.completions.create(**MODEL)

    assert said(sinks.span())["gen_ai.provider.name"] == "azure.ai.openai"


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://api.groq.com/openai/v1", "groq"),
        ("https://api.deepseek.com", "deepseek"),
        ("https://my.openai.azure.com/openai", "azure.ai.openai"),
        ("https://notapi.groq.com.evil.example/v1", "openai"),
    ],
)
def test_others_who_speak_its_api(sinks: Sinks, url: str, provider: str) -> None:
    with pytest.raises(openai.APIConnectionError):
        openai.OpenAI(base_url=url, api_key="x", max_retries=0, timeout=0.001).chat.completions.create(**MODEL)

    assert said(sinks.span())["gen_ai.provider.name"] == provider


RECORDED = sorted(path.name for path in CASSETTES.glob("*.yaml"))


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_responses(sinks: Sinks, name: str) -> None:
    """Real responses of several years: with tokens wherever the provider told them, and an error where it was one."""
    is_stream = "stream" in name
    with RecordedProvider(CASSETTES / name) as provider:
        sdk = client(provider)
        try:
            if "embeddings" in name:
                sdk.embeddings.create(model="m", input="x")
            elif "responses" in name:
                answer = sdk.responses.create(model="m", input="x", stream=is_stream)
                list(answer) if is_stream else None
            else:
                answer = sdk.chat.completions.create(**MODEL, stream=is_stream)
                list(answer) if is_stream else None
        except openai.APIStatusError as exc:
            assert sinks.span().status.status_code is StatusCode.ERROR
            assert said(sinks.span())["error.type"] == f"openai.{type(exc).__name__}"
            return
    attributes = said(sinks.span())
    assert attributes["gen_ai.usage.input_tokens"] > 0
    assert attributes["gen_ai.response.model"]
    if "embeddings" not in name:
        assert attributes["gen_ai.response.finish_reasons"]


def test_letting_go(sinks: Sinks) -> None:
    from openai._base_client import AsyncAPIClient, SyncAPIClient

    OpenAIInstrumentor().uninstrument()
    with FakeProvider(answers=[CACHED]) as provider:
        client(provider).chat.completions.create(**MODEL)

    assert sinks.spans() == []
    assert not hasattr(SyncAPIClient.request, "__wrapped__")
    assert not hasattr(AsyncAPIClient.request, "__wrapped__")


def test_nothing_is_held(sinks: Sinks) -> None:
    with FakeProvider(answers=[CACHED]) as provider:
        sdk = client(provider)
        answers = [weakref.ref(sdk.chat.completions.create(**MODEL)) for _ in range(20)]
        streams = [weakref.ref(sdk.chat.completions.create(**STREAM)) for _ in range(20)]
        raw = [weakref.ref(sdk.chat.completions.with_raw_response.create(**MODEL)) for _ in range(20)]
        gc.collect()

    assert not [reference for reference in (*answers, *streams, *raw) if reference() is not None]
    assert len(sinks.spans()) == 60
