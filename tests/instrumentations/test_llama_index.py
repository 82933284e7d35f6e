"""LlamaIndex: which spans there are and how they nest, with the SDK below instrumented or not."""

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

pytest.importorskip("llama_index.core")

from llama_index.core import Document, VectorStoreIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.llms import ChatMessage, CompletionResponse, CustomLLM, LLMMetadata
from llama_index.core.llms.callbacks import llm_completion_callback
from llama_index.core.postprocessor import SimilarityPostprocessor
from llama_index.core.tools import QueryEngineTool
from llama_index.core.workflow import StartEvent, StopEvent, Workflow, step
from telemetry_sinks import Sinks, said

from agentvigil.instrumentations.litellm import LiteLLMInstrumentor
from agentvigil.instrumentations.llama_index import LlamaIndexInstrumentor
from agentvigil.instrumentations.openai import OpenAIInstrumentor
from agentvigil.testing import Answer, FakeProvider, ToolCall, Usage

MODEL = "gpt-4.1"
CHAT = f"chat {MODEL}"
CALLS_TOOL = Answer(Usage(89, 23, cache_read=40), tool_calls=[ToolCall("get_weather", {"city": "canary-argument"})])
ANSWERS = Answer(Usage(144, 31), "canary-answer: sunny.")
QUESTION = [ChatMessage(role="user", content="canary-question")]


@pytest.fixture(params=[True, False], ids=["with the SDK watched", "without"])
def sinks(sinks: Sinks, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sinks]:
    monkeypatch.setenv("AGENTVIGIL_STREAM_USAGE", "true")
    below = [OpenAIInstrumentor(), LiteLLMInstrumentor()] if request.param else []
    instrumentors = [LlamaIndexInstrumentor(), *below]
    for instrumentor in instrumentors:
        instrumentor.instrument(**sinks.providers)
    yield sinks
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


@pytest.fixture
def watches_sdk(request: pytest.FixtureRequest) -> bool:
    return "with the SDK watched" in request.node.name


def model(provider: FakeProvider) -> Any:
    """A model of the integration for OpenAI, or for LiteLLM where only that installs beside the newest OpenAI SDK."""
    try:
        from llama_index.llms.openai import OpenAI
    except ImportError:
        from llama_index.llms.litellm import LiteLLM

        return LiteLLM(model=f"openai/{MODEL}", api_base=provider.openai_url, api_key="x", max_retries=0)
    return OpenAI(model=MODEL, api_base=provider.openai_url, api_key="x", max_retries=0)


def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"canary-result {city}"


def failing(city: str) -> str:
    """Fail."""
    raise ValueError("no weather")


def an_index() -> VectorStoreIndex:
    return VectorStoreIndex.from_documents([Document(text="canary-document")], embed_model=MockEmbedding(embed_dim=8))


def test_a_chat(sinks: Sinks) -> None:
    with FakeProvider(answers=[ANSWERS]) as provider:
        answer = model(provider).chat(QUESTION, temperature=0.5)

    assert answer.message.content == ANSWERS.text
    span = sinks.span()
    assert span.name == CHAT
    assert (
        said(span).items()
        >= {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": MODEL,
            "gen_ai.request.temperature": 0.5,
            "gen_ai.response.id": "chatcmpl-000000000000000000000001",
            "gen_ai.response.model": f"{MODEL}-2026-05-01",
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": 144,
            "gen_ai.usage.output_tokens": 31,
        }.items()
    )
    assert "canary" not in sinks.everything()


@pytest.mark.parametrize("name", ["complete", "acomplete", "achat"])
def test_other_ways_of_asking(sinks: Sinks, name: str) -> None:
    with FakeProvider(answers=[ANSWERS]) as provider:
        call = getattr(model(provider), name)
        given = QUESTION if "chat" in name else "canary-question"
        answer = asyncio.run(call(given)) if name.startswith("a") else call(given)

    assert ANSWERS.text in str(answer)
    assert sinks.tree() == [(CHAT, "")]
    assert said(sinks.span())["gen_ai.usage.input_tokens"] == 144


@pytest.mark.parametrize("name", ["stream_chat", "stream_complete"])
def test_a_stream(sinks: Sinks, name: str, watches_sdk: bool) -> None:
    with FakeProvider(answers=[ANSWERS]) as provider:
        stream = getattr(model(provider), name)(QUESTION if "chat" in name else "canary-question")
        assert sinks.spans() == []
        pieces = [piece.delta for piece in stream]

    assert "".join(piece or "" for piece in pieces) == ANSWERS.text
    assert sinks.tree() == [(CHAT, "")]
    found = said(sinks.span())
    assert found["gen_ai.request.stream"] is True
    assert "gen_ai.response.time_to_first_chunk" in found
    assert found["gen_ai.response.finish_reasons"] == ("stop",)
    if watches_sdk:
        assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (144, 31)
    assert "canary" not in sinks.everything()


def test_streams_that_are_read_elsewhere_than_they_were_asked_for(sinks: Sinks) -> None:
    """Asked for in tasks, read outside of them, by turns: no context connects a call of the SDK with its stream."""

    async def main(provider: FakeProvider) -> None:
        llm = model(provider)
        first, second = await asyncio.gather(llm.astream_chat(QUESTION), llm.astream_chat(QUESTION))
        async for _ in first:
            await anext(second, None)
        async for _ in second:
            pass

    with FakeProvider(answers=[Answer(Usage(21, 9), "a b c d")]) as provider:
        asyncio.run(main(provider))

    assert sinks.tree() == [(CHAT, ""), (CHAT, "")]
    assert {said(span)["gen_ai.response.id"] for span in sinks.spans()} == {
        "chatcmpl-000000000000000000000001",
        "chatcmpl-000000000000000000000002",
    }


@pytest.mark.parametrize("how", ["closed", "dropped", "never read"])
def test_a_stream_that_is_left(sinks: Sinks, how: str) -> None:
    with FakeProvider(answers=[ANSWERS]) as provider:
        stream = model(provider).stream_chat(QUESTION)
        if how != "never read":
            next(stream)
        if how == "closed":
            stream.close()
        del stream
        gc.collect()

    assert sinks.tree() == [(CHAT, "")]
    assert sinks.span().status.status_code is StatusCode.UNSET


def test_a_call_that_fails(sinks: Sinks) -> None:
    with FakeProvider(answers=[Answer(status=401)]) as provider, pytest.raises(Exception, match=r"401|Auth"):
        model(provider).chat(QUESTION)

    (span,) = [span for span in sinks.spans() if span.name == CHAT]
    assert span.status.status_code is StatusCode.ERROR
    assert said(span)["error.type"].endswith("AuthenticationError")


def test_an_agent_with_a_tool(sinks: Sinks) -> None:
    async def main(provider: FakeProvider) -> Any:
        agent = FunctionAgent(name="weather", tools=[get_weather], llm=model(provider), streaming=False)
        return await agent.run("canary-question")

    with FakeProvider(answers=[CALLS_TOOL, ANSWERS]) as provider:
        answer = asyncio.run(main(provider))

    assert str(answer) == ANSWERS.text
    assert sinks.tree() == [
        ("invoke_agent weather", ""),
        (CHAT, "invoke_agent weather"),
        ("execute_tool get_weather", "invoke_agent weather"),
        (CHAT, "invoke_agent weather"),
    ]
    assert {said(span)["gen_ai.agent.name"] for span in sinks.spans()} == {"weather"}
    first, second = [said(span) for span in sinks.spans() if span.name == CHAT]
    assert first["gen_ai.response.finish_reasons"] == ("tool_call",)
    assert first["gen_ai.usage.cache_read.input_tokens"] == 40
    assert [call["gen_ai.usage.input_tokens"] for call in (first, second)] == [89, 144]
    assert said(sinks.span("execute_tool get_weather"))["gen_ai.tool.call.id"] == "call_000000000000000000000001"
    metrics = sinks.metrics()
    assert [point.sum for point in metrics["gen_ai.invoke_agent.inference_calls"]] == [2]
    assert [point.sum for point in metrics["gen_ai.invoke_agent.tool_calls"]] == [1]
    assert "canary" not in sinks.everything()


def test_an_agent_that_streams(sinks: Sinks) -> None:
    async def main(provider: FakeProvider) -> None:
        handler = FunctionAgent(name="weather", tools=[get_weather], llm=model(provider)).run("canary-question")
        async for _ in handler.stream_events():
            pass
        await handler

    with FakeProvider(answers=[CALLS_TOOL, ANSWERS]) as provider:
        asyncio.run(main(provider))

    assert [name for name, _ in sinks.tree()] == ["invoke_agent weather", CHAT, "execute_tool get_weather", CHAT]
    assert {parent for _, parent in sinks.tree()} == {"", "invoke_agent weather"}


def test_what_comes_after_an_agent_was_started_is_not_inside_it(sinks: Sinks) -> None:
    tracer = sinks.tracer_provider.get_tracer("application")

    async def main(provider: FakeProvider) -> None:
        handler = FunctionAgent(name="weather", tools=[get_weather], llm=model(provider)).run("canary-question")
        with tracer.start_as_current_span("beside"):
            await asyncio.sleep(0)
        await handler

    with FakeProvider(answers=[ANSWERS]) as provider:
        asyncio.run(main(provider))

    assert ("beside", "") in sinks.tree()


def test_a_tool_that_fails(sinks: Sinks) -> None:
    async def main(provider: FakeProvider) -> None:
        await FunctionAgent(name="weather", tools=[failing], llm=model(provider)).run("canary-question")

    call = Answer(Usage(1, 1), tool_calls=[ToolCall("failing", {"city": "x"})])
    with FakeProvider(answers=[call, ANSWERS]) as provider:
        asyncio.run(main(provider))

    tool = sinks.span("execute_tool failing")
    assert tool.status.status_code is StatusCode.ERROR
    assert said(tool)["error.type"] == "ValueError"
    assert sinks.span("invoke_agent weather").status.status_code is StatusCode.UNSET


def test_an_agent_that_fails(sinks: Sinks) -> None:
    async def main(provider: FakeProvider) -> None:
        await FunctionAgent(name="weather", tools=[get_weather], llm=model(provider)).run("canary-question")

    with FakeProvider(answers=[Answer(status=401)]) as provider, pytest.raises(Exception, match=r"401|Auth"):
        asyncio.run(main(provider))

    assert {span.name: span.status.status_code for span in sinks.spans()} == {
        "invoke_agent weather": StatusCode.ERROR,
        CHAT: StatusCode.ERROR,
    }


def test_agents_that_hand_over(sinks: Sinks) -> None:
    async def main(provider: FakeProvider) -> None:
        triage = FunctionAgent(
            name="triage", description="t", tools=[], llm=model(provider), can_handoff_to=["weather"]
        )
        weather = FunctionAgent(name="weather", description="w", tools=[get_weather], llm=model(provider))
        await AgentWorkflow(agents=[triage, weather], root_agent="triage").run("canary-question")

    handoff = Answer(Usage(5, 5), tool_calls=[ToolCall("handoff", {"to_agent": "weather", "reason": "canary"})])
    with FakeProvider(answers=[handoff, CALLS_TOOL, ANSWERS]) as provider:
        asyncio.run(main(provider))

    assert sinks.tree() == [
        ("invoke_workflow AgentWorkflow", ""),
        ("invoke_agent triage", "invoke_workflow AgentWorkflow"),
        (CHAT, "invoke_agent triage"),
        ("execute_tool handoff", "invoke_agent triage"),
        ("invoke_agent weather", "invoke_workflow AgentWorkflow"),
        (CHAT, "invoke_agent weather"),
        ("execute_tool get_weather", "invoke_agent weather"),
        (CHAT, "invoke_agent weather"),
    ]
    agents = [said(span).get("gen_ai.agent.name") for span in sinks.spans()]
    assert agents == [None, *["triage"] * 3, *["weather"] * 4]
    assert "canary" not in sinks.everything()


class Steps(Workflow):
    """A workflow of the application's own."""

    @step
    async def ask(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=str(await ev.llm.achat(QUESTION)))


def test_a_workflow(sinks: Sinks) -> None:
    async def main(provider: FakeProvider) -> None:
        await Steps().run(llm=model(provider))

    with FakeProvider(answers=[ANSWERS]) as provider:
        asyncio.run(main(provider))

    assert sinks.tree() == [("invoke_workflow Steps", ""), ("ask", "invoke_workflow Steps"), (CHAT, "ask")]
    assert said(sinks.span("ask"))["agentvigil.step.name"] == "ask"


@pytest.mark.parametrize("is_async", [False, True])
def test_a_query(sinks: Sinks, is_async: bool) -> None:
    index = an_index()
    with FakeProvider(answers=[ANSWERS]) as provider:
        engine = index.as_query_engine(
            llm=model(provider), node_postprocessors=[SimilarityPostprocessor(similarity_cutoff=0)]
        )
        answer = asyncio.run(engine.aquery("canary-question")) if is_async else engine.query("canary-question")

    assert str(answer) == ANSWERS.text
    root = "invoke_workflow RetrieverQueryEngine"
    assert sinks.tree() == [
        ("embeddings", ""),
        (root, ""),
        ("retrieval VectorIndexRetriever", root),
        ("embeddings", "retrieval VectorIndexRetriever"),
        ("SimilarityPostprocessor", root),
        (CHAT, root),
    ]
    assert said(sinks.spans()[0])["gen_ai.embeddings.dimension.count"] == 8
    assert said(sinks.span("retrieval VectorIndexRetriever"))["agentvigil.retrieval.document.count"] == 1
    assert "canary" not in sinks.everything()


@pytest.mark.parametrize("how", ["read", "dropped", "never read"])
def test_a_query_whose_answer_is_read_later(sinks: Sinks, how: str) -> None:
    index = an_index()
    with FakeProvider(answers=[ANSWERS]) as provider:
        response = index.as_query_engine(llm=model(provider), streaming=True).query("canary-question")
        if how == "read":
            assert "".join(response.response_gen) == ANSWERS.text
        elif how == "dropped":
            next(response.response_gen)
        del response
        gc.collect()

    root = "invoke_workflow RetrieverQueryEngine"
    if how != "never read":  # versions differ in whether they ask the model before
        assert (CHAT, root) in sinks.tree()
    assert [span.name for span in sinks.spans() if span.parent is None] == ["embeddings", root]
    assert {span.status.status_code for span in sinks.spans()} == {StatusCode.UNSET}


def test_a_query_that_is_awaited_and_read_later(sinks: Sinks) -> None:
    index = an_index()

    async def main(provider: FakeProvider) -> str:
        response = await index.as_query_engine(llm=model(provider), streaming=True).aquery("canary-question")
        return "".join([piece async for piece in response.async_response_gen()])

    with FakeProvider(answers=[ANSWERS]) as provider:
        assert asyncio.run(main(provider)) == ANSWERS.text

    assert (CHAT, "invoke_workflow RetrieverQueryEngine") in sinks.tree()


@pytest.mark.parametrize("streams", [False, True])
def test_a_chat_engine(sinks: Sinks, streams: bool) -> None:
    index = an_index()
    with FakeProvider(answers=[ANSWERS]) as provider:
        engine = index.as_chat_engine(chat_mode="context", llm=model(provider))
        if streams:
            assert "".join(engine.stream_chat("canary-question").response_gen) == ANSWERS.text
        else:
            assert str(engine.chat("canary-question")) == ANSWERS.text

    root = "invoke_workflow ContextChatEngine"
    assert sinks.tree()[1:] == [
        (root, ""),
        ("retrieval VectorIndexRetriever", root),
        ("embeddings", "retrieval VectorIndexRetriever"),
        (CHAT, root),
    ]


def test_an_index_as_a_tool(sinks: Sinks) -> None:
    index = an_index()

    async def main(provider: FakeProvider) -> None:
        llm = model(provider)
        tool = QueryEngineTool.from_defaults(index.as_query_engine(llm=llm), name="kb", description="d")
        await FunctionAgent(name="rag", tools=[tool], llm=llm).run("canary-question")

    call = Answer(Usage(1, 1), tool_calls=[ToolCall("kb", {"input": "canary"})])
    with FakeProvider(answers=[call, ANSWERS, ANSWERS]) as provider:
        asyncio.run(main(provider))

    assert sinks.tree()[1:] == [
        ("invoke_agent rag", ""),
        (CHAT, "invoke_agent rag"),
        ("execute_tool kb", "invoke_agent rag"),
        ("RetrieverQueryEngine", "execute_tool kb"),
        ("retrieval VectorIndexRetriever", "RetrieverQueryEngine"),
        ("embeddings", "retrieval VectorIndexRetriever"),
        (CHAT, "RetrieverQueryEngine"),
        (CHAT, "invoke_agent rag"),
    ]


class Own(CustomLLM):
    """A model of the application's own, which nobody else sees."""

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name="own-1")

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text="canary", raw={"usage": {"input_tokens": 3, "output_tokens": 2}})

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        def pieces() -> Any:
            for piece in ("ca", "nary"):
                yield CompletionResponse(text=piece, delta=piece)

        return pieces()


def test_a_model_of_the_applications_own(sinks: Sinks) -> None:
    llm = Own()
    llm.chat(QUESTION)
    assert len(list(llm.stream_chat(QUESTION))) == 2

    asked, streamed = sinks.spans()
    assert said(asked)["gen_ai.usage.input_tokens"] == 3
    assert "gen_ai.response.time_to_first_chunk" in said(streamed)
    assert {span.name for span in sinks.spans()} == {"text_completion own-1"}
    assert {said(span)["gen_ai.provider.name"] for span in sinks.spans()} == {"Own"}


def test_content_where_it_is_wanted(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")

    async def main(provider: FakeProvider) -> None:
        await FunctionAgent(name="weather", tools=[get_weather], llm=model(provider)).run("canary-question")

    with FakeProvider(answers=[CALLS_TOOL, ANSWERS]) as provider:
        asyncio.run(main(provider))

    agent, first, tool, second = [said(span) for span in sinks.spans()]
    assert "canary-question" in agent["gen_ai.input.messages"]
    assert ANSWERS.text in agent["gen_ai.output.messages"]
    assert '"type":"tool_call"' in first["gen_ai.output.messages"]
    assert tool["gen_ai.tool.call.arguments"] == '{"city":"canary-argument"}'
    assert tool["gen_ai.tool.call.result"] == "canary-result canary-argument"
    assert '"type":"tool_call_response"' in second["gen_ai.input.messages"]
    assert ANSWERS.text in second["gen_ai.output.messages"]


def test_nothing_is_held_and_nothing_is_logged(sinks: Sinks, caplog: pytest.LogCaptureFixture) -> None:
    async def main(provider: FakeProvider) -> None:
        agent = FunctionAgent(name="weather", tools=[get_weather], llm=model(provider))
        await asyncio.gather(*(agent.run("canary-question") for _ in range(5)))

    with FakeProvider(answers=[ANSWERS]) as provider:
        asyncio.run(main(provider))
        for _ in range(5):
            stream = model(provider).stream_chat(QUESTION)
            next(stream)
            del stream
            # At once: found in the middle of a request, the SDK's stream closes its connection under httpcore's own
            # lock, and waits for ever. With or without anybody who watches.
            gc.collect()

    assert len(LlamaIndexInstrumentor().handlers) == 0
    assert [record for record in caplog.records if record.name.startswith(("agentvigil", "opentelemetry"))] == []
    assert len([span for span in sinks.spans() if span.name == "invoke_agent weather"]) == 5


def test_letting_go(sinks: Sinks) -> None:
    LlamaIndexInstrumentor().uninstrument()
    Own().chat(QUESTION)

    assert sinks.spans() == []
    LlamaIndexInstrumentor().instrument(**sinks.providers)
    Own().chat(QUESTION)
    assert len(sinks.spans()) == 1
