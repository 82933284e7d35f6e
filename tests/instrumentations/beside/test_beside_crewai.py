"""CrewAI beside other instrumentations of it, and of OpenAI's SDK below: all is told, and nothing twice."""

import atexit
import os
import shutil
import tempfile
from typing import Any

import pytest

os.environ["CREWAI_STORAGE_DIR"] = tempfile.mkdtemp(prefix="agentvigil-crewai-")
atexit.register(shutil.rmtree, os.environ["CREWAI_STORAGE_DIR"], ignore_errors=True)
os.environ["CREWAI_DISABLE_TELEMETRY"] = "true"
os.environ["CREWAI_TRACING_ENABLED"] = "false"
crewai = pytest.importorskip("crewai")

from crewai.tools import tool
from side_by_side import ORDERS, at_work, calls, installed, pairs
from telemetry_sinks import Sinks

from agentvigil.instrumentations.crewai import CrewAIInstrumentor
from agentvigil.instrumentations.openai import OpenAIInstrumentor
from agentvigil.instrumentations.rivals import Rival
from agentvigil.testing import Answer, FakeProvider, ToolCall, Usage

ANSWERS = [
    Answer(Usage(89, 23), tool_calls=[ToolCall("get_weather", {"city": "Paris"})]),
    Answer(Usage(144, 31), "It is sunny."),
]
OURS = "agentvigil.instrumentations.crewai"
SDK = "agentvigil.instrumentations.openai"


@tool("get_weather")
def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


def use_crewai(provider: FakeProvider, **more: Any) -> int:
    llm = crewai.LLM(model="openai/gpt-5-mini", base_url=provider.openai_url, api_key="x", **more)
    agent = crewai.Agent(role="Forecaster", goal="g", backstory="b", llm=llm, tools=[get_weather])
    task = crewai.Task(description="d", expected_output="o", agent=agent, name="forecast")
    crewai.Crew(name="weather", agents=[agent], tasks=[task]).kickoff()
    return len(provider.calls())


@ORDERS
@pairs("crewai")
def test_of_the_same_framework(sinks: Sinks, framework: str, rival: Rival, is_first: bool) -> None:
    """Theirs tell of crews, agents and tools. They leave out the calls of models, which the SDK's tells."""
    theirs = installed(rival)
    with (
        at_work(sinks, theirs, CrewAIInstrumentor(), OpenAIInstrumentor(), is_first=is_first),
        FakeProvider(answers=ANSWERS) as provider,
    ):
        made = use_crewai(provider)

    assert made == 2
    assert calls(sinks) == [SDK] * made
    scopes = {span.instrumentation_scope.name for span in sinks.spans()}
    assert scopes - {SDK} == {scope for scope in scopes if scope.startswith(rival.module)} != set()


@ORDERS
@pairs("openai")
@pytest.mark.parametrize("api", ["completions", "responses"])
def test_of_the_sdk_below(sinks: Sinks, framework: str, rival: Rival, api: str, is_first: bool) -> None:
    """One of them does not know of responses: then ours tells of these as well."""
    with (
        at_work(sinks, installed(rival), CrewAIInstrumentor(), is_first=is_first),
        FakeProvider(answers=ANSWERS) as provider,
    ):
        made = use_crewai(provider, api=api)

    assert made == 2
    assert len(calls(sinks)) == made
    others = [span.name for span in sinks.spans() if span.instrumentation_scope.name == OURS]
    assert [name for name in others if not name.startswith("chat ")] == [
        "invoke_workflow weather",
        "forecast",
        "invoke_agent Forecaster",
        "execute_tool get_weather",
    ]
