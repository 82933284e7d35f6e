"""Google's Agent Development Kit: its own spans, without content, and no second ones of the SDK below."""

import asyncio

import pytest

pytest.importorskip("google.adk")

from google.adk.agents import Agent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.runners import InMemoryRunner
from google.genai import types
from telemetry_sinks import Sinks, said
from weather_agent import ANSWERS, SAID, get_weather

from agentvigil.instrumentations.google_adk import VARIABLE, GoogleADKInstrumentor
from agentvigil.instrumentations.google_genai import GoogleGenAIInstrumentor
from agentvigil.instrumentations.telemetry import content
from agentvigil.testing import FakeProvider


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("GOOGLE_API_KEY", "x")


def ask(sinks: Sinks, monkeypatch: pytest.MonkeyPatch, mode: StreamingMode = StreamingMode.NONE) -> None:
    async def main() -> None:
        agent = Agent(name="weather", model="gemini-2.5-flash", instruction="canary-instructions", tools=[get_weather])
        runner = InMemoryRunner(agent=agent, app_name="app")
        session = await runner.session_service.create_session(app_name="app", user_id="u")
        asked = types.Content(role="user", parts=[types.Part(text="canary-question")])
        config = RunConfig(streaming_mode=mode)
        async for _ in runner.run_async(user_id="u", session_id=session.id, new_message=asked, run_config=config):
            pass

    with sinks.fed_by(GoogleADKInstrumentor(), GoogleGenAIInstrumentor()), FakeProvider(answers=ANSWERS) as provider:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", provider.google_url)
        asyncio.run(main())


@pytest.mark.parametrize("mode", [StreamingMode.NONE, StreamingMode.SSE])
def test_an_agent_with_a_tool(global_sinks: Sinks, monkeypatch: pytest.MonkeyPatch, mode: StreamingMode) -> None:
    ask(global_sinks, monkeypatch, mode)

    spans = [said(span) for span in global_sinks.spans()]
    calls = [span for span in spans if span.get("gen_ai.operation.name") == "generate_content"]
    assert [call["gen_ai.usage.input_tokens"] for call in calls] == [89, 144]
    assert [call["gen_ai.response.finish_reasons"] for call in calls] == [("tool_call",), ("stop",)]
    assert {span.instrumentation_scope.name for span in global_sinks.spans()} == {"gcp.vertex.agent"}
    assert "canary" not in global_sinks.everything()


def test_content_where_it_is_asked_for(global_sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(content.VARIABLE, "SPAN_ONLY")
    ask(global_sinks, monkeypatch)

    assert [text for text in SAID if text not in global_sinks.everything()] == []
