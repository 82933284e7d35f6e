"""The front door as a newcomer finds it: `opentelemetry-instrument python examples/X.py`, and SQL finds the run.

All examples run side by side against one server, each with a provider of its own whose usage is known.
"""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from server_process import Server, environment, until

from agentvigil.testing import Call, FakeProvider
from agentvigil.testing.scenarios import SCENARIOS

EXAMPLES = Path(__file__).parents[2] / "examples"
MODEL = "chat gpt-5-mini"


@dataclass(frozen=True)
class Expected:
    """What SQL has to find: of each run the type and name of its steps, and whose run it is."""

    steps: list[list[list[str]]]
    agent: str = ""
    session: str | None = ""
    scenario: str = "tool"
    model: str = "gpt-5-mini"
    provider: str = "openai"
    calls_of_tools: list[int] = field(default_factory=lambda: [1])


EXPECTED = {
    "front_door": Expected(
        [
            [
                ["plan", "choose a tool"],
                ["plan", MODEL],
                ["tool", "get_weather"],
                ["respond", "write"],
                ["respond", MODEL],
            ]
        ],
        agent="weather-desk",
        session="example-session",
    ),
    "langgraph_agent": Expected(
        [
            [
                ["other", "model"],
                ["plan", MODEL],
                ["other", "tools"],
                ["tool", "get_weather"],
                ["other", "model"],
                ["respond", MODEL],
            ]
        ],
        agent="weather-agent",
        session="example-thread",
    ),
    "openai_agents": Expected(
        [
            [
                ["other", "weather-agent"],
                ["other", "turn"],
                ["plan", MODEL],
                ["tool", "get_weather"],
                ["other", "turn"],
                ["respond", MODEL],
            ]
        ],
        agent="weather-agent",
    ),
    "pydantic_ai_agent": Expected(
        [[["plan", MODEL], ["tool", "get_weather"], ["respond", MODEL]]],
        agent="weather-agent",
        session=None,  # the framework makes one up
    ),
    # Programs without an agent: each call is a run of its own.
    "openai_chat": Expected([[["plan", MODEL]], [["respond", MODEL]]], calls_of_tools=[0, 0]),
    "anthropic_messages": Expected(
        [[["plan", "chat claude-sonnet-5"]], [["respond", "chat claude-sonnet-5"]]],
        model="claude-sonnet-5",
        provider="anthropic",
        calls_of_tools=[0, 0],
    ),
    "google_genai_content": Expected(
        [
            [["plan", "generate_content gemini-2.5-flash"]],
            [["tool", "get_weather"]],
            [["respond", "generate_content gemini-2.5-flash"]],
        ],
        model="gemini-2.5-flash",
        provider="google",
        calls_of_tools=[0, 1, 0],
    ),
}


@dataclass
class Ran:
    """A server that has what all examples sent, and what the providers told them."""

    server: Server
    calls: dict[str, list[Call]]

    def rows(self, query: str) -> list[dict[str, Any]]:
        address = f"http://{self.server.addresses['clickhouse_http']}/"
        request = urllib.request.Request(address, f"{query} FORMAT JSONEachRow".encode())
        with urllib.request.urlopen(request) as response:
            return [json.loads(line) for line in response.read().decode().splitlines()]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("examples")
    (folder / "logs").mkdir()
    server = Server(folder / "data", folder / "logs")
    server.start()
    with ExitStack() as stack:
        stack.callback(server.kill)
        providers = {
            name: stack.enter_context(FakeProvider(answers=SCENARIOS[expected.scenario], first_number=number * 1_000))
            for number, (name, expected) in enumerate(EXPECTED.items(), 1)
        }
        running = {name: start(name, provider, server) for name, provider in providers.items()}
        for name, process in running.items():
            output, _ = process.communicate(timeout=250)
            assert process.returncode == 0, f"{name} ended with {process.returncode}:\n{output}"
        ran = Ran(server, {name: provider.calls() for name, provider in providers.items()})
        settled = "SELECT uniqExact(ServiceName) AS services FROM agent_runs FINAL"
        until(lambda: int(ran.rows(settled)[0]["services"]) == len(EXPECTED), "the runs of all examples", 0.3)
        yield ran


def start(name: str, provider: FakeProvider, server: Server) -> "subprocess.Popen[str]":
    """Start an example as its documentation says, but for where things are."""
    variables = {
        "OTEL_SERVICE_NAME": name,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{server.addresses['otlp_grpc']}",
        "OPENAI_BASE_URL": provider.openai_url,
        "OPENAI_API_KEY": "any",
        "ANTHROPIC_BASE_URL": provider.anthropic_url,
        "ANTHROPIC_API_KEY": "any",
        "GOOGLE_GEMINI_BASE_URL": provider.google_url,
        "GOOGLE_API_KEY": "any",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    instrument = Path(sys.executable).with_name("opentelemetry-instrument")
    return subprocess.Popen(
        [str(instrument), sys.executable, str(EXAMPLES / f"{name}.py")],
        env=environment(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=EXAMPLES,
    )


@pytest.mark.parametrize("name", EXPECTED)
def test_its_run_is_found_with_steps_tokens_and_cost(ran: Ran, name: str) -> None:
    expected, calls = EXPECTED[name], ran.calls[name]

    runs = ran.rows(
        "SELECT RunId, AgentName, ConversationId, Status, toUInt32(ToolCalls) AS tools, toInt64(InputTokens) AS input, "
        "toInt64(OutputTokens) AS output, toString(BilledCostUSD) AS cost, UnpricedCalls "
        f"FROM agent_runs FINAL WHERE ServiceName = '{name}' ORDER BY Timestamp SETTINGS "
        "output_format_json_quote_64bit_integers = 0"
    )
    steps = ran.rows(
        "SELECT RunId, StepType, StepName FROM agent_steps FINAL "
        f"WHERE ServiceName = '{name}' ORDER BY Timestamp, Ordinal"
    )
    by_run = [[[s["StepType"], s["StepName"]] for s in steps if s["RunId"] == run["RunId"]] for run in runs]
    assert by_run == expected.steps
    assert {run["Status"] for run in runs} == {"success"}
    assert [run["tools"] for run in runs] == expected.calls_of_tools
    assert {run["AgentName"] for run in runs} == {expected.agent}
    assert expected.session is None or {run["ConversationId"] for run in runs} == {expected.session}
    assert sum(run["input"] or 0 for run in runs) == sum(call.input or 0 for call in calls)
    assert sum(run["output"] or 0 for run in runs) == sum(call.output or 0 for call in calls)
    prices = [
        calc_price(
            Usage(input_tokens=call.input, output_tokens=call.output),
            expected.model,
            provider_id=expected.provider,
        ).total_price
        for call in calls
    ]
    assert sum(Decimal(run["cost"]) for run in runs if run["cost"]) == sum(prices)


def test_nobody_told_of_content(ran: Ran) -> None:
    """The server found nothing to withhold; but Pydantic AI's own spans have messages, without their texts."""
    found = ran.rows(
        "SELECT DISTINCT ScopeName, arrayJoin(WithheldKeys) AS Key FROM otel_traces "
        "WHERE Key LIKE 'gen_ai.%message%' OR Key LIKE 'gen_ai.tool.call.%'"
    )
    assert {row["ScopeName"] for row in found} <= {"pydantic-ai"}
