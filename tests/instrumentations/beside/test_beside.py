"""Beside other instrumentations of the same framework, or of the one below: each call of a model has one span.

All of them are really installed and at work. `make matrix` makes the environments for it, since some cannot be
installed together; what one of them does not have is skipped there.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from side_by_side import ORDERS, are_ours, at_work, calls, installed, pairs
from telemetry_sinks import Sinks

from agentvigil.instrumentations.anthropic import AnthropicInstrumentor
from agentvigil.instrumentations.google_genai import GoogleGenAIInstrumentor
from agentvigil.instrumentations.langchain import LangChainInstrumentor
from agentvigil.instrumentations.litellm import LiteLLMInstrumentor
from agentvigil.instrumentations.llama_index import LlamaIndexInstrumentor
from agentvigil.instrumentations.openai import OpenAIInstrumentor
from agentvigil.instrumentations.openai_agents import OpenAIAgentsInstrumentor
from agentvigil.instrumentations.rivals import Rival
from agentvigil.testing import Answer, FakeProvider, RecordedProvider, ToolCall, Usage

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # LiteLLM asks the network for prices otherwise

ANSWERS = [Answer(Usage(21, 9), "a b c")]
MESSAGES: Any = [{"role": "user", "content": "x"}]
OURS: dict[str, Any] = {
    "openai": OpenAIInstrumentor,
    "anthropic": AnthropicInstrumentor,
    "google_genai": GoogleGenAIInstrumentor,
    "langchain": LangChainInstrumentor,
    "litellm": LiteLLMInstrumentor,
    "llama_index": LlamaIndexInstrumentor,
    "openai_agents": OpenAIAgentsInstrumentor,
}
ABOVE_OPENAIS_SDK = ("langchain", "litellm", "llama_index", "openai_agents")


def use_openai(provider: FakeProvider) -> int:
    openai = pytest.importorskip("openai")
    sdk = openai.OpenAI(base_url=provider.openai_url, api_key="x")
    sdk.chat.completions.create(model="gpt-5-mini", messages=MESSAGES)
    list(sdk.chat.completions.create(model="gpt-5-mini", messages=MESSAGES, stream=True))
    sdk.responses.create(model="gpt-5-mini", input="x")
    sdk.embeddings.create(model="text-embedding-3-small", input="x")
    return 4


def use_anthropic(provider: FakeProvider) -> int:
    anthropic = pytest.importorskip("anthropic")
    sdk = anthropic.Anthropic(base_url=provider.anthropic_url, api_key="x")
    sdk.messages.create(model="claude-sonnet-4-5", max_tokens=9, messages=MESSAGES)
    list(sdk.messages.create(model="claude-sonnet-4-5", max_tokens=9, messages=MESSAGES, stream=True))
    return 2


def use_google(provider: FakeProvider) -> int:
    sdk = google(provider.google_url)
    question: Any = {"model": "gemini-2.5-flash", "contents": "x"}

    async def main() -> None:
        await sdk.aio.models.generate_content(**question)
        async for _ in await sdk.aio.models.generate_content_stream(**question):
            pass

    sdk.models.generate_content(**question)
    list(sdk.models.generate_content_stream(**question))
    asyncio.run(main())
    return 4


def use_langchain(provider: FakeProvider) -> int:
    langchain_openai = pytest.importorskip("langchain_openai")
    model = langchain_openai.ChatOpenAI(model="gpt-5-mini", base_url=provider.openai_url, api_key="x")
    model.invoke("x")
    list(model.stream("x"))
    return 2


def use_litellm(provider: FakeProvider) -> int:
    litellm = pytest.importorskip("litellm")
    to: Any = {"api_base": provider.openai_url, "api_key": "x"}
    asked: Any = {"model": "openai/gpt-5-mini", "messages": MESSAGES, **to}

    async def main() -> None:
        await litellm.acompletion(**asked)
        async for _ in await litellm.acompletion(**asked, stream=True):
            pass
        parameters = {"model": "openai/gpt-5-mini", **to}
        router = litellm.Router(model_list=[{"model_name": "any", "litellm_params": parameters}], num_retries=0)
        await router.acompletion(model="any", messages=MESSAGES)

    litellm.completion(**asked)
    list(litellm.completion(**asked, stream=True))
    asyncio.run(main())
    litellm.embedding(model="openai/text-embedding-3-small", input=["x"], **to)
    litellm.text_completion(model="openai/gpt-5-mini", prompt="x", **to)
    return 7


def use_llama_index(provider: FakeProvider) -> int:
    openai = pytest.importorskip("llama_index.llms.openai")
    core = pytest.importorskip("llama_index.core")
    model = openai.OpenAI(model="gpt-4.1", api_base=provider.openai_url, api_key="x")
    question = [core.llms.ChatMessage(role="user", content="x")]

    async def main() -> None:
        await model.achat(question)
        async for _ in await model.astream_chat(question):
            pass

    model.chat(question)
    list(model.stream_chat(question))
    asyncio.run(main())
    return 4


def use_agents(provider: FakeProvider) -> int:
    agents = pytest.importorskip("agents")
    openai = pytest.importorskip("openai")
    sdk = openai.AsyncOpenAI(base_url=provider.openai_url, api_key="x")
    agent = agents.Agent(name="a", model=agents.OpenAIResponsesModel(model="gpt-5-mini", openai_client=sdk))
    agents.Runner.run_sync(agent, "x", run_config=agents.RunConfig())
    return 1


USES: dict[str, Callable[[FakeProvider], int]] = {
    "openai": use_openai,
    "anthropic": use_anthropic,
    "google_genai": use_google,
    "langchain": use_langchain,
    "litellm": use_litellm,
    "llama_index": use_llama_index,
    "openai_agents": use_agents,
}
CLIENTS: list[Any] = []
"""Kept: a client of Google's that nobody holds closes its connections, even while one of its parts makes a call."""


def google(url: str) -> Any:
    genai = pytest.importorskip("google.genai")
    CLIENTS[:] = [genai.Client(api_key="x", http_options=genai.types.HttpOptions(base_url=url))]
    return CLIENTS[0]


def one_answer(directory: Path, body: str) -> RecordedProvider:
    """A provider that gives an answer for which there is no recording."""
    headers = "headers: {Content-Type: [application/json]}"
    path = directory / "cassette.yaml"
    path.write_text(f"interactions: [{{response: {{status: {{code: 200}}, {headers}, body: {{string: '{body}'}}}}}}]")
    return RecordedProvider(path)


def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


@pytest.fixture
def sinks(sinks: Sinks, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sinks]:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", sinks.tracer_provider)
    if "openai_agents" in request.node.name:
        pytest.importorskip("agents").set_trace_processors([])  # the SDK's own would send to its maker
    yield sinks
    for instrumentor in OURS.values():
        if instrumentor().is_instrumented_by_opentelemetry:
            instrumentor().uninstrument()


@ORDERS
@pairs(*OURS)
def test_of_the_same_framework(sinks: Sinks, framework: str, rival: Rival, is_first: bool) -> None:
    """Ours makes none then; and what is below, ours too, makes no second one."""
    theirs = installed(rival)
    below = [OpenAIInstrumentor()] if framework in ABOVE_OPENAIS_SDK else []
    with at_work(sinks, theirs, OURS[framework](), *below, is_first=is_first):
        is_at_work = theirs.is_instrumented_by_opentelemetry
        with FakeProvider(answers=ANSWERS) as provider:
            made = USES[framework](provider)

    assert len(calls(sinks)) in ((made,) if framework != "openai_agents" else (made, 0))
    if framework in ("openai", "anthropic", "google_genai") and not rival.leaves & {"/responses"}:
        assert set(are_ours(calls(sinks))) == {not is_at_work}


@pairs("openai")
@pytest.mark.parametrize("above", ABOVE_OPENAIS_SDK)
def test_of_the_sdk_below(sinks: Sinks, above: str, framework: str, rival: Rival) -> None:
    with at_work(sinks, installed(rival), OURS[above]()), FakeProvider(answers=ANSWERS) as provider:
        made = USES[above](provider)

    assert len(calls(sinks)) == made


@ORDERS
@pairs("openai")
def test_the_old_completions(sinks: Sinks, tmp_path: Path, framework: str, rival: Rival, is_first: bool) -> None:
    openai = pytest.importorskip("openai")
    theirs, answer = installed(rival), '{"object": "text_completion", "choices": []}'
    with at_work(sinks, theirs, OpenAIInstrumentor(), is_first=is_first), one_answer(tmp_path, answer) as provider:
        openai.OpenAI(base_url=provider.openai_url, api_key="x").completions.create(model="m", prompt="x")

    assert len(calls(sinks)) == 1


@ORDERS
@pairs("google_genai")
def test_embeddings_of_google(sinks: Sinks, tmp_path: Path, framework: str, rival: Rival, is_first: bool) -> None:
    """One of them leaves them out."""
    theirs, answer = installed(rival), '{"embeddings": [{"values": [0.5]}]}'
    with (
        at_work(sinks, theirs, GoogleGenAIInstrumentor(), is_first=is_first),
        one_answer(tmp_path, answer) as provider,
    ):
        google(provider.base_url).models.embed_content(model="gemini-embedding-001", contents="x")

    assert len(calls(sinks)) == 1


@ORDERS
@pairs("google_genai")
def test_functions_that_googles_sdk_calls(sinks: Sinks, framework: str, rival: Rival, is_first: bool) -> None:
    """Theirs tell of both requests by one span, ours by one each; never both of them."""
    answers = [Answer(Usage(89, 23), tool_calls=[ToolCall("get_weather", {"city": "Paris"})]), *ANSWERS]
    theirs = installed(rival)
    with at_work(sinks, theirs, GoogleGenAIInstrumentor(), is_first=is_first):
        is_at_work = theirs.is_instrumented_by_opentelemetry
        with FakeProvider(answers=answers) as provider:
            google(provider.google_url).models.generate_content(
                model="gemini-2.5-flash", contents="x", config={"tools": [get_weather]}
            )

    scopes = [span.instrumentation_scope.name for span in sinks.spans()]
    assert set(are_ours(scopes)) == {not is_at_work}
    assert len(calls(sinks)) == (1 if is_at_work else 2)
