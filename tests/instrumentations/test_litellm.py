"""LiteLLM against the fake provider: one span a call, with OpenAI's SDK below instrumented or not."""

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it would look for prices on the network
litellm = pytest.importorskip("litellm")

from packaging.version import Version
from telemetry_sinks import Sinks, said

from agentvigil.instrumentations.litellm import LiteLLMInstrumentor
from agentvigil.instrumentations.openai import OpenAIInstrumentor
from agentvigil.testing import Answer, FakeProvider, Usage

USED = Usage(1200, 345, cache_read=1000, reasoning=120)
CACHED = Answer(USED, "canary-answer in several words.")
MESSAGES = [{"role": "user", "content": "canary-question"}]
USAGE = {
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 345,
    "gen_ai.usage.cache_read.input_tokens": 1000,
    "gen_ai.usage.reasoning.output_tokens": 120,
}


@pytest.fixture(params=[True, False], ids=["with OpenAI's SDK watched", "without"])
def sinks(sinks: Sinks, request: pytest.FixtureRequest) -> Iterator[Sinks]:
    instrumentors = [LiteLLMInstrumentor(), *([OpenAIInstrumentor()] if request.param else [])]
    for instrumentor in instrumentors:
        instrumentor.instrument(**sinks.providers)
    yield sinks
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


def to(provider: FakeProvider, **more: Any) -> dict[str, Any]:
    url = {"api_base": provider.openai_url, "api_key": "x", "max_retries": 0}
    return {"model": "openai/gpt-4o-mini", "messages": MESSAGES, **url, **more}


def test_a_completion(sinks: Sinks) -> None:
    with FakeProvider(answers=[CACHED]) as provider:
        answer = litellm.completion(**to(provider, temperature=0.5, max_tokens=99))

    span = sinks.span()
    assert type(answer).__name__ == "ModelResponse"
    assert span.name == "chat gpt-4o-mini"
    assert (
        said(span).items()
        >= {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.max_tokens": 99,
            "gen_ai.response.id": "chatcmpl-000000000000000000000001",
            "gen_ai.response.finish_reasons": ("stop",),
            **USAGE,
        }.items()
    )
    assert "canary" not in sinks.everything()


@pytest.mark.parametrize("asks", [False, True])
def test_streams(sinks: Sinks, asks: bool) -> None:
    """Without being asked for, usage is unknown, and not 0."""
    options = {"stream_options": {"include_usage": True}} if asks else {}

    async def main(provider: FakeProvider) -> None:
        async for _ in await litellm.acompletion(**to(provider, stream=True, **options)):
            pass

    with FakeProvider(answers=[CACHED]) as provider:
        stream = litellm.completion(**to(provider, stream=True, **options))
        assert type(stream).__name__ == "CustomStreamWrapper"
        list(stream)
        asyncio.run(main(provider))

    assert len(sinks.spans()) == 2
    for span in sinks.spans():
        assert said(span).get("gen_ai.usage.input_tokens") == (1200 if asks else None)
        assert said(span)["gen_ai.response.finish_reasons"] == ("stop",)
        assert "gen_ai.response.time_to_first_chunk" in said(span)
        assert said(span).get("agentvigil.cost.usd") != 0.0
    assert "canary" not in sinks.everything()


def test_asynchronously_embeddings_and_a_router(sinks: Sinks) -> None:
    async def main(provider: FakeProvider) -> None:
        await asyncio.gather(*(litellm.acompletion(**to(provider)) for _ in range(3)))
        parameters = {"model": "openai/gpt-4o-mini", "api_base": provider.openai_url, "api_key": "x"}
        router = litellm.Router(model_list=[{"model_name": "any", "litellm_params": parameters}], num_retries=0)
        await router.acompletion(model="any", messages=MESSAGES)

    with FakeProvider(answers=[CACHED]) as provider:
        asyncio.run(main(provider))
        litellm.embedding(
            model="openai/text-embedding-3-small", input=["canary"], api_base=provider.openai_url, api_key="x"
        )

    assert [span.name for span in sinks.spans()] == ["chat gpt-4o-mini"] * 4 + ["embeddings text-embedding-3-small"]
    assert [said(span)["gen_ai.usage.input_tokens"] for span in sinks.spans()] == [1200] * 5


@pytest.mark.parametrize("streams", [False, True])
def test_responses(sinks: Sinks, streams: bool) -> None:
    async def main(asked: dict[str, Any]) -> None:
        answer = await litellm.aresponses(**asked, stream=streams)
        if streams:
            async for _ in answer:
                pass

    with FakeProvider(answers=[Answer(Usage(1200, 345, cache_read=1000, reasoning=120), "canary-answer")]) as provider:
        asked: Any = {"input": "canary-question", "model": "openai/gpt-5-mini", "max_output_tokens": 900}
        asked |= {"api_base": provider.openai_url, "api_key": "x"}
        answer = litellm.responses(**asked, stream=streams)
        if streams:
            assert len(list(answer)) > 3
        asyncio.run(main(asked))

    assert [span.name for span in sinks.spans()] == ["chat gpt-5-mini"] * 2
    for span in sinks.spans():
        assert (
            said(span).items()
            >= {
                "gen_ai.provider.name": "openai",
                "gen_ai.request.max_tokens": 900,
                "gen_ai.response.model": "gpt-5-mini-2026-05-01",
                "gen_ai.response.finish_reasons": ("stop",),
                "gen_ai.usage.input_tokens": 1200,
                "gen_ai.usage.cache_read.input_tokens": 1000,
                "gen_ai.usage.output_tokens": 345,
            }.items()
        )
        assert ("gen_ai.response.time_to_first_chunk" in said(span)) is streams
    assert "canary" not in sinks.everything()


def test_content_only_if_it_is_wanted(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    with FakeProvider(answers=[CACHED]) as provider:
        litellm.completion(**to(provider))

    assert "canary-question" in said(sinks.span())["gen_ai.input.messages"]
    assert "canary-answer" in said(sinks.span())["gen_ai.output.messages"]


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_errors_of_the_provider(sinks: Sinks, status: int) -> None:
    with FakeProvider(answers=[Answer(status=status)]) as provider, pytest.raises(Exception) as caught:
        litellm.completion(**to(provider))

    span = sinks.span()
    assert span.status.status_code is StatusCode.ERROR
    assert said(span)["error.type"] == f"{type(caught.value).__module__}.{type(caught.value).__name__}"


def test_streams_that_nobody_reads_to_the_end(sinks: Sinks) -> None:
    with FakeProvider(answers=[CACHED]) as provider:
        next(iter(litellm.completion(**to(provider, stream=True))))
        litellm.completion(**to(provider, stream=True))
        gc.collect()

    if Version(metadata.version("litellm")) < Version("1.100"):
        return  # it holds on to the streams that it has handed out
    # A thread of LiteLLM's has the stream of each chunk until it has logged the chunk, which takes what it takes.
    deadline = time.monotonic() + 30
    while len(sinks.spans()) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
        gc.collect()
    assert len(sinks.spans()) == 2


def test_beside_its_own_callback_it_stays_quiet(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    OpenAIInstrumentor().uninstrument()

    class OpenTelemetry:
        """By this name LiteLLM's own is known."""

    monkeypatch.setattr(litellm, "callbacks", [OpenTelemetry()])
    with FakeProvider(answers=[CACHED]) as provider:
        litellm.completion(**to(provider))

    assert sinks.spans() == []


def test_letting_go(sinks: Sinks) -> None:
    for instrumentor in (LiteLLMInstrumentor(), OpenAIInstrumentor()):
        instrumentor.uninstrument()
    with FakeProvider(answers=[CACHED]) as provider:
        litellm.completion(**to(provider))

    assert sinks.spans() == []
    assert not hasattr(litellm.completion, "_self_wrapper")


def test_what_stands_in_place_of_its_functions_is_called(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    """LiteLLM's own choice between two ways of calling, and what others have put there."""
    LiteLLMInstrumentor().uninstrument()
    asked = []

    def theirs(**kwargs: Any) -> Any:
        asked.append(kwargs["model"])
        return litellm.main.completion(**kwargs)

    monkeypatch.setattr(litellm, "completion", theirs)
    LiteLLMInstrumentor().instrument(**sinks.providers)
    with FakeProvider(answers=[CACHED]) as provider:
        litellm.completion(**to(provider))
    LiteLLMInstrumentor().uninstrument()

    assert asked == ["openai/gpt-4o-mini"]
    assert sinks.span().name == "chat gpt-4o-mini"
    assert litellm.completion is theirs


def test_letting_go_of_what_was_imported_while_it_was_watched() -> None:
    program = """
from agentvigil.instrumentations.litellm import LiteLLMInstrumentor
LiteLLMInstrumentor().instrument()
import litellm
print(hasattr(litellm.text_completion, "_self_wrapper"))
LiteLLMInstrumentor().uninstrument()
print(hasattr(litellm.text_completion, "_self_wrapper"))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "True\nFalse\n", done.stderr
