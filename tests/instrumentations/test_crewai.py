"""CrewAI: crews, tasks, agents, tools and flows as one tree; with OpenAI's SDK below instrumented or not."""

import asyncio
import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

# CrewAI keeps what its tasks gave in a database, which two processes must not share.
os.environ["CREWAI_STORAGE_DIR"] = tempfile.mkdtemp(prefix="agentvigil-crewai-")
atexit.register(shutil.rmtree, os.environ["CREWAI_STORAGE_DIR"], ignore_errors=True)
os.environ["CREWAI_DISABLE_TELEMETRY"] = "true"
os.environ["CREWAI_TRACING_ENABLED"] = "false"
crewai = pytest.importorskip("crewai")

from crewai.flow.flow import Flow, listen, start
from crewai.knowledge.knowledge import Knowledge
from crewai.knowledge.storage.knowledge_storage import KnowledgeStorage
from crewai.tools import tool
from telemetry_sinks import Sinks, said

from agentvigil.instrumentations.crewai import CrewAIInstrumentor
from agentvigil.instrumentations.openai import OpenAIInstrumentor
from agentvigil.instrumentations.threads import ThreadsInstrumentor
from agentvigil.testing import Answer, FakeProvider, RecordedProvider, ToolCall, Usage

CASSETTES = Path(__file__).parents[1] / "testdata" / "cassettes" / "crewai"
CALLS_TOOL = Answer(Usage(89, 23), tool_calls=[ToolCall("get_weather", {"city": "canary-argument"})])
ANSWERS = Answer(Usage(144, 31, cache_read=100), "canary-answer: sunny.")


@pytest.fixture(params=[True, False], ids=["with OpenAI's SDK watched", "without"])
def sinks(sinks: Sinks, request: pytest.FixtureRequest) -> Iterator[Sinks]:
    instrumentors = [CrewAIInstrumentor(), ThreadsInstrumentor(), *([OpenAIInstrumentor()] if request.param else [])]
    for instrumentor in instrumentors:
        instrumentor.instrument(**sinks.providers)
    yield sinks
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


@tool("get_weather")
def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"canary-result {city}"


@tool("scrape_website")
def scrape_website(url: str) -> str:
    """Scrape text from a website."""
    return f"canary-result {url}"


def an_agent(
    provider: FakeProvider | RecordedProvider, role: str = "Forecaster", model: str = "gpt-5-mini", **more: Any
) -> Any:
    llm = crewai.LLM(model=f"openai/{model}", base_url=provider.openai_url, api_key="x")
    return crewai.Agent(role=role, goal="canary-goal", backstory="canary-backstory", llm=llm, **more)


def a_task(agent: Any, **more: Any) -> Any:
    return crewai.Task(description="canary-description", expected_output="canary-output", agent=agent, **more)


def a_crew(provider: FakeProvider, **more: Any) -> Any:
    forecaster, writer = an_agent(provider, tools=[get_weather]), an_agent(provider, "Writer")
    tasks = [a_task(forecaster, name="forecast"), a_task(writer)]
    return crewai.Crew(name="weather", agents=[forecaster, writer], tasks=tasks, **more)


TREE = [
    ("invoke_workflow weather", ""),
    ("forecast", "invoke_workflow weather"),
    ("invoke_agent Forecaster", "forecast"),
    ("chat gpt-5-mini", "invoke_agent Forecaster"),
    ("execute_tool get_weather", "invoke_agent Forecaster"),
    ("chat gpt-5-mini", "invoke_agent Forecaster"),
    ("task", "invoke_workflow weather"),
    ("invoke_agent Writer", "task"),
    ("chat gpt-5-mini", "invoke_agent Writer"),
]


def test_a_crew(sinks: Sinks) -> None:
    with FakeProvider(answers=[CALLS_TOOL, ANSWERS]) as provider:
        result = a_crew(provider).kickoff()
        told = [(call.input, call.output) for call in provider.calls()]

    assert result.raw == ANSWERS.text
    assert sinks.tree() == TREE
    chats = [said(span) for span in sinks.spans() if span.name.startswith("chat")]
    assert [(chat["gen_ai.usage.input_tokens"], chat["gen_ai.usage.output_tokens"]) for chat in chats] == told
    if OpenAIInstrumentor().is_instrumented_by_opentelemetry:  # older versions of CrewAI do not tell themselves
        assert chats[1]["gen_ai.usage.cache_read.input_tokens"] == 100
    assert {chat["gen_ai.provider.name"] for chat in chats} == {"openai"}
    assert said(sinks.span("execute_tool get_weather"))["gen_ai.agent.name"] == "Forecaster"
    assert "canary" not in sinks.everything()


def test_a_crew_asynchronously(sinks: Sinks) -> None:
    async def main(provider: FakeProvider) -> None:
        await a_crew(provider).kickoff_async()

    with FakeProvider(answers=[CALLS_TOOL, ANSWERS]) as provider:
        asyncio.run(main(provider))

    assert sinks.tree() == TREE


def test_content_only_if_it_is_wanted(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    with FakeProvider(answers=[CALLS_TOOL, ANSWERS]) as provider:
        a_crew(provider).kickoff()

    assert "canary-result" in said(sinks.span("execute_tool get_weather"))["gen_ai.tool.call.result"]
    assert "canary-answer" in said(sinks.spans()[0])["gen_ai.output.messages"]


def test_tasks_in_threads_are_in_the_same_trace(sinks: Sinks) -> None:
    with FakeProvider(answers=[ANSWERS]) as provider:
        agents = [an_agent(provider, "One"), an_agent(provider, "Two")]
        tasks = [a_task(agents[0], name="one", async_execution=True), a_task(agents[1], name="two")]
        crewai.Crew(name="weather", agents=agents, tasks=tasks).kickoff()

    assert sorted(sinks.tree()) == sorted(
        [
            ("invoke_workflow weather", ""),
            *((name, "invoke_workflow weather") for name in ("one", "two")),
            ("invoke_agent One", "one"),
            ("invoke_agent Two", "two"),
            ("chat gpt-5-mini", "invoke_agent One"),
            ("chat gpt-5-mini", "invoke_agent Two"),
        ]
    )


def test_a_flow_with_a_crew(sinks: Sinks) -> None:
    with FakeProvider(answers=[ANSWERS]) as provider:

        class Forecast(Flow):
            @start()
            def prepare(self) -> str:
                return "canary"

            @listen(prepare)
            def ask(self, prepared: str) -> str:
                agent = an_agent(provider)
                return crewai.Crew(name="weather", agents=[agent], tasks=[a_task(agent)]).kickoff().raw

        assert Forecast().kickoff() == ANSWERS.text

    assert sinks.tree() == [
        ("invoke_workflow Forecast", ""),
        ("prepare", "invoke_workflow Forecast"),
        ("ask", "invoke_workflow Forecast"),
        ("invoke_workflow weather", "ask"),
        ("task", "invoke_workflow weather"),
        ("invoke_agent Forecaster", "task"),
        ("chat gpt-5-mini", "invoke_agent Forecaster"),
    ]
    assert "canary" not in sinks.everything()


def test_a_crew_for_each(sinks: Sinks) -> None:
    async def main(crew: Any) -> None:
        await crew.kickoff_for_each_async([{"n": 1}, {"n": 2}, {"n": 3}])

    with FakeProvider(answers=[ANSWERS]) as provider:
        agent = an_agent(provider)
        asyncio.run(main(crewai.Crew(name="weather", agents=[agent], tasks=[a_task(agent)])))

    by_trace: dict[int, list[str]] = {}
    for span in sinks.spans():
        by_trace.setdefault(span.context.trace_id, []).append(span.name)
    assert (
        list(by_trace.values())
        == [["invoke_workflow weather", "task", "invoke_agent Forecaster", "chat gpt-5-mini"]] * 3
    )


class Shelf(KnowledgeStorage):
    """What CrewAI searches in, without a vector store."""

    def search(self, query: list[str], **_: Any) -> list[Any]:
        return [{"id": word, "content": word, "score": 0.5, "metadata": {}} for word in query[0].split()]


@pytest.mark.parametrize("query", ["", "canary-1 canary-2"])
def test_how_many_documents_were_found_is_told_without_content(sinks: Sinks, query: str) -> None:
    Knowledge(collection_name="kb", sources=[], storage=Shelf()).query([query])

    assert said(sinks.span("retrieval knowledge"))["agentvigil.retrieval.document.count"] == len(query.split())
    assert "canary" not in sinks.everything()


def test_failing(sinks: Sinks) -> None:
    with FakeProvider(answers=[Answer(status=401)]) as provider, pytest.raises(Exception):  # noqa: B017 - the SDK's
        a_crew(provider).kickoff()

    assert sinks.spans()[0].status.status_code is StatusCode.ERROR
    assert {span.status.status_code for span in sinks.spans()} == {StatusCode.ERROR}


def test_letting_go(sinks: Sinks) -> None:
    for instrumentor in (CrewAIInstrumentor(), OpenAIInstrumentor()):
        instrumentor.uninstrument()
    with FakeProvider(answers=[CALLS_TOOL, ANSWERS]) as provider:
        a_crew(provider).kickoff()

    assert sinks.spans() == []


def recorded_chat(role: str, reason: str, told: tuple[int, int], identity: tuple[str, str]) -> dict[str, Any]:
    """What a call of the recorded model says; without OpenAI's SDK watched, CrewAI itself knows only its usage."""
    known = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4.1-nano",
        "gen_ai.agent.name": role,
        "gen_ai.usage.input_tokens": told[0],
        "gen_ai.usage.output_tokens": told[1],
    }
    if not OpenAIInstrumentor().is_instrumented_by_opentelemetry:
        return known
    return known | {
        "gen_ai.response.id": identity[0],
        "gen_ai.response.model": "gpt-4.1-nano-2025-04-14",
        "gen_ai.response.finish_reasons": (reason,),
        "openai.api.type": "chat_completions",
        "openai.response.service_tier": "default",
        "openai.response.system_fingerprint": identity[1],
        "server.address": "127.0.0.1",
    }


def test_a_recorded_crew(sinks: Sinks) -> None:
    """Real responses, with what the provider counted."""
    with RecordedProvider(CASSETTES / "test_crewai_instrumentation.yaml") as provider:
        scraper = an_agent(provider, "Website Scraper", "gpt-4.1-nano", tools=[scrape_website])
        analyzer = an_agent(provider, "Content Analyzer", "gpt-4.1-nano")
        tasks = [a_task(scraper, name="scrape"), a_task(analyzer, name="analyze")]
        crewai.Crew(name="quotes", agents=[scraper, analyzer], tasks=tasks).kickoff()

    assert sinks.tree() == [
        ("invoke_workflow quotes", ""),
        ("scrape", "invoke_workflow quotes"),
        ("invoke_agent Website Scraper", "scrape"),
        ("chat gpt-4.1-nano", "invoke_agent Website Scraper"),
        ("execute_tool scrape_website", "invoke_agent Website Scraper"),
        ("chat gpt-4.1-nano", "invoke_agent Website Scraper"),
        ("analyze", "invoke_workflow quotes"),
        ("invoke_agent Content Analyzer", "analyze"),
        ("chat gpt-4.1-nano", "invoke_agent Content Analyzer"),
    ]
    chats = [said(span) for span in sinks.spans() if span.name.startswith("chat")]
    assert len({chat.pop("server.port", None) for chat in chats}) == 1
    first, second = ("chatcmpl-DFqnTL8HiqhvV8cdz1JFay399KSNb", "chatcmpl-DFqnT1bzDktxh5l6ympqSlhnjMVxN")
    third = "chatcmpl-DFqnUMfumrcG4FHW8MXzPqwKql1WZ"
    assert chats == [
        recorded_chat("Website Scraper", "tool_call", (140, 24), (first, "fp_a9208292f0")),
        recorded_chat("Website Scraper", "stop", (235, 24), (second, "fp_b0b94f3709")),
        recorded_chat("Content Analyzer", "stop", (109, 23), (third, "fp_bd6a3c7cbd")),
    ]


def test_a_recorded_crew_in_a_flow(sinks: Sinks) -> None:
    with RecordedProvider(CASSETTES / "test_flow_crew_spans_in_same_trace.yaml") as provider:

        class Scraping(Flow):
            @start()
            def scrape(self) -> str:
                agent = an_agent(provider, "Website Scraper", "gpt-4.1-nano", tools=[scrape_website])
                return crewai.Crew(name="quotes", agents=[agent], tasks=[a_task(agent)]).kickoff().raw

        Scraping().kickoff()

    assert len({span.context.trace_id for span in sinks.spans()}) == 1
    chats = [said(span) for span in sinks.spans() if span.name.startswith("chat")]
    assert len({chat.pop("server.port", None) for chat in chats}) == 1
    first, second = ("chatcmpl-DFqnZuPYzgaGzcIeeVTEhFTWW7Mte", "chatcmpl-DFqna7nyWdizEkmveHDP0TWfHAoab")
    assert chats == [
        recorded_chat("Website Scraper", "tool_call", (140, 24), (first, "fp_a9208292f0")),
        recorded_chat("Website Scraper", "stop", (235, 35), (second, "fp_ef1a0bfaa0")),
    ]
