"""The parts of the server in processes of their own beside a ClickHouse server: two receivers, APIs and analyses.

The server is a cluster of one node, so all of it goes through Distributed tables. What differs on a server that is none
is tested with the store.
"""

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
from agent_traces import Sp, agent, chat, request_of, tool, trace_of
from click.testing import CliRunner
from counted_cells import put
from server_process import OtlpSender, Server, environment, prepare, run_cli, until
from up_as_clickhouse import PASSWORDS

from agentvigil.analysis.features.cells import Subject, hour_of
from agentvigil.analysis.watching import WatchJob
from agentvigil.cli.analyzing import ANALYZE_OPTIONS
from agentvigil.cli.commands import agentvigil
from agentvigil.cli.roles import API_OPTIONS, RECEIVER_OPTIONS
from agentvigil.receiver.otlp import TRACES
from agentvigil.storage.cluster import ClusterSchema
from agentvigil.storage.errors import SchemaOfCluster
from agentvigil.storage.ledger import RequestLedger
from agentvigil.storage.migrations import migrate
from agentvigil.storage.server import ServerStore
from deployed_users import may
from simulated_agents import Agent, cells_of

StartServer = Callable[..., Server]
pytestmark = pytest.mark.long

DATABASE: Final = "beside"
DAYS: Final = 17
USUAL: Final = Agent(240, season=0.0, daily=0.3)
MOVED: Final = Agent(240, season=0.0, daily=0.3, tools={**USUAL.tools, "refund": 0.5})
RUNS: Final = 4
ANY_ADDRESS: Final = ("--api", "127.0.0.1:0")


@dataclass
class UpAsClickHouse:
    """``agentvigil up`` in the place of a ClickHouse server."""

    process: "subprocess.Popen[str]"
    port: int

    def url(self, user: str = "agentvigil_admin", database: str = DATABASE) -> str:
        return f"http://{user}:{quote(PASSWORDS[user], safe='')}@127.0.0.1:{self.port}/{database}"

    def asked_by(self, user: str) -> list[str]:
        """Every statement that ``user`` sent so far, with what stands behind its first line."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{user}\n")
        self.process.stdin.flush()
        asked: list[str] = json.loads(self.process.stdout.readline())
        return [re.sub(r"--.*\n", "", text).strip() for text in asked]


@dataclass
class Beside:
    """The processes beside it, and the store that they share."""

    clickhouse: UpAsClickHouse
    store: ServerStore
    receivers: Sequence[Server] = ()
    apis: Sequence[Server] = ()
    analyses: list[Server] = field(default_factory=list)


def ask(server: Server, path: str) -> Any:
    with urllib.request.urlopen(f"http://{server.addresses['api']}{path}", timeout=60) as response:
        return json.load(response)


def metric(server: Server, name: str) -> dict[str, float]:
    """The values of a metric by its only label."""
    with urllib.request.urlopen(f"http://{server.addresses['api']}/metrics", timeout=60) as response:
        lines = response.read().decode().splitlines()
    told = [line.split('"') for line in lines if line.startswith(f"{name}{{")]
    return {label: float(value.removeprefix("}")) for _, label, value in told}


def jobs(server: Server) -> dict[str, bool]:
    """Whether this process does each job."""
    return {job: value == 1 for job, value in metric(server, "agentvigil_job_active").items()}


def a_run(trace: int) -> list[Sp]:
    return [
        agent(1, 0, "courier", trace=trace, end=3000),
        chat(2, 1, 10, 900, trace=trace),
        tool(3, 1, "look_up", 1000, 1500, trace=trace),
        chat(4, 1, 2000, 2900, trace=trace),
    ]


def send(server: Server, *spans: Sp) -> None:
    sender = OtlpSender(server.addresses["otlp_grpc"])
    sender.send(request_of(spans).SerializeToString())
    sender.close()


def runs_by(api: Server) -> list[Any]:
    found: list[Any] = ask(api, "/v1/runs?agent=courier&sort=started_at&limit=1000")["items"]
    return found


def settled_runs(beside: Beside) -> int:
    whole = "SELECT count() FROM agent_runs FINAL WHERE AgentName = 'courier' AND Steps = 3 AND Status = 'success'"
    return int(beside.store.rows(whole)[0][0])


def looked_at(beside: Beside) -> bool:
    """Say whether an analysis has looked through all that :func:`put` counted."""
    today = "SELECT 1 FROM drift_evidence FINAL WHERE NextHour >= toStartOfDay(now('UTC'))"
    return bool(beside.store.rows(today))


def findings_by(api: Server) -> list[str]:
    return sorted(found["id"] for found in ask(api, "/v1/findings?limit=1000")["items"])


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpAsClickHouse]:
    data = prepare(tmp_path_factory.mktemp("clickhouse") / "data")
    command = [sys.executable, str(Path(__file__).with_name("up_as_clickhouse.py")), str(data)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield UpAsClickHouse(process, json.loads(process.stdout.readline())["clickhouse"])
        process.stdin.write("\n")
        process.stdin.close()


@pytest.fixture(scope="module")
def beside(
    clickhouse: UpAsClickHouse, start_shared_server: StartServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Beside]:
    """Two of each part, one analysis before the other, and weeks of an agent that changed three days ago, which an
    earlier process found."""
    empty = ServerStore(clickhouse.url(), DATABASE)
    for statement in ClusterSchema("main", DATABASE).statements():
        empty.command(statement)
    empty.close()
    migrated = run_cli("migrate", variables={"AGENTVIGIL_CLICKHOUSE": clickhouse.url()})
    assert (migrated.returncode, migrated.stdout) == (0, ""), migrated.stderr
    beside = Beside(clickhouse, ServerStore(clickhouse.url(), DATABASE))
    start = hour_of(datetime.now(UTC)) // 24 * 24 - DAYS * 24
    subject = Subject("default", "production", "concierge")
    put(beside.store, subject, cells_of(USUAL, DAYS, 5, start=start, changes=[(DAYS - 3, MOVED)]))
    earlier = WatchJob(beside.store, "earlier")
    while earlier.step(datetime.now(UTC)):
        pass
    earlier.stop(datetime.now(UTC))

    def part(command: str, user: str, *arguments: str) -> Server:
        variables = {"AGENTVIGIL_CLICKHOUSE": clickhouse.url(user)}
        nowhere = tmp_path_factory.mktemp("none") / "data"
        return start_shared_server(nowhere, *ANY_ADDRESS, *arguments, command=command, variables=variables)

    beside.analyses.append(part("analyze", "agentvigil_admin"))
    otlp = ("--otlp-grpc", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0")
    beside.receivers = [part("receiver", "agentvigil_ingest", *otlp) for _ in range(2)]
    beside.apis = [part("api", "agentvigil_admin") for _ in range(2)]
    until(lambda: jobs(beside.analyses[0]).get("settling"), "an analysis that settles")
    beside.analyses.append(part("analyze", "agentvigil_admin"))
    yield beside
    beside.store.close()


# --- help and what is said when it can not start


@pytest.mark.parametrize(
    ("command", "settings"), [("receiver", RECEIVER_OPTIONS), ("api", API_OPTIONS), ("analyze", ANALYZE_OPTIONS)]
)
def test_help_shows_examples_and_the_variable_of_every_setting(command: str, settings: tuple[str, ...]) -> None:
    result = CliRunner().invoke(agentvigil, [command, "--help"], prog_name="agentvigil")

    assert result.exit_code == 0
    assert f"\n  agentvigil {command} --clickhouse http://" in result.output
    words = " ".join(result.output.split())
    for name in settings:
        assert f"--{name.replace('_', '-')} " in words
        assert f"[env: AGENTVIGIL_{name.upper()}]" in words


@pytest.mark.parametrize("command", ["receiver", "api"])
def test_without_a_clickhouse_server_one_is_told_what_there_is_instead(command: str) -> None:
    result = CliRunner().invoke(agentvigil, [command], env={"AGENTVIGIL_CLICKHOUSE": None})

    assert result.exit_code == 2
    assert "--clickhouse" in result.output
    assert "agentvigil up" in result.output


def test_a_url_and_an_option_must_not_name_two_databases() -> None:
    url = "http://u:p@127.0.0.1:1/one"
    result = CliRunner().invoke(agentvigil, ["api", "--clickhouse", url, "--database", "two"])

    assert result.exit_code == 2
    assert "'one'" in result.output
    assert "'two'" in result.output


def test_a_start_that_can_not_be_says_why_and_what_to_do(beside: Beside) -> None:
    """No such server, a wrong password, a database without the schema, and one of a newer release."""
    beside.store.command("CREATE DATABASE newer")
    beside.store.command(
        "CREATE TABLE newer.agentvigil_migrations AS agentvigil_migrations ENGINE = MergeTree ORDER BY Version"
    )
    beside.store.command(
        "INSERT INTO newer.agentvigil_migrations (Version, Name, Checksum, AppliedBy) VALUES (9000, 'm', 'c', '99.0')"
    )
    wrong = beside.clickhouse.url().replace(":agentvigil_admin%3A", ":hunter2")
    expected = [
        ("receiver", "http://u:hunter2@127.0.0.1:1/x", "no ClickHouse at http://127.0.0.1:1/x"),
        ("api", wrong, "does not let user 'agentvigil_admin' in"),
        ("receiver", beside.clickhouse.url(database="empty"), "agentvigil migrate"),
        ("analyze", beside.clickhouse.url(database="newer"), "upgrade agentvigil"),
    ]
    for command, url, said in expected:
        done = run_cli(command, *ANY_ADDRESS, variables={"AGENTVIGIL_CLICKHOUSE": url})
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert said in done.stderr
        assert "hunter2" not in done.stderr
        assert "Traceback" not in done.stderr


# --- two of each


def test_what_two_receivers_take_is_there_once_and_both_apis_show_the_same(beside: Beside) -> None:
    """Each run to one of them, then again to both, as senders do that got no answer; one run half to each."""
    for number in range(1, RUNS):
        send(beside.receivers[number % 2], *a_run(number))
    split = a_run(RUNS)
    send(beside.receivers[0], *split[:2])
    send(beside.receivers[1], *split[2:])
    until(lambda: settled_runs(beside) == RUNS, "runs that are settled", pause_s=2)
    for number in range(1, RUNS):
        for receiver in beside.receivers:
            send(receiver, *a_run(number))

    assert beside.store.rows("SELECT count(), uniqExact(TraceId, SpanId) FROM otel_traces") == [(4 * RUNS, 4 * RUNS)]
    first, second = (runs_by(api) for api in beside.apis)
    assert first == second
    assert {(run["status"], run["steps"]) for run in first} == {("success", 3)}
    assert {run["trace_id"] for run in first} == {trace_of(number) for number in range(1, RUNS + 1)}
    for server in (*beside.receivers, *beside.apis, *beside.analyses):
        assert ask(server, "/health")["status"] == "ok"


def test_receivers_ask_for_nothing_that_their_user_may_not(beside: Beside) -> None:
    """By the rights that are shipped, which this engine, that keeps no users, does not look at."""
    tables = {str(name) for (name,) in beside.store.rows("SELECT name FROM system.tables WHERE database = 'beside'")}
    asked = beside.clickhouse.asked_by("agentvigil_ingest")
    assert {statement.split(None, 1)[0].upper() for statement in asked} == {"SELECT", "INSERT"}
    wanted = {
        (right, table)
        for statement in asked
        for right, words in (("SELECT", "FROM|JOIN"), ("INSERT", "INSERT INTO"))
        for table in re.findall(rf"\b(?:{words})\s+`?(\w+)", statement)
        if table in tables
    }
    assert {("INSERT", "otlp_traces"), ("SELECT", "otel_traces"), ("SELECT", "agentvigil_keys")} <= wanted
    assert not {one for one in wanted if not may("agentvigil_ingest", *one)}


def test_one_analysis_works_the_other_takes_over_and_nothing_is_found_twice(beside: Beside) -> None:
    first, second = beside.analyses
    found = findings_by(beside.apis[0])
    assert found
    until(lambda: all(jobs(first).values()), "all jobs in one process", pause_s=2)
    assert jobs(second) == dict.fromkeys(jobs(first), False)
    assert "waiting: settling" in str(ask(second, "/health"))

    # As if it had died before it noted how far it was: the other one looks through all of it again.
    first.kill()
    beside.store.command("TRUNCATE TABLE drift_evidence")
    beside.store.command("TRUNCATE TABLE drift_baselines")
    send(beside.receivers[0], *a_run(RUNS + 1))

    until(lambda: all(jobs(second).values()), "all jobs in the other process", pause_s=2)
    until(lambda: looked_at(beside), "a second look at all that is counted", pause_s=2)
    until(lambda: settled_runs(beside) == RUNS + 1, "a run that the other one settled", pause_s=2)
    assert findings_by(beside.apis[1]) == found
    assert beside.store.rows("SELECT count(), uniqExact(FindingId) FROM findings FINAL") == [(len(found), len(found))]


# --- the cluster


def test_what_is_written_to_a_sharded_table_is_in_its_local_ones(beside: Beside) -> None:
    assert beside.store.cluster == "main"
    for table, key in (
        ("otel_traces", "TraceId, SpanId"),
        ("otel_traces_trace_id_ts", "TraceId"),
        ("agent_runs", "RunId"),
        ("agent_steps", "RunId, SpanId"),
        ("agent_run_changes", "Hour"),
    ):
        both = f"SELECT (SELECT uniqExact({key}) FROM {table}), (SELECT uniqExact({key}) FROM {table}_local)"
        ((everywhere, here),) = beside.store.rows(both)
        assert everywhere == here > 0, table


def test_a_request_is_deleted_on_every_node(beside: Beside) -> None:
    hashes = [row[0] for row in beside.store.rows("SELECT DISTINCT RequestHash FROM otel_traces")]
    RequestLedger(beside.store, TRACES.signal).delete(hashes, datetime.now(UTC) - timedelta(days=1))
    assert beside.store.rows("SELECT count() FROM otel_traces") == [(0,)]


def test_a_cluster_is_migrated_by_people_alone(beside: Beside) -> None:
    """What a start would do by itself would make tables on one node."""
    beside.store.command("DELETE FROM agentvigil_migrations WHERE Version > 130")
    with pytest.raises(SchemaOfCluster, match="--cluster main --print --after 130"):
        migrate(beside.store)
