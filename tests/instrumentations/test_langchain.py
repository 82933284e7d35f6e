"""LangChain and LangGraph: which spans there are and how they nest, with OpenAI's SDK below instrumented or not."""

import asyncio
import gc
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypedDict

import pytest
from opentelemetry.trace import StatusCode

pytest.importorskip("langchain_core")
pytest.importorskip("langchain_openai")
pytest.importorskip("langgraph")

from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from telemetry_sinks import Sinks, said

from agentvigil.instrumentations.langchain import LangChainInstrumentor
from agentvigil.instrumentations.openai import OpenAIInstrumentor
from agentvigil.testing import Answer, FakeProvider, ToolCall, Usage

CALLS_TOOL = Answer(Usage(89, 23, cache_read=40), tool_calls=[ToolCall("get_weather", {"city": "canary-argument"})])
ANSWERS = Answer(Usage(144, 31, reasoning=10), "canary-answer: sunny.")
QUESTION = {"messages": [("user", "canary-question")]}


@pytest.fixture(params=[True, False], ids=["with OpenAI's SDK watched", "without"])
def sinks(sinks: Sinks, request: pytest.FixtureRequest) -> Iterator[Sinks]:
    instrumentors = [LangChainInstrumentor(), *([OpenAIInstrumentor()] if request.param else [])]
    for instrumentor in instrumentors:
        instrumentor.instrument(**sinks.providers)
    yield sinks
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


@tool
def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"canary-result {city}"


@tool
def failing(city: str) -> str:
    """Fail."""
    raise ValueError("no weather")


def model(provider: FakeProvider, **more: Any) -> ChatOpenAI:
    return ChatOpenAI(model="gpt-5-mini", base_url=provider.openai_url, api_key="x", max_retries=0, **more)


def an_agent(provider: FakeProvider, *tools: Any) -> Any:
    try:
        from langchain.agents import create_agent
    except ImportError:
        from langgraph.prebuilt import create_react_agent

        return create_react_agent(model(provider), list(tools), name="weather-agent")
    return create_agent(model(provider), list(tools), name="weather-agent")


def model_node() -> str:
    """What the node of an agent's model is called: LangGraph's prebuilt agents have another name for it."""
    try:
        import langchain.agents  # noqa: F401
        from langchain.agents import create_agent  # noqa: F401
    except ImportError:
        return "agent"
    return "model"


class State(TypedDict):
    x: int


def a_chain(provider: FakeProvider) -> Any:
    return ChatPromptTemplate.from_template("canary-prompt {a}") | model(provider) | StrOutputParser()


def test_an_agent_with_a_tool(sinks: Sinks) -> None:
    with FakeProvider(answers=[CALLS_TOOL, ANSWERS]) as provider:
        agent = an_agent(provider, get_weather)
        answer = agent.invoke(QUESTION, {"configurable": {"thread_id": "thread-7"}})

    assert answer["messages"][-1].content == ANSWERS.text
    node = model_node()
    assert sinks.tree() == [
        ("invoke_agent weather-agent", ""),
        (node, "invoke_agent weather-agent"),
        ("chat gpt-5-mini", node),
        ("tools", "invoke_agent weather-agent"),
        ("execute_tool get_weather", "tools"),
        (node, "invoke_agent weather-agent"),
        ("chat gpt-5-mini", node),
    ]
    assert {said(span).get("gen_ai.conversation.id") for span in sinks.spans()} == {"thread-7"}
    assert {said(span).get("gen_ai.agent.name") for span in sinks.spans()} == {"weather-agent"}
    first, second = [said(span) for span in sinks.spans() if span.name == "chat gpt-5-mini"]
    assert (
        first.items()
        >= {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-5-mini",
            "gen_ai.response.model": "gpt-5-mini-2026-05-01",
            "gen_ai.response.id": "chatcmpl-000000000000000000000001",
            "gen_ai.response.finish_reasons": ("tool_call",),
            "gen_ai.usage.input_tokens": 89,
            "gen_ai.usage.output_tokens": 23,
            "gen_ai.usage.cache_read.input_tokens": 40,
        }.items()
    )
    assert (second["gen_ai.usage.input_tokens"], second["gen_ai.usage.reasoning.output_tokens"]) == (144, 10)
    called = said(sinks.span("execute_tool get_weather"))
    assert called["gen_ai.tool.call.id"] == "call_000000000000000000000001"
    assert called["gen_ai.tool.type"] == "function"
    assert "canary" not in sinks.everything()
    assert len(sinks.metrics()["gen_ai.client.inference.duration"]) == 1


def test_asynchronously_and_streamed(sinks: Sinks) -> None:
    async def main(provider: FakeProvider) -> None:
        async for _ in an_agent(provider, get_weather).astream(QUESTION, stream_mode="messages"):
            pass

    with FakeProvider(answers=[CALLS_TOOL, ANSWERS]) as provider:
        asyncio.run(main(provider))

    assert [pair[0] for pair in sinks.tree()].count("chat gpt-5-mini") == 2
    chats = [said(span) for span in sinks.spans() if span.name == "chat gpt-5-mini"]
    assert all("gen_ai.response.time_to_first_chunk" in chat for chat in chats)
    assert [chat["gen_ai.response.finish_reasons"] for chat in chats] == [("tool_call",), ("stop",)]
    assert "canary" not in sinks.everything()


def test_content_only_if_it_is_wanted(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    with FakeProvider(answers=[CALLS_TOOL, ANSWERS]) as provider:
        an_agent(provider, get_weather).invoke(QUESTION)

    called = said(sinks.span("execute_tool get_weather"))
    assert called["gen_ai.tool.call.arguments"] == '{"city":"canary-argument"}'
    assert called["gen_ai.tool.call.result"] == "canary-result canary-argument"
    chats = [said(span) for span in sinks.spans() if span.name == "chat gpt-5-mini"]
    assert '{"role":"user","parts":[{"type":"text","content":"canary-question"}]}' in chats[0]["gen_ai.input.messages"]
    assert '"type":"tool_call_response"' in chats[1]["gen_ai.input.messages"]
    assert "canary-answer" in chats[1]["gen_ai.output.messages"]


def a_graph(provider: FakeProvider) -> Any:
    inner = StateGraph(State)
    inner.add_node("inner", lambda state: {"x": len(model(provider).invoke("canary").content)})
    inner.add_edge(START, "inner")
    graph = StateGraph(State)
    graph.add_node("left", lambda state: {})
    graph.add_node("right", lambda state: {})
    graph.add_node("sub", inner.compile(name="subgraph"))
    graph.add_node("ask", lambda state: {"x": interrupt("canary")})
    graph.add_edge(START, "left")
    graph.add_edge(START, "right")
    graph.add_edge(["left", "right"], "sub")
    graph.add_edge("sub", "ask")
    return graph.compile(checkpointer=InMemorySaver(), name="triage")


def test_a_graph_with_branches_a_subgraph_and_an_interrupt(sinks: Sinks) -> None:
    config: Any = {"configurable": {"thread_id": "thread-8"}}
    with FakeProvider(answers=[ANSWERS]) as provider:
        graph = a_graph(provider)
        graph.invoke({"x": 1}, config)
        assert sorted(sinks.tree()) == sorted(
            [
                ("invoke_workflow triage", ""),
                ("left", "invoke_workflow triage"),
                ("right", "invoke_workflow triage"),
                ("sub", "invoke_workflow triage"),
                ("invoke_workflow subgraph", "sub"),
                ("inner", "invoke_workflow subgraph"),
                ("chat gpt-5-mini", "inner"),
                ("ask", "invoke_workflow triage"),
            ]
        )
        assert graph.invoke(Command(resume=5), config) == {"x": 5}

    assert {span.status.status_code for span in sinks.spans()} == {StatusCode.UNSET}
    assert [span.name for span in sinks.spans()][-2:] == ["invoke_workflow triage", "ask"]
    assert {said(span)["gen_ai.conversation.id"] for span in sinks.spans()} == {"thread-8"}


def test_code_in_a_node_nests_below_it(sinks: Sinks) -> None:
    tracer = sinks.tracer_provider.get_tracer("application")

    def node(state: State) -> State:
        with tracer.start_as_current_span("own work"):
            list(model(provider).stream("canary"))
            with ThreadPoolExecutor(1):
                pass
        return state

    with FakeProvider(answers=[ANSWERS]) as provider:
        graph = StateGraph(State)
        graph.add_node("node", node)
        graph.add_edge(START, "node")
        graph.compile().invoke({"x": 1})

    assert sinks.tree() == [
        ("invoke_workflow", ""),
        ("node", "invoke_workflow"),
        ("own work", "node"),
        ("chat gpt-5-mini", "own work"),
    ]


class Asking(BaseRetriever):
    """A retriever that asks for an embedding."""

    embeddings: Any

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return [Document(str(len(self.embeddings.embed_query(query))))]


class Documents(BaseRetriever):
    texts: tuple[str, ...] = ("canary-document",)

    def _get_relevant_documents(self, query: str, **_: Any) -> list[Document]:
        return [Document(text) for text in self.texts]


@pytest.mark.parametrize("texts", [(), ("canary-1", "canary-2")])
def test_how_many_documents_were_found_is_told_without_content(sinks: Sinks, texts: tuple[str, ...]) -> None:
    Documents(name="kb", texts=texts).invoke("canary")

    assert said(sinks.span("retrieval kb"))["agentvigil.retrieval.document.count"] == len(texts)
    assert "canary" not in sinks.everything()


def test_a_chain_with_retrieval(sinks: Sinks) -> None:
    with FakeProvider(answers=[ANSWERS]) as provider:
        chain = {"a": Documents(name="kb") | RunnableLambda(str)} | a_chain(provider)
        assert list(chain.stream("canary"))
        chain.with_config(run_name="answer").invoke("canary")

    assert sinks.tree() == [
        ("invoke_workflow", ""),
        ("retrieval kb", "invoke_workflow"),
        ("chat gpt-5-mini", "invoke_workflow"),
        ("invoke_workflow answer", ""),
        ("retrieval kb", "invoke_workflow answer"),
        ("chat gpt-5-mini", "invoke_workflow answer"),
    ]
    assert "canary" not in sinks.everything()


@pytest.mark.parametrize("is_async", [False, True])
def test_what_a_retriever_asks_for_nests_below_it(sinks: Sinks, is_async: bool) -> None:
    """The embedding of a question, and what comes after the retriever does not."""
    with FakeProvider(answers=[Answer(Usage(8, 0))]) as provider:
        embeddings = OpenAIEmbeddings(base_url=provider.openai_url, api_key="x", check_embedding_ctx_length=False)
        retriever = Asking(name="kb", embeddings=embeddings)
        if is_async:
            assert asyncio.run(retriever.ainvoke("canary"))
        else:
            assert retriever.invoke("canary")
        embeddings.embed_query("canary")

    name = "embeddings text-embedding-ada-002"
    watched = [(name, "retrieval kb"), (name, "")] if len(sinks.spans()) > 1 else []
    assert sinks.tree() == [("retrieval kb", ""), *watched]
    assert "canary" not in sinks.everything()


def test_tasks_of_the_functional_api_are_steps(sinks: Sinks) -> None:
    with FakeProvider(answers=[ANSWERS]) as provider:

        @task
        def ask(number: int) -> Any:
            return model(provider).invoke("canary").content

        @entrypoint()
        def flow(numbers: list[int]) -> list[Any]:
            return [future.result() for future in [ask(number) for number in numbers]]

        assert flow.invoke([1, 2]) == [ANSWERS.text] * 2

    assert sorted(sinks.tree()) == sorted(
        [
            ("invoke_workflow", ""),
            ("flow", "invoke_workflow"),
            *[("ask", "flow"), ("chat gpt-5-mini", "ask")] * 2,
        ]
    )


def test_failing(sinks: Sinks) -> None:
    """What fails is an error, and so is all around it that it went through; to the application it is unchanged."""
    with FakeProvider(answers=[Answer(status=429)]) as provider, pytest.raises(Exception, match="Rate limit") as caught:
        an_agent(provider, get_weather).invoke(QUESTION)

    assert [span.status.status_code for span in sinks.spans()] == [StatusCode.ERROR] * 3
    (error,) = {said(span)["error.type"] for span in sinks.spans()}
    assert error == f"{type(caught.value).__module__}.{type(caught.value).__qualname__}"


def test_a_tool_that_fails(sinks: Sinks) -> None:
    """Older agents go on with the error as the tool's answer; then it is the tool's alone."""
    answers = [Answer(tool_calls=[ToolCall("failing", {"city": "x"})]), ANSWERS]
    was_raised = False
    with FakeProvider(answers=answers) as provider:
        try:
            an_agent(provider, failing).invoke(QUESTION)
        except ValueError:
            was_raised = True

    assert said(sinks.span("execute_tool failing"))["error.type"] == "ValueError"
    root = sinks.span("invoke_agent weather-agent")
    assert root.status.status_code is (StatusCode.ERROR if was_raised else StatusCode.UNSET)


def test_runs_side_by_side(sinks: Sinks) -> None:
    """Each is a trace of its own, whole: from tasks, from threads and from a batch."""

    async def main(agent: Any) -> None:
        await asyncio.gather(*(agent.ainvoke(QUESTION, {"configurable": {"thread_id": f"a{n}"}}) for n in range(5)))

    with FakeProvider(answers=[ANSWERS]) as provider:
        agent = an_agent(provider, get_weather)
        asyncio.run(main(agent))
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda n: agent.invoke(QUESTION, {"configurable": {"thread_id": f"t{n}"}}), range(5)))
        agent.batch([QUESTION] * 3, [{"configurable": {"thread_id": f"b{n}"}} for n in range(3)])

    by_trace: dict[int, list[Any]] = {}
    for span in sinks.spans():
        by_trace.setdefault(span.context.trace_id, []).append(span)
    node = model_node()
    assert (
        sorted(tuple(span.name for span in spans) for spans in by_trace.values())
        == [("invoke_agent weather-agent", node, "chat gpt-5-mini")] * 13
    )
    threads = [{said(span)["gen_ai.conversation.id"] for span in spans} for spans in by_trace.values()]
    assert all(len(found) == 1 for found in threads)
    assert len(set.union(*threads)) == 13


def test_streams_that_are_given_up(sinks: Sinks) -> None:
    async def main(provider: FakeProvider) -> None:
        stream = a_chain(provider).astream({"a": "x"})
        await anext(stream)
        await stream.aclose()

    with FakeProvider(answers=[Answer(Usage(1, 1), "a b c d e f g")]) as provider:
        asyncio.run(main(provider))
        stream = a_chain(provider).stream({"a": "x"})
        next(stream)
        stream.close()
        next(a_chain(provider).stream({"a": "x"}))
        gc.collect()

    assert len(LangChainInstrumentor().runs) == 0
    assert {span.status.status_code for span in sinks.spans()} <= {StatusCode.UNSET}


def test_nothing_grows_and_nothing_is_logged(sinks: Sinks, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), FakeProvider(answers=[ANSWERS]) as provider:
        chain = a_chain(provider)
        for _ in range(50):
            chain.invoke({"a": "x"})

    assert len(LangChainInstrumentor().runs) == 0
    assert len(sinks.spans()) == 100
    assert caplog.records == []


def test_letting_go(sinks: Sinks) -> None:
    LangChainInstrumentor().uninstrument()
    OpenAIInstrumentor().uninstrument()
    with FakeProvider(answers=[ANSWERS]) as provider:
        a_chain(provider).invoke({"a": "x"})

    assert sinks.spans() == []
