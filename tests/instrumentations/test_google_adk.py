"""Google's Agent Development Kit: its own spans, without content, and no second ones of the SDK below."""

import asyncio
from collections.abc import Iterator

import pytest
from opentelemetry import trace

pytest.importorskip("google.adk")

from google.adk.agents import Agent
from google.adk.runners import InMemoryRunner
from google.genai import types
from telemetry_sinks import Sinks, said

from agentvigil.instrumentations.google_adk import VARIABLE, GoogleADKInstrumentor
from agentvigil.instrumentations.google_genai import GoogleGenAIInstrumentor
from agentvigil.testing import Answer, FakeProvider, ToolCall, Usage

ANSWERS = [
    Answer(Usage(89, 23), tool_calls=[ToolCall("get_weather", {"city": "canary-argument"})]),
    Answer(Usage(144, 31), "canary-answer"),
]


@pytest.fixture
def sinks(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sinks]:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", sinks.tracer_provider)  # where the framework's own spans go
    monkeypatch.delenv(VARIABLE, raising=False)
    instrumentors = [GoogleADKInstrumentor(), GoogleGenAIInstrumentor()]
    for instrumentor in instrumentors:
        instrumentor.instrument(**sinks.providers)
    yield sinks
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"canary-result {city}"


def test_an_agent_with_a_tool(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        agent = Agent(name="weather", model="gemini-2.5-flash", instruction="canary", tools=[get_weather])
        runner = InMemoryRunner(agent=agent, app_name="app")
        session = await runner.session_service.create_session(app_name="app", user_id="u")
        asked = types.Content(role="user", parts=[types.Part(text="canary-question")])
        async for _ in runner.run_async(user_id="u", session_id=session.id, new_message=asked):
            pass

    monkeypatch.setenv("GOOGLE_API_KEY", "x")
    with FakeProvider(answers=ANSWERS) as provider:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", provider.google_url)
        asyncio.run(main())

    calls = [span for span in sinks.spans() if said(span).get("gen_ai.operation.name") == "generate_content"]
    assert [said(call)["gen_ai.usage.input_tokens"] for call in calls] == [89, 144]
    assert {span.instrumentation_scope.name for span in sinks.spans()} == {"gcp.vertex.agent"}
    assert "canary" not in sinks.everything()
