"""Microsoft Agent Framework: its own spans, switched on, without content, and no second ones of the SDK below."""

import asyncio

import pytest

pytest.importorskip("agent_framework")

from agent_framework import Agent
from agent_framework.openai import OpenAIChatClient
from telemetry_sinks import Sinks, said
from weather_agent import ANSWERS, SAID, get_weather

from agentvigil.instrumentations.agent_framework import AgentFrameworkInstrumentor
from agentvigil.instrumentations.openai import OpenAIInstrumentor
from agentvigil.instrumentations.telemetry.content import VARIABLE
from agentvigil.testing import FakeProvider


def ask(sinks: Sinks) -> None:
    async def main(provider: FakeProvider) -> None:
        client = OpenAIChatClient(model="gpt-5-mini", api_key="x", base_url=provider.openai_url)
        agent = Agent(client=client, name="weather", instructions="canary-instructions", tools=[get_weather])
        await agent.run("canary-question")

    with sinks.fed_by(AgentFrameworkInstrumentor(), OpenAIInstrumentor()), FakeProvider(answers=ANSWERS) as provider:
        asyncio.run(main(provider))


def test_an_agent_with_a_tool(global_sinks: Sinks) -> None:
    ask(global_sinks)

    names = [span.name for span in global_sinks.spans()]
    assert names == ["invoke_agent weather", "chat gpt-5-mini", "execute_tool get_weather", "chat gpt-5-mini"]
    chats = [said(span) for span in global_sinks.spans() if span.name.startswith("chat")]
    assert [chat["gen_ai.usage.input_tokens"] for chat in chats] == [89, 144]
    assert "canary" not in global_sinks.everything()


def test_content_where_it_is_asked_for(global_sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "SPAN_ONLY")
    ask(global_sinks)

    assert [text for text in SAID if text not in global_sinks.everything()] == []
