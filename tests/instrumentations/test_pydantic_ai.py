"""Pydantic AI: its own spans, switched on, and no second ones of the SDK below."""

from collections.abc import Iterator
from typing import Any

import pytest

pydantic_ai = pytest.importorskip("pydantic_ai")

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from telemetry_sinks import Sinks, said
from weather_agent import ANSWERS, get_weather

from agentvigil.instrumentations.openai import OpenAIInstrumentor
from agentvigil.instrumentations.pydantic_ai import PydanticAIInstrumentor
from agentvigil.testing import FakeProvider


@pytest.fixture
def sinks(sinks: Sinks) -> Iterator[Sinks]:
    with sinks.fed_by(PydanticAIInstrumentor(), OpenAIInstrumentor()):
        yield sinks


def run(provider: FakeProvider, *, instrument: Any = None) -> None:
    model = OpenAIChatModel("gpt-5-mini", provider=OpenAIProvider(base_url=provider.openai_url, api_key="x"))
    agent = Agent(model, name="weather")
    if instrument is not None:
        agent.instrument = instrument

    agent.tool_plain(get_weather)
    agent.run_sync("canary-question")


def test_an_agent_with_a_tool(sinks: Sinks) -> None:
    with FakeProvider(answers=ANSWERS) as provider:
        run(provider)

    chats = [said(span) for span in sinks.spans() if span.name.startswith("chat")]
    assert [chat["gen_ai.usage.input_tokens"] for chat in chats] == [89, 144]
    assert {span.instrumentation_scope.name for span in sinks.spans()} == {"pydantic-ai"}
    assert len([span for span in sinks.spans() if span.name.startswith("invoke_agent")]) == 1
    assert len([span for span in sinks.spans() if span.name.startswith("execute_tool")]) == 1
    assert "canary" not in sinks.everything()


def test_an_agent_that_says_otherwise(sinks: Sinks) -> None:
    OpenAIInstrumentor().uninstrument()
    with FakeProvider(answers=ANSWERS) as provider:
        run(provider, instrument=False)

    assert sinks.spans() == []
