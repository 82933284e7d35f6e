"""OpenAI's Agents SDK: which spans there are and how they nest, errors up to the root, streams and tasks."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

agents = pytest.importorskip("agents")

from openai import AsyncOpenAI
from telemetry_sinks import Sinks, said

from agentvigil.instrumentations.openai import OpenAIInstrumentor
from agentvigil.instrumentations.openai_agents import OpenAIAgentsInstrumentor
from agentvigil.testing import Answer, FakeProvider, RecordedProvider, ToolCall, Usage

CASSETTES = Path(__file__).parents[1] / "testdata" / "cassettes" / "openai-agents"
CALLS_TOOL = Answer(Usage(89, 23), tool_calls=[ToolCall("get_weather", {"city": "canary-argument"})])
ANSWERS = Answer(Usage(144, 31, cache_read=100, reasoning=10), "canary-answer: sunny.")
MODELS = [agents.OpenAIResponsesModel, agents.OpenAIChatCompletionsModel]


@pytest.fixture(params=[True, False], ids=["with OpenAI's SDK watched", "without"])
def sinks(sinks: Sinks, request: pytest.FixtureRequest) -> Iterator[Sinks]:
    agents.set_trace_processors([])  # the SDK's own would send to its maker
    instrumentors = [OpenAIAgentsInstrumentor(), *([OpenAIInstrumentor()] if request.param else [])]
    for instrumentor in instrumentors:
        instrumentor.instrument(**sinks.providers)
    yield sinks
    for instrumentor in instrumentors:
        instrumentor.uninstrument()


@agents.function_tool
def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"canary-result {city}"


@agents.function_tool
def failing(city: str) -> str:
    """Fail."""
    raise ValueError("canary")


def tree(sinks: Sinks) -> list[tuple[str, str]]:
    """The tree, with calls of models by their operation alone: the SDK itself does not always know which it asked."""
    return [("chat" if name.startswith("chat") else name, parent) for name, parent in sinks.tree()]


def known(sinks: Sinks, expected: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What can be expected of this version of the SDK: older ones do not tell of turns."""
    if any(name == "turn" for name, _ in sinks.tree()):
        return expected
    found, agent = [], ""
    for name, parent in expected:
        if name == "turn":
            agent = parent
        else:
            found.append((name, agent if parent == "turn" else parent))
    return found


def chats(sinks: Sinks) -> list[dict[str, Any]]:
    return [said(span) for span in sinks.spans() if span.name.startswith("chat")]


def an_agent(
    provider: FakeProvider | RecordedProvider,
    name: str = "weather",
    kind: Any = MODELS[0],
    model: str = "gpt-5-mini",
    **more: Any,
) -> Any:
    sdk = AsyncOpenAI(base_url=provider.openai_url, api_key="x", max_retries=0)
    return agents.Agent(name=name, instructions="canary", model=kind(model=model, openai_client=sdk), **more)


@pytest.mark.parametrize("kind", MODELS)
def test_an_agent_with_a_tool(sinks: Sinks, kind: Any) -> None:
    config = agents.RunConfig(workflow_name="forecast", group_id="group-7")
    with FakeProvider(answers=[CALLS_TOOL, ANSWERS]) as provider:
        result = agents.Runner.run_sync(an_agent(provider, kind=kind, tools=[get_weather]), "canary", run_config=config)

    assert result.final_output == ANSWERS.text
    whole = [
        ("invoke_workflow forecast", ""),
        ("invoke_agent weather", "invoke_workflow forecast"),
        ("turn", "invoke_agent weather"),
        ("chat", "turn"),
        ("execute_tool get_weather", "turn"),
        ("turn", "invoke_agent weather"),
        ("chat", "turn"),
    ]
    assert tree(sinks) == known(sinks, whole)
    first, second = chats(sinks)
    assert first["gen_ai.usage.input_tokens"] == 89
    details = {"gen_ai.usage.cache_read.input_tokens": 100, "gen_ai.usage.reasoning.output_tokens": 10}
    if kind is agents.OpenAIChatCompletionsModel and known(sinks, whole) != whole:
        details = {}  # older versions of the SDK do not tell, and nobody else may be watching
    assert (
        second.items()
        >= {
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.input_tokens": 144,
            "gen_ai.usage.output_tokens": 31,
            **details,
            "gen_ai.agent.name": "weather",
            "gen_ai.conversation.id": "group-7",
        }.items()
    )
    assert "canary" not in sinks.everything()


def test_content_only_if_it_is_wanted(sinks: Sinks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    with FakeProvider(answers=[CALLS_TOOL, ANSWERS]) as provider:
        agents.Runner.run_sync(an_agent(provider, tools=[get_weather]), "canary-question")

    called = said(sinks.span("execute_tool get_weather"))
    assert called["gen_ai.tool.call.result"] == "canary-result canary-argument"
    first, second = chats(sinks)
    assert "canary-question" in first["gen_ai.input.messages"]
    assert "canary-answer" in second["gen_ai.output.messages"]


@pytest.mark.parametrize("kind", MODELS)
def test_a_streamed_run(sinks: Sinks, kind: Any) -> None:
    async def main(provider: FakeProvider) -> None:
        result = agents.Runner.run_streamed(an_agent(provider, kind=kind, tools=[get_weather]), "canary")
        assert not trace.get_current_span().get_span_context().is_valid
        async for _ in result.stream_events():
            assert not trace.get_current_span().get_span_context().is_valid

    with FakeProvider(answers=[CALLS_TOOL, ANSWERS]) as provider:
        asyncio.run(main(provider))

    assert len(chats(sinks)) == 2
    for chat in chats(sinks):  # where nobody asks for usage, the framework says 0
        assert chat.get("gen_ai.usage.input_tokens") != 0
    assert {span.context.trace_id for span in sinks.spans()} == {sinks.spans()[0].context.trace_id}
    assert len(OpenAIAgentsInstrumentor().processor) == 0


def test_a_handoff_and_a_failing_tool(sinks: Sinks) -> None:
    answers = [
        Answer(Usage(101, 11), tool_calls=[ToolCall("transfer_to_weather")]),
        Answer(Usage(55, 5), tool_calls=[ToolCall("failing", {"city": "x"})]),
        ANSWERS,
    ]
    with FakeProvider(answers=answers) as provider:
        specialist = an_agent(provider, tools=[failing])
        agents.Runner.run_sync(an_agent(provider, "front", handoffs=[specialist]), "canary")

    assert known(sinks, [("turn", "invoke_agent front"), ("handoff", "turn")])[-1] in sinks.tree()
    assert [pair for pair in sinks.tree() if pair[0].startswith("invoke_agent")] == [
        ("invoke_agent front", "invoke_workflow Agent workflow"),
        ("invoke_agent weather", "invoke_workflow Agent workflow"),
    ]
    failed = sinks.span("execute_tool failing")
    assert (failed.status.status_code, said(failed)["error.type"]) == (StatusCode.ERROR, "tool_error")
    assert sinks.span("invoke_workflow Agent workflow").status.status_code is StatusCode.UNSET
    assert "canary" not in sinks.everything()


def test_a_recorded_handoff(sinks: Sinks) -> None:
    """Real responses, with what the provider counted."""
    with RecordedProvider(CASSETTES / "test_agent_with_handoff_spans.yaml") as provider:
        specialist = an_agent(provider, "AgentA", model="gpt-4.1")
        agents.Runner.run_sync(an_agent(provider, "TriageAgent", model="gpt-4.1", handoffs=[specialist]), "canary")

    assert tree(sinks) == known(
        sinks,
        [
            ("invoke_workflow Agent workflow", ""),
            ("invoke_agent TriageAgent", "invoke_workflow Agent workflow"),
            ("turn", "invoke_agent TriageAgent"),
            ("chat", "turn"),
            ("handoff", "turn"),
            ("invoke_agent AgentA", "invoke_workflow Agent workflow"),
            ("turn", "invoke_agent AgentA"),
            ("chat", "turn"),
        ],
    )
    first, second = chats(sinks)
    both = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.response.model": "gpt-4.1-2025-04-14",
        "openai.response.service_tier": "default",
    }
    if OpenAIInstrumentor().is_instrumented_by_opentelemetry:
        both |= {"gen_ai.request.model": "gpt-4.1", "openai.api.type": "responses", "server.address": "127.0.0.1"}
        assert first.pop("server.port") == second.pop("server.port")
    assert first == both | {
        "gen_ai.agent.name": "TriageAgent",
        "gen_ai.response.id": "resp_689f74d139588191a462ea4e7046500307faccddfd4bb942",
        "gen_ai.response.finish_reasons": ("tool_call",),
        "gen_ai.usage.input_tokens": 159,
        "gen_ai.usage.output_tokens": 13,
    }
    assert second == both | {
        "gen_ai.agent.name": "AgentA",
        "gen_ai.response.id": "resp_689f74d20ec88191b7c982b9eafade0c07faccddfd4bb942",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 57,
        "gen_ai.usage.output_tokens": 36,
    }


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        pytest.param([Answer(status=429)], "openai.RateLimitError", id="the provider refuses"),
        pytest.param([CALLS_TOOL], "agents.exceptions.MaxTurnsExceeded", id="too many turns"),
    ],
)
def test_a_run_that_fails_is_an_error_up_to_its_root(sinks: Sinks, answers: list[Answer], error: str) -> None:
    with FakeProvider(answers=answers) as provider, pytest.raises(Exception):  # noqa: B017 - their own classes
        agents.Runner.run_sync(an_agent(provider, tools=[get_weather]), "x", max_turns=2)

    root = sinks.spans()[0]
    assert (root.name, root.status.status_code) == ("invoke_workflow Agent workflow", StatusCode.ERROR)
    assert said(root)["error.type"] == error


def test_a_guardrail_that_stops_a_run(sinks: Sinks) -> None:
    @agents.input_guardrail
    async def no_weather(context: Any, agent: Any, given: Any) -> Any:
        return agents.GuardrailFunctionOutput(output_info="canary", tripwire_triggered=True)

    with FakeProvider(answers=[ANSWERS]) as provider, pytest.raises(agents.InputGuardrailTripwireTriggered):
        agents.Runner.run_sync(an_agent(provider, input_guardrails=[no_weather]), "canary")

    guardrail = sinks.span("guardrail no_weather")
    assert [event.name for event in guardrail.events] == ["guardrail triggered"]
    assert sinks.spans()[0].status.status_code is StatusCode.ERROR


def test_runs_side_by_side(sinks: Sinks) -> None:
    async def main(provider: FakeProvider) -> None:
        await asyncio.gather(*(agents.Runner.run(an_agent(provider, f"a{n}"), "x") for n in range(5)))

    with FakeProvider(answers=[ANSWERS]) as provider:
        asyncio.run(main(provider))

    by_trace: dict[int, list[str]] = {}
    for span in sinks.spans():
        if span.name != "turn":
            by_trace.setdefault(span.context.trace_id, []).append(span.name.split(" gpt")[0])
    assert sorted(by_trace.values()) == [
        ["invoke_workflow Agent workflow", f"invoke_agent a{n}", "chat"] for n in range(5)
    ]
    assert len(OpenAIAgentsInstrumentor().processor) == 0


def test_a_run_inside_of_what_the_application_handles(sinks: Sinks) -> None:
    """An exception that was there before is none of the run's."""
    with FakeProvider(answers=[ANSWERS]) as provider:
        try:
            raise KeyError("earlier")  # noqa: TRY301 - what it is about
        except KeyError:
            agents.Runner.run_sync(an_agent(provider), "x")

    assert {span.status.status_code for span in sinks.spans()} == {StatusCode.UNSET}


def test_letting_go(sinks: Sinks) -> None:
    OpenAIAgentsInstrumentor().uninstrument()
    OpenAIInstrumentor().uninstrument()
    with FakeProvider(answers=[ANSWERS]) as provider:
        agents.Runner.run_sync(an_agent(provider), "x")

    assert sinks.spans() == []
