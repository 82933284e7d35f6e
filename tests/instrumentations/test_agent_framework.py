"""Microsoft Agent Framework: its own spans, switched on, without content, and no second ones of the SDK below."""

import asyncio
from collections.abc import Iterator

import pytest
from opentelemetry import trace

pytest.importorskip("agent_framework")

from agent_framework import Agent
from agent_framework.openai import OpenAIChatClient
from telemetry_sinks import Sinks, said

from agentvigil.instrumentations.agent_framework import AgentFrameworkInstrumentor
from agentvigil.instrumentations.openai import OpenAIInstrumentor
from agentvigil.testing import Answer, FakeProvider, ToolCall, Usage

ANSWERS = [
    Answer(Usage(89, 23), tool_calls=[ToolCall("get_weather", {"city": "canary-argument"})]),
    Answer(Usage(144, 31), "canary-answer"),
]


@pytest.fixture
def sinks(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sinks]:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", sinks.tracer_provider)  # where the framework's own spans go
    instrumentors = [AgentFrameworkInstrumentor(), OpenAIInstrumentor()]
    for instrumentor in instrumentors:
        instrumentor.instrument(**sinks.providers)
    yield sinks
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"canary-result {city}"


def test_an_agent_with_a_tool(sinks: Sinks) -> None:
    async def main(provider: FakeProvider) -> None:
        client = OpenAIChatClient(model="gpt-5-mini", api_key="x", base_url=provider.openai_url)
        await Agent(client=client, name="weather", instructions="canary", tools=[get_weather]).run("canary-question")

    with FakeProvider(answers=ANSWERS) as provider:
        asyncio.run(main(provider))

    names = [span.name for span in sinks.spans()]
    assert names == ["invoke_agent weather", "chat gpt-5-mini", "execute_tool get_weather", "chat gpt-5-mini"]
    chats = [said(span) for span in sinks.spans() if span.name.startswith("chat")]
    assert [chat["gen_ai.usage.input_tokens"] for chat in chats] == [89, 144]
    assert "canary" not in sinks.everything()
