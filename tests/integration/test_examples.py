"""The front door as a newcomer finds it: `opentelemetry-instrument python examples/X.py`, and SQL finds the run.

All examples run side by side against one server, each with a provider of its own whose usage is known. Those whose
frameworks do not install beside the others run in environments of their own, which ``make matrix`` makes and names in
``AGENTVIGIL_EXAMPLE_PYTHONS``: ``crewai_crew=/path/to/bin/python,strands_agent=...``.
"""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from expected_examples import EXPECTED
from genai_prices import Usage, calc_price
from server_process import Server, environment, until
from trace_requests import a_request, a_span

from agentvigil.testing import Call, FakeProvider
from agentvigil.testing.scenarios import SCENARIOS

EXAMPLES = Path(__file__).parents[2] / "examples"

# Some fifteen frameworks are imported at the same time, which takes minutes where other tests run beside.
pytestmark = pytest.mark.timeout(900)


def pythons() -> Mapping[str, Path]:
    """The Python of each example that can be run."""
    said = os.environ.get("AGENTVIGIL_EXAMPLE_PYTHONS", "")
    own = {name: Path(path) for name, _, path in (item.partition("=") for item in said.split(",") if item)}
    return {name: Path(sys.executable) for name in EXPECTED if not EXPECTED[name].has_own_environment} | own


PYTHONS = pythons()
QUICK = {"front_door", "support_agent"}
"""To import each of the others takes seconds."""
each_example = pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
            marks=[
                pytest.mark.skipif(name not in PYTHONS, reason="needs `make matrix`"),
                *([] if name in QUICK else [pytest.mark.long]),
            ],
        )
        for name in EXPECTED
    ],
)


@dataclass
class Ran:
    """A server that has what all examples sent, and what the providers told them."""

    server: Server
    calls: dict[str, list[Call]]

    def rows(self, query: str) -> list[dict[str, Any]]:
        address = f"http://{self.server.addresses['clickhouse_http']}/"
        settings = "output_format_json_quote_64bit_integers = 0"
        request = urllib.request.Request(address, f"{query} SETTINGS {settings} FORMAT JSONEachRow".encode())
        with urllib.request.urlopen(request) as response:
            return [json.loads(line) for line in response.read().decode().splitlines()]

    def api(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://{self.server.addresses['api']}{path}") as response:
            return json.load(response)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Ran]:
    """What the examples left behind that any test of this module asks for."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    names = {item.callspec.params["name"] for item in items} & PYTHONS.keys()
    folder = tmp_path_factory.mktemp("examples")
    (folder / "logs").mkdir()
    server = Server(folder / "data", folder / "logs")
    server.start()
    with ExitStack() as stack:
        stack.callback(server.kill)
        # A server's first insert takes seconds, and MCP's client gives its own server two at most to send what is left.
        send_one(server)
        providers = {
            name: stack.enter_context(
                FakeProvider(
                    answers=SCENARIOS[expected.scenario], latency_s=expected.latency_s, first_number=number * 1_000
                )
            )
            for number, (name, expected) in enumerate(EXPECTED.items(), 1)
            if name in names
        }
        running = {name: start(name, provider, server) for name, provider in providers.items()}
        for name, process in running.items():
            output, _ = process.communicate(timeout=600)
            assert process.returncode == 0, f"{name} ended with {process.returncode}:\n{output}"
        ran = Ran(server, {name: provider.calls() for name, provider in providers.items()})
        services = ", ".join(map(repr, names))
        settled = f"SELECT count() AS runs FROM agent_runs FINAL WHERE Status != 'open' AND ServiceName IN ({services})"
        wanted = sum(len(EXPECTED[name].runs) for name in names)
        until(lambda: ran.rows(settled)[0]["runs"] >= wanted, f"{wanted} runs of the examples", 0.3)
        yield ran


def send_one(server: Server) -> None:
    """Have the server store a span."""
    address = f"http://{server.addresses['otlp_http']}/v1/traces"
    headers = {"Content-Type": "application/x-protobuf"}
    urllib.request.urlopen(urllib.request.Request(address, a_request(a_span()), headers)).close()


def start(name: str, provider: FakeProvider, server: Server) -> "subprocess.Popen[str]":
    """Start an example as its documentation says, but for where things are."""
    folder = PYTHONS[name].parent
    variables = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "OTEL_SERVICE_NAME": name,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{server.addresses['otlp_grpc']}",
        "OPENAI_BASE_URL": provider.openai_url,
        "OPENAI_API_KEY": "any",
        "ANTHROPIC_BASE_URL": provider.anthropic_url,
        "ANTHROPIC_API_KEY": "any",
        "GOOGLE_GEMINI_BASE_URL": provider.google_url,
        "GOOGLE_API_KEY": "any",
        # These two would else ask the network, at every start.
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "CREWAI_DISABLE_TELEMETRY": "true",
    }
    return subprocess.Popen(
        [str(folder / "opentelemetry-instrument"), str(PYTHONS[name]), str(EXAMPLES / f"{name}.py")],
        env=environment(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=EXAMPLES,
    )


@each_example
def test_its_runs_are_found_with_their_steps_and_how_they_ended(ran: Ran, name: str) -> None:
    expected = EXPECTED[name].runs

    runs = ran.rows(
        "SELECT RunId, Status AS status, trim(concat(RootCauseType, ' ', RootCauseCode)) AS cause, ToolCalls AS tools, "
        f"AgentName AS agent, ConversationId AS session FROM agent_runs FINAL WHERE ServiceName = '{name}' "
        "ORDER BY Timestamp"
    )
    steps = ran.rows(
        "SELECT RunId, concat(StepType, ' ', StepName, if(Attempt > 1, concat(', try ', toString(Attempt)), ''), "
        "if(Status = 'failure', concat(', ', FailureCode), '')) AS step "
        f"FROM agent_steps FINAL WHERE ServiceName = '{name}' ORDER BY Timestamp, Ordinal"
    )

    assert [[s["step"] for s in steps if s["RunId"] == run["RunId"]] for run in runs] == [run.steps for run in expected]
    for run, wanted in zip(runs, expected, strict=True):
        assert (run["status"], run["cause"]) == (wanted.status, wanted.cause)
        assert (run["tools"], run["agent"]) == (wanted.tools, wanted.agent)
        assert run["session"] == wanted.session if wanted.session is not None else run["session"]


@each_example
def test_tokens_and_cost_are_what_the_provider_told(ran: Ran, name: str) -> None:
    calls = ran.calls[name]

    (found,) = ran.rows(
        "SELECT sum(InputTokens) AS input, sum(OutputTokens) AS output, toString(sum(BilledCostUSD)) AS cost, "
        f"sum(UnpricedCalls) AS unpriced FROM agent_runs FINAL WHERE ServiceName = '{name}'"
    )

    assert found["input"] == sum(call.input or 0 for call in calls)
    assert found["output"] == sum(call.output or 0 for call in calls)
    assert found["unpriced"] == 0
    prices = [
        calc_price(
            Usage(input_tokens=call.input, output_tokens=call.output),
            call.request_model,
            provider_id=EXPECTED[name].provider,
        ).total_price
        for call in calls
    ]
    assert Decimal(found["cost"]) == sum(prices)


@each_example
def test_the_api_says_what_sql_says(ran: Ran, name: str) -> None:
    rows = ran.rows(
        "SELECT RunId, Status, RunName, InputTokens, OutputTokens, toString(BilledCostUSD) AS cost, Models, Tools, "
        f"Duration, Spans FROM agent_runs FINAL WHERE ServiceName = '{name}' ORDER BY Timestamp, RunId"
    )
    steps = ran.rows(
        "SELECT RunId, SpanId, StepType, StepName, Attempt, Status, FailureCode, toString(BilledCostUSD) AS cost "
        f"FROM agent_steps FINAL WHERE ServiceName = '{name}' ORDER BY RunId, Ordinal"
    )

    runs = ran.api(f"/v1/runs?service={name}&sort=started_at&limit=1000")["items"]

    assert [run["id"] for run in runs] == [row["RunId"] for row in rows]
    for run, row in zip(runs, rows, strict=True):
        assert (run["status"], run["agent"]) == (row["Status"], row["RunName"])
        assert (run["models"], run["tools"]) == (row["Models"], row["Tools"])
        assert (run["tokens"]["input"], run["tokens"]["output"]) == (row["InputTokens"], row["OutputTokens"])
        assert _amount(run["cost"]["billed_usd"]) == _amount(row["cost"])
        assert run["duration_ms"] * 1_000_000 == pytest.approx(row["Duration"], abs=1)
        told = ran.api(run["links"]["steps"])["items"]
        assert [(step["span_id"], step["type"], step["name"], step["attempt"], step["status"]) for step in told] == [
            (step["SpanId"], step["StepType"], step["StepName"], step["Attempt"], step["Status"])
            for step in steps
            if step["RunId"] == run["id"]
        ]
        trace = ran.api(run["links"]["trace"])
        assert len(trace["spans"]) >= row["Spans"]
        why = ran.api(run["links"]["failures"])
        assert (why["root_cause"] is None) == (row["Status"] == "success" and not run["recovered_failures"])
        assert why["account"] == ran.api(run["links"]["self"])["account"]
    totals = ran.api(f"/v1/stats?service={name}&since=1h")
    assert totals["runs"] == len(rows)
    assert _amount(totals["cost"]["billed_usd"]) == sum(Decimal(row["cost"]) for row in rows if row["cost"] is not None)


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


@each_example
def test_nobody_told_of_content(ran: Ran, name: str) -> None:
    """The server found nothing to withhold; but Pydantic AI's own spans have messages, without their texts."""
    found = ran.rows(
        f"SELECT DISTINCT ScopeName, arrayJoin(WithheldKeys) AS Key FROM otel_traces WHERE ServiceName = '{name}' "
        "AND (Key LIKE 'gen_ai.%message%' OR Key LIKE 'gen_ai.tool.call.%')"
    )
    assert {row["ScopeName"] for row in found} <= {"pydantic-ai"}


@pytest.mark.parametrize("name", ["mcp_tools"])
def test_client_and_server_of_mcp_are_one_trace(ran: Ran, name: str) -> None:
    found = ran.rows(
        "SELECT arraySort(groupArray(SpanKind)) AS kinds, uniqExact(TraceId) AS traces, "
        "uniqExact(ResourceAttributes['service.instance.id']) AS processes FROM otel_traces "
        f"WHERE ServiceName = '{name}' AND SpanAttributes['mcp.method.name'] = 'tools/call'"
    )
    assert found == [{"kinds": ["Client", "Server"], "traces": 1, "processes": 2}]
