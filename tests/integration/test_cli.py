"""The command line as people and scripts meet it: what it prints where, its exit codes, and what it says goes wrong."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import grpc
import pytest
from click.testing import CliRunner
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from server_process import (
    AGENTVIGIL,
    ANY_PORTS,
    Done,
    OtlpSender,
    Server,
    environment,
    prepare,
    run_cli,
    run_in_turn,
    run_statements,
    until,
)

from agentvigil.cli.commands import agentvigil
from agentvigil.cli.options import DOCTOR_OPTIONS, SERVER_OPTIONS, STORE_OPTIONS
from agentvigil.storage.migrations import all_migrations

StartServer = Callable[..., Server]

KEY: Final = "vgl_a-key-for-tests"


def request_with(span_name: str = "chat", spans: int = 1) -> bytes:
    """A serialised request of ``spans`` spans of one trace that nobody else sends."""
    now = time.time_ns()
    request = ExportTraceServiceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    for index in range(spans):
        span = scope_spans.spans.add(trace_id=os.urandom(16), span_id=(index + 1).to_bytes(8, "big"), name=span_name)
        span.start_time_unix_nano = now
        span.end_time_unix_nano = now + 1000
    return request.SerializeToString()


def get(url: str, key: str | None = None) -> tuple[int, str, str]:
    """Status, content type and body of ``url``."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.headers["content-type"], response.read().decode()
    except urllib.error.HTTPError as exc:
        return exc.code, exc.headers["content-type"], exc.read().decode()


def on_a_terminal(*arguments: str) -> str:
    """What ``agentvigil`` with ``arguments`` writes to stdout when that is a terminal."""
    terminal, stdout = pty.openpty()
    process = subprocess.Popen(
        [*AGENTVIGIL, *arguments], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, env=environment()
    )
    os.close(stdout)
    written = bytearray()
    while select.select([terminal], [], [], 30)[0]:
        try:
            chunk = os.read(terminal, 2**16)
        except OSError:  # Linux' way to say that nobody writes there any more
            break
        if not chunk:
            break
        written += chunk
    os.close(terminal)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    return written.decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, start_shared_server: StartServer) -> Server:
    """A server with three spans that all tests share; they only read."""
    server = start_shared_server(tmp_path_factory.mktemp("shared") / "data")
    sender = OtlpSender(server.addresses["otlp_grpc"])
    sender.send(request_with(spans=2))
    sender.send(request_with("execute_tool \x1b[31mrm -rf\x1b[0m"))
    sender.close()
    return server


# --- help


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        ("up", SERVER_OPTIONS),
        ("demo", SERVER_OPTIONS),
        ("sql", STORE_OPTIONS),
        ("doctor", DOCTOR_OPTIONS),
        ("migrate", STORE_OPTIONS),
    ],
)
def test_help_shows_examples_and_the_variable_of_every_setting(command: str, settings: tuple[str, ...]) -> None:
    """A person should find out by --help alone how to run a command in a terminal and in a container."""
    result = CliRunner().invoke(agentvigil, [command, "--help"], prog_name="agentvigil")

    assert result.exit_code == 0
    assert f"\n  agentvigil {command}" in result.output
    words = re.sub(r"\s+", " ", result.output)
    for name in settings:
        assert f"--{name.replace('_', '-')} " in words
        assert f"[env: AGENTVIGIL_{name.upper()}]" in words
    assert "AGENTVIGIL_CONFIG" in words


def test_the_command_without_arguments_shows_examples_of_every_command_it_has() -> None:
    """It is what people type first."""
    result = CliRunner().invoke(agentvigil, ["--help"], prog_name="agentvigil")

    assert result.exit_code == 0
    for command in ("demo", "up", "sql"):
        assert f"\n  agentvigil {command}" in result.output
    assert "migrate" in result.output


# --- up


def test_the_ready_line_is_one_json_object_with_addresses_that_answer(server: Server) -> None:
    """A script that starts us on any free port has only this line to find us by."""
    assert server.ready["status"] == "ready"
    assert server.ready["store"] == f"chdb://{server.data}"
    for address in server.addresses.values():
        host, _, port = address.rpartition(":")
        socket.create_connection((host, int(port)), timeout=5).close()


def test_health_and_metrics_say_how_the_server_is(server: Server) -> None:
    """Probes and Prometheus are how an operator sees us."""
    status, content_type, body = get(f"http://{server.addresses['api']}/health")
    assert (status, content_type) == (200, "application/json")
    health = json.loads(body)
    assert health["status"] == "ok"
    assert {check["name"]: check["ok"] for check in health["checks"]} == {"store": True, "disk": True}

    status, content_type, body = get(f"http://{server.addresses['api']}/metrics")
    assert status == 200
    assert content_type.startswith("text/plain")
    assert 'agentvigil_receiver_items_stored_total{signal="traces"} 3.0' in body
    assert 'agentvigil_receiver_requests_total{protocol="grpc",signal="traces",status="OK"} 2.0' in body
    for name in ("items_rejected_total", "requests_repeated_total", "group_commit_seconds_bucket", "queued_bytes"):
        assert f"\nagentvigil_receiver_{name}" in body
    assert "\nagentvigil_disk_free_bytes" in body


def test_a_second_server_on_the_same_data_says_who_has_it(server: Server) -> None:
    """Embedded data has one owner; whoever forgot a server in another terminal wants to know which."""
    result = run_cli("up", "--data", str(server.data), *ANY_PORTS)

    assert result.returncode == 2
    assert str(server.data) in result.stderr
    assert f"pid {server.pid} (agentvigil up, " in result.stderr
    for address in server.addresses.values():
        assert address in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("option", ["--otlp-grpc", "--clickhouse-http"])
def test_a_taken_port_is_told_with_the_flag_to_use(option: str, tmp_path: Path) -> None:
    """4317 and 8123 are often taken, by a Collector and by ClickHouse."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = run_cli("up", "--data", str(prepare(tmp_path / "data")), *ANY_PORTS, option, address)

    assert result.returncode == 2
    assert address in result.stderr.splitlines()[-1]
    assert option in result.stderr.splitlines()[-1]
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0"])
def test_listening_beyond_this_machine_needs_a_key(address: str, tmp_path: Path) -> None:
    """Nobody should open their telemetry to a network by one flag."""
    # It comes to nothing that would need a process of its own.
    command = ["up", "--data", str(tmp_path / "data"), *ANY_PORTS, "--api", address]
    result = CliRunner().invoke(agentvigil, command, prog_name="agentvigil")

    assert result.exit_code == 2
    assert "AGENTVIGIL_INGEST_KEY" in result.stderr
    assert "agentvigil keys create" in result.stderr
    assert "--api" in result.stderr
    assert not (tmp_path / "data").exists()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, start_shared_server: StartServer) -> Iterator[Server]:
    """A mere receiver with a key, which others can reach; what it says does not tell the key."""
    server = start_shared_server(
        tmp_path_factory.mktemp("guarded") / "data",
        *("--otlp-grpc", "0.0.0.0:0", "--no-settling"),
        variables={"AGENTVIGIL_INGEST_KEY": KEY},
    )
    yield server
    assert server.stop() == 0
    assert KEY not in server.output()


def test_a_mere_receiver_leaves_settling_to_others(server: Server, guarded: Server) -> None:
    settles = [
        "agentvigil_settling_runs" in get(f"http://{started.addresses['api']}/metrics", KEY)[2]
        for started in (server, guarded)
    ]

    assert settles == [True, False]


def test_with_a_key_only_who_has_it_may_send_and_read(guarded: Server) -> None:
    """The key is all that stands between a network and the data."""
    port = guarded.addresses["otlp_grpc"].rpartition(":")[2]
    sender = OtlpSender(f"127.0.0.1:{port}")
    for metadata in ([], [("authorization", "Bearer wrong")], [("authorization", KEY)]):
        with pytest.raises(grpc.RpcError) as refused:
            sender.send(request_with(), metadata)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert "OTEL_EXPORTER_OTLP_HEADERS" in refused.value.details()
    sender.send(request_with(), [("authorization", f"Bearer {KEY}")])
    sender.close()

    for key, status in ((None, 401), ("wrong", 401), (KEY, 200)):
        assert get(f"http://{guarded.addresses['api']}/metrics", key)[0] == status
    assert get(f"http://{guarded.addresses['api']}/health")[0] == 200, "a probe has no key"

    count = ("sql", "--data", str(guarded.data), "SELECT count() AS n FROM otel_traces")
    assert run_cli(*count, variables={"AGENTVIGIL_INGEST_KEY": KEY}).stdout == "n\n1\n"
    assert run_cli(*count).stdout == "n\n1\n", "whoever may read the data directory may read the data"
    result = run_cli(*count, variables={"AGENTVIGIL_KEY": "wrong"})
    assert (result.returncode, result.stdout) == (1, "")
    assert "Traceback" not in result.stderr


def test_a_directory_the_engine_can_not_use_is_refused_with_the_reason(tmp_path: Path) -> None:
    """It would keep its data elsewhere, or find out at the first insert."""
    result = run_cli("migrate", "--data", str(tmp_path / "run-12:30"))

    assert result.returncode == 2
    assert "choose another directory with --data" in result.stderr
    assert "Traceback" not in result.stderr


# --- settings


def test_a_flag_wins_over_a_variable_and_that_over_the_file(tmp_path: Path) -> None:
    """An image has a file, a deployment its variables, a person the last word."""
    config = tmp_path / "agentvigil.toml"
    config.write_text(f"data = '{tmp_path}/from-file'\nlog_level = 'error'\n")
    from_file = {"AGENTVIGIL_CONFIG": str(config)}
    from_variable = {**from_file, "AGENTVIGIL_DATA": f"{tmp_path}/from-variable"}

    for flags, variables, place in (
        ([], from_file, "from-file"),
        ([], from_variable, "from-variable"),
        (["--data", f"{tmp_path}/from-flag"], from_variable, "from-flag"),
    ):
        result = CliRunner().invoke(agentvigil, ["keys", "list", *flags], env=variables, prog_name="agentvigil")
        assert result.exit_code == 2
        assert f"there is no data in {tmp_path}/{place}:" in re.sub(r"\s+", " ", result.stderr)

    made = run_cli("migrate", variables=from_file)
    assert (made.returncode, made.stderr) == (0, ""), "the file's log_level holds beside the other settings"
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["from-file"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("colour = 'red'", "there is no setting 'colour'"),
        ("keep_days = 8", "--keep-days (AGENTVIGIL_KEEP_DAYS)"),
        ("otlp_grpc = 'nowhere'", "--otlp-grpc (AGENTVIGIL_OTLP_GRPC)"),
        ("data = ", "can not read the configuration file"),
        (None, "can not read the configuration file"),
    ],
    ids=["unknown setting", "value out of range", "no address", "no TOML", "no file"],
)
def test_a_configuration_file_that_is_wrong_is_refused(text: str | None, told: str, tmp_path: Path) -> None:
    """A misspelt setting that is passed over is found out about in production."""
    config = tmp_path / "agentvigil.toml"
    if text is not None:
        config.write_text(text)

    # It comes to nothing that would need a process of its own.
    command = ["up", "--data", str(tmp_path / "data"), *ANY_PORTS[2:], "--config", str(config)]
    result = CliRunner().invoke(agentvigil, command, prog_name="agentvigil")

    assert result.exit_code == 2
    assert told in re.sub(r"\s+", " ", result.output)
    assert not (tmp_path / "data").exists()


# --- migrate


def test_migrate_says_what_it_did_and_what_it_would_do(tmp_path: Path) -> None:
    """Deployments check with --dry-run and migrate before they start the server."""
    runs = [
        run_cli("migrate", "--data", str(tmp_path / "data"), *flags) for flags in (["--dry-run"], [], [], ["--dry-run"])
    ]

    names = [
        f"  {migration.version:03}  {migration.name}" for migration in all_migrations() if migration.home != "server"
    ]
    assert [run.returncode for run in runs] == [1, 0, 0, 0]
    assert runs[0].stdout.splitlines() == ["pending" + name for name in names]
    assert runs[1].stdout.splitlines() == ["applied" + name for name in names]
    for run in runs[2:]:
        assert run.stdout == ""
        assert run.stderr.endswith("the schema is up to date\n")


def test_a_schema_from_the_future_is_left_alone(tmp_path: Path) -> None:
    """Whoever goes back to an older release must not have it write into tables it does not know."""
    data = prepare(tmp_path / "data")
    run_statements(data, "INSERT INTO agentvigil_migrations (Version, Name) VALUES (999, 'from_the_future')")

    for command in (("up", *ANY_PORTS), ("migrate",)):
        result = run_cli(*command, "--data", str(data))
        assert result.returncode == 2
        assert result.stdout == ""
        assert "database schema is version 999" in result.stderr
        assert "upgrade agentvigil" in result.stderr
        assert "Traceback" not in result.stderr


# --- demo


def test_demo_once_stores_every_span_its_fleet_sent(tmp_path: Path) -> None:
    """The first thing people run shows the promise: nothing sent is lost."""
    result = run_cli("demo", "--once", "--json", "--data", str(tmp_path / "data"), *ANY_PORTS)

    assert result.returncode == 0, result.stderr
    ready, done = map(json.loads, result.stdout.splitlines())
    assert ready["status"] == "ready"
    assert done["status"] == "done"
    assert done["spans_stored"] == done["fleet"]["spans"] > 0
    assert done["fleet"]["failed_exports"] == 0
    assert sum(agent["runs"] for agent in done["agents"]) > 0
    (((spans, runs),),) = run_statements(
        tmp_path / "data", "SELECT toUInt32(count()), toUInt32(uniqExact(TraceId)) FROM otel_traces"
    )
    assert (spans, runs) == (done["spans_stored"], done["fleet"]["runs"])


@pytest.mark.long
def test_demo_ends_after_its_duration_with_a_summary(tmp_path: Path) -> None:
    """What a person who gives it a few seconds reads: a table, and no noise."""
    result = run_cli("demo", "--duration", "3", "--no-history", "--data", str(prepare(tmp_path / "data")), *ANY_PORTS)

    assert result.returncode == 0, result.stderr
    header, *agents, last = result.stdout.splitlines()
    assert header.startswith("agent")
    assert agents
    stored, sent = re.fullmatch(r"(\d+) spans stored, of (\d+) that the fleet sent\.", last).groups()  # type: ignore[union-attr]
    assert int(stored) == int(sent) > 0
    assert "Traceback" not in result.stderr
    assert "ERROR" not in result.stderr


@pytest.mark.long
def test_demo_ends_cleanly_on_ctrl_c(tmp_path: Path) -> None:
    """Ctrl-C is how everybody ends it, and a traceback is the last thing they should see."""
    stdout, stderr = tmp_path / "stdout", tmp_path / "stderr"
    with stdout.open("wb") as out, stderr.open("wb") as err:
        process = subprocess.Popen(
            [*AGENTVIGIL, "demo", "--json", "--no-history", "--data", str(prepare(tmp_path / "data")), *ANY_PORTS],
            stdout=out,
            stderr=err,
            env=environment(),
        )
    try:
        until(lambda: b"\n" in stdout.read_bytes(), "the ready line")
        api = json.loads(stdout.read_bytes())["api"]
        none_yet = re.compile(r'items_stored_total\{signal="traces"} 0\.0')
        until(lambda: not none_yet.search(get(f"http://{api}/metrics")[2]), "the first span", 0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, stderr.read_text()
    finally:
        process.kill()
        process.wait()

    done = json.loads(stdout.read_text().splitlines()[-1])
    assert done["status"] == "done"
    assert done["spans_stored"] == done["fleet"]["spans"]
    assert "Traceback" not in stderr.read_text()


# --- sql


QUERIES: Final[dict[str, tuple[str, ...]]] = {
    "table": ("SELECT SpanName, count() AS spans FROM otel_traces GROUP BY SpanName ORDER BY spans",),
    "format": (
        *("--format", "JSONEachRow"),
        "SELECT SpanName, InputTokens, 'Grüße\t世界' AS text, map('a', [1]) AS nested FROM otel_traces LIMIT 1",
    ),
    "parameters": (
        "-p",
        "name=chat",
        "--param",
        "least=1",
        "SELECT {name:String} AS a, {least:UInt8} + 1 AS b FORMAT CSV",
    ),
    "error while running": ("SELECT throwIf(number = 3) FROM numbers(10)",),
    "writing": ("DROP TABLE otel_traces",),
}


CODES: Final = {"error while running": 395}
"""ClickHouse's own, from its ErrorCodes.cpp."""


@pytest.mark.long
def test_sql_answers_alike_with_and_without_a_running_server(tmp_path: Path, start_server: StartServer) -> None:
    """Stopping the server must change neither what a script reads nor what it may do."""
    server = start_server(tmp_path / "data")
    sender = OtlpSender(server.addresses["otlp_grpc"])
    sender.send(request_with(spans=3))
    sender.close()

    def answers() -> dict[str, Done]:
        done = run_in_turn(*(("sql", "--data", str(server.data), *query) for query in QUERIES.values()))
        return dict(zip(QUERIES, done, strict=True))

    running = answers()
    assert server.stop() == 0
    stopped = answers()

    assert running == stopped
    assert {name: code for name, (code, _, _) in running.items() if code} == dict.fromkeys(list(QUERIES)[3:], 1)
    assert running["table"][1] == "SpanName\tspans\nchat\t3\n"
    assert json.loads(running["format"][1]) == {
        "SpanName": "chat",
        "InputTokens": None,
        "text": "Grüße\t世界",
        "nested": {"a": [1]},
    }
    assert running["parameters"][1] == '"chat",2\n'
    for name, code in CODES.items():
        assert f"Code: {code}. DB::Exception: " in running[name][2]
    for _, stdout, stderr in running.values():
        assert "Traceback" not in stderr
        assert not (stdout and stderr)


def test_sql_reads_the_query_from_stdin(server: Server) -> None:
    """So do scripts with long queries, and clickhouse-client."""
    result = run_cli("sql", "--data", str(server.data), stdin="SELECT\n  count() AS spans\nFROM otel_traces\n")

    assert (result.returncode, result.stdout) == (0, "spans\n3\n")


def test_sql_is_quiet_when_its_reader_has_seen_enough(server: Server) -> None:
    """``| head`` is how people look at long answers."""
    command = subprocess.Popen(
        [*AGENTVIGIL, "sql", "--data", str(server.data), "SELECT number FROM numbers(900000)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert command.stdout is not None
    assert command.stderr is not None
    first = command.stdout.readline()
    command.stdout.close()
    told = command.stderr.read()
    command.stderr.close()
    command.wait(30)

    assert first == b"number\n"
    assert told == b""


def test_control_characters_are_made_visible_on_a_terminal(server: Server) -> None:
    """A text comes from anywhere; it must not move the cursor, change colours or type for the reader."""
    query = r"SELECT '\x1b[31mrm -rf\x1b[0m' AS SpanName"
    shown = on_a_terminal("sql", "--data", str(server.data), query)
    piped = run_cli("sql", "--data", str(server.data), "--format", "TSVRaw", query)

    assert "\x1b" not in shown
    assert r"\x1b[31mrm -rf\x1b[0m" in shown
    assert "\x1b[31mrm -rf\x1b[0m" in piped.stdout, "a pipe gets what is stored"


def test_a_long_answer_arrives_on_a_terminal_as_it_is(server: Server) -> None:
    """An answer comes in chunks that may end inside a character, and the lines of a table are such characters."""
    shown = on_a_terminal("sql", "--data", str(server.data), "SELECT repeat('世', 50000) FORMAT TSV")

    assert shown == "世" * 50_000 + "\r\n"


def test_a_parameter_without_a_value_is_a_usage_error(tmp_path: Path) -> None:
    """Wrong use is told apart from a query that failed."""
    result = CliRunner().invoke(agentvigil, ["sql", "--data", str(tmp_path / "data"), "-p", "name", "SELECT 1"])

    assert result.exit_code == 2
    assert "--param wants NAME=VALUE" in result.output
