"""Beside other instrumentations of the same framework, or of the one below: each call of a model has one span.

All of them are really installed and at work. `make matrix` makes the environment for it.
"""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace

pytest.importorskip("openinference.instrumentation.openai")
pytest.importorskip("opentelemetry.instrumentation.genai.openai")

import anthropic
import openai
from agents import Agent, OpenAIResponsesModel, RunConfig, Runner, set_trace_processors
from langchain_openai import ChatOpenAI
from telemetry_sinks import Sinks, said

from agentvigil.instrumentations.anthropic import AnthropicInstrumentor
from agentvigil.instrumentations.langchain import LangChainInstrumentor
from agentvigil.instrumentations.openai import OpenAIInstrumentor
from agentvigil.instrumentations.openai_agents import OpenAIAgentsInstrumentor
from agentvigil.testing import Answer, FakeProvider, Usage

ANSWERS = [Answer(Usage(21, 9), "a b c")]
OURS: dict[str, Any] = {
    "openai": OpenAIInstrumentor,
    "anthropic": AnthropicInstrumentor,
    "langchain": LangChainInstrumentor,
    "openai_agents": OpenAIAgentsInstrumentor,
}
THEIRS = {
    "openai": [
        ("opentelemetry.instrumentation.genai.openai", "OpenAIInstrumentor"),
        ("openinference.instrumentation.openai", "OpenAIInstrumentor"),
        ("opentelemetry.instrumentation.openai", "OpenAIInstrumentor"),
    ],
    "anthropic": [
        ("opentelemetry.instrumentation.genai.anthropic", "AnthropicInstrumentor"),
        ("openinference.instrumentation.anthropic", "AnthropicInstrumentor"),
        ("opentelemetry.instrumentation.anthropic", "AnthropicInstrumentor"),
    ],
    "langchain": [
        ("opentelemetry.instrumentation.genai.langchain", "LangChainInstrumentor"),
        ("openinference.instrumentation.langchain", "LangChainInstrumentor"),
        ("opentelemetry.instrumentation.langchain", "LangchainInstrumentor"),
    ],
    "openai_agents": [
        ("opentelemetry.instrumentation.genai.openai_agents", "OpenAIAgentsInstrumentor"),
        ("openinference.instrumentation.openai_agents", "OpenAIAgentsInstrumentor"),
        ("opentelemetry.instrumentation.openai_agents", "OpenAIAgentsInstrumentor"),
    ],
}
LEAVE_SOMETHING_BEHIND = {"opentelemetry.instrumentation.langchain"}
"""Not all of what it wraps it unwraps, so it gets a process of its own."""
ISOLATED = "AGENTVIGIL_TEST_ISOLATED"
IS_CALL = {
    "gen_ai.operation.name": {"chat", "text_completion"},
    "openinference.span.kind": {"LLM"},
    "llm.request.type": {"chat"},
}


def calls(sinks: Sinks) -> list[str]:
    """Who made the spans of calls of models."""
    return [
        span.instrumentation_scope.name
        for span in sinks.spans()
        if any(said(span).get(key) in values for key, values in IS_CALL.items())
    ]


def use_openai(provider: FakeProvider) -> int:
    sdk = openai.OpenAI(base_url=provider.openai_url, api_key="x")
    messages: Any = [{"role": "user", "content": "x"}]
    sdk.chat.completions.create(model="gpt-5-mini", messages=messages)
    list(sdk.chat.completions.create(model="gpt-5-mini", messages=messages, stream=True))
    sdk.responses.create(model="gpt-5-mini", input="x")
    return 3


def use_anthropic(provider: FakeProvider) -> int:
    sdk = anthropic.Anthropic(base_url=provider.anthropic_url, api_key="x")
    messages: Any = [{"role": "user", "content": "x"}]
    sdk.messages.create(model="claude-sonnet-4-5", max_tokens=9, messages=messages)
    list(sdk.messages.create(model="claude-sonnet-4-5", max_tokens=9, messages=messages, stream=True))
    return 2


def use_langchain(provider: FakeProvider) -> int:
    model = ChatOpenAI(model="gpt-5-mini", base_url=provider.openai_url, api_key="x")
    model.invoke("x")
    list(model.stream("x"))
    return 2


def use_agents(provider: FakeProvider) -> int:
    sdk = openai.AsyncOpenAI(base_url=provider.openai_url, api_key="x")
    agent = Agent(name="a", model=OpenAIResponsesModel(model="gpt-5-mini", openai_client=sdk))
    Runner.run_sync(agent, "x", run_config=RunConfig())
    return 1


USES: dict[str, Callable[[FakeProvider], int]] = {
    "openai": use_openai,
    "anthropic": use_anthropic,
    "langchain": use_langchain,
    "openai_agents": use_agents,
}


@pytest.fixture
def sinks(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sinks]:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", sinks.tracer_provider)
    set_trace_processors([])
    yield sinks
    for instrumentor in OURS.values():
        if instrumentor().is_instrumented_by_opentelemetry:
            instrumentor().uninstrument()


@pytest.mark.parametrize("is_first", [True, False], ids=["theirs first", "ours first"])
@pytest.mark.parametrize(
    ("framework", "module", "name"),
    [(framework, *rival) for framework, rivals in THEIRS.items() for rival in rivals],
)
def test_of_the_same_framework(
    sinks: Sinks, request: pytest.FixtureRequest, framework: str, module: str, name: str, is_first: bool
) -> None:
    """Ours makes none then; and what is below, ours too, makes no second one."""
    if module in LEAVE_SOMETHING_BEHIND and ISOLATED not in os.environ:
        case = f"{Path(__file__)}::{request.node.name}"
        command = [sys.executable, "-m", "pytest", "-q", f"--confcutdir={Path(__file__).parents[1]}", case]
        subprocess.run(command, env={**os.environ, ISOLATED: "1"}, timeout=120, check=True)
        return
    theirs = getattr(importlib.import_module(module), name)()
    below = [OpenAIInstrumentor()] if framework in ("langchain", "openai_agents") else []
    ours = [OURS[framework](), *below]
    order = [theirs, *ours] if is_first else [*ours, theirs]
    for instrumentor in order:
        instrumentor.instrument(tracer_provider=sinks.tracer_provider)
    try:
        with FakeProvider(answers=ANSWERS) as provider:
            made = USES[framework](provider)
    finally:
        for instrumentor in reversed(order):  # unwrapping takes the outermost wrapper, whosever it is
            instrumentor.uninstrument()

    assert len(calls(sinks)) in ((made,) if framework != "openai_agents" else (made, 0))
    if framework in ("openai", "anthropic"):
        assert {scope.startswith("agentvigil") for scope in calls(sinks)} == {False}


@pytest.mark.parametrize(("module", "name"), THEIRS["openai"])
@pytest.mark.parametrize("framework", ["langchain", "openai_agents"])
def test_of_the_sdk_below(sinks: Sinks, framework: str, module: str, name: str) -> None:
    theirs = getattr(importlib.import_module(module), name)()
    theirs.instrument(tracer_provider=sinks.tracer_provider)
    OURS[framework]().instrument(**sinks.providers)
    try:
        with FakeProvider(answers=ANSWERS) as provider:
            made = USES[framework](provider)
    finally:
        theirs.uninstrument()

    assert len(calls(sinks)) == made
