"""Strands Agents: its own spans, without content, and no second ones of the SDK below."""

import os
import warnings

import pytest

pytest.importorskip("strands")

from pydantic import BaseModel
from strands import Agent, tool
from strands.models.openai import OpenAIModel
from strands.telemetry import tracer
from telemetry_sinks import Sinks, said
from weather_agent import ANSWERS, SAID, get_weather

from agentvigil.instrumentations.openai import OpenAIInstrumentor
from agentvigil.instrumentations.strands import VARIABLE, StrandsInstrumentor
from agentvigil.instrumentations.telemetry import content
from agentvigil.testing import Answer, FakeProvider, Usage


@pytest.fixture(autouse=True)
def fresh_tracer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strands reads the environment once in a process."""
    monkeypatch.setattr(tracer, "_tracer_instance", None)
    monkeypatch.delenv(VARIABLE, raising=False)


class Place(BaseModel):
    """Where the weather is."""

    city: str


def an_agent(provider: FakeProvider) -> Agent:
    model = OpenAIModel(client_args={"base_url": provider.openai_url, "api_key": "x"}, model_id="gpt-5-mini")
    return Agent(
        name="weather",
        model=model,
        tools=[tool(get_weather)],
        system_prompt="canary-instructions",
        callback_handler=None,
        trace_attributes={"session.id": "s-1"},
    )


def ask(sinks: Sinks, answers: list[Answer] = ANSWERS) -> None:
    with sinks.fed_by(StrandsInstrumentor(), OpenAIInstrumentor()), FakeProvider(answers=answers) as provider:
        an_agent(provider)("canary-question")


@pytest.mark.parametrize("opted_in", ["", "gen_ai_latest_experimental", "gen_ai_span_attributes_only,http"])
def test_an_agent_with_a_tool(global_sinks: Sinks, monkeypatch: pytest.MonkeyPatch, opted_in: str) -> None:
    monkeypatch.setenv(VARIABLE, opted_in)
    ask(global_sinks)

    cycle = ["execute_event_loop_cycle", "chat"]
    names = [span.name for span in global_sinks.spans()]
    assert names == ["invoke_agent weather", *cycle, "execute_tool get_weather", *cycle]
    chats = [said(span) for span in global_sinks.spans() if span.name == "chat"]
    assert [chat["gen_ai.usage.input_tokens"] for chat in chats] == [89, 144]
    assert [chat["gen_ai.response.finish_reasons"] for chat in chats] == [("tool_call",), ("stop",)]
    assert {span.instrumentation_scope.name for span in global_sinks.spans()} == {"strands.telemetry.tracer"}
    assert "canary" not in global_sinks.everything()


def test_input_is_counted_with_what_a_cache_gave(global_sinks: Sinks) -> None:
    ask(global_sinks, [Answer(Usage(1200, 345, cache_read=1000, reasoning=120), "canary-answer")])

    for name in ("chat", "invoke_agent weather"):
        counted = said(global_sinks.span(name))
        assert counted["gen_ai.usage.input_tokens"] == 1200
        assert counted["gen_ai.usage.cache_read.input_tokens"] == 1000
        assert counted["gen_ai.usage.output_tokens"] == 345


def test_memories_and_structured_output(global_sinks: Sinks) -> None:
    place = [Answer(Usage(20, 5), '{"city": "canary-answer"}')]
    with global_sinks.fed_by(StrandsInstrumentor()), FakeProvider(answers=place) as provider:
        agent = an_agent(provider)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            assert agent.structured_output(Place, "canary-question") == Place(city="canary-answer")
        span = agent.tracer.start_memory_search_span(query="canary-question", store_names=["notes"])
        agent.tracer.end_memory_search_span(span, [])

    assert [span.name for span in global_sinks.spans()] == ["execute_structured_output", "memory.search"]
    assert "canary" not in global_sinks.everything()


def test_content_where_it_is_asked_for(global_sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(content.VARIABLE, "SPAN_ONLY")
    ask(global_sinks)

    assert [text for text in SAID if text not in global_sinks.everything()] == []


def test_a_program_that_redacts_by_itself_has_chosen(global_sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "gen_ai_unredacted_attributes=gen_ai.output.*")
    ask(global_sinks)

    assert "canary-answer" in global_sinks.everything()
    assert "canary-question" not in global_sinks.everything()


def test_letting_go(global_sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "http")
    with global_sinks.fed_by(StrandsInstrumentor()):
        pass
    with FakeProvider(answers=ANSWERS) as provider:
        an_agent(provider)("canary-question")

    assert os.environ[VARIABLE] == "http"
    assert [text for text in SAID if text not in global_sinks.everything()] == []
