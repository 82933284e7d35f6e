"""A real server with keys of two projects: what each sends is its own, and neither sees the other's."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from click.testing import CliRunner, Result
from server_process import Server, prepare, run_cli, run_in_turn
from trace_requests import a_request, a_span

from agentvigil.cli.commands import agentvigil
from agentvigil.receiver.otlp import TRACES

StartServer = Callable[..., Server]


@dataclass(frozen=True)
class Guarded:
    """A running server, and keys by project and scope, of which one was made before it started."""

    server: Server
    keys: dict[tuple[str, str], str]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, start_shared_server: StartServer) -> Iterator[Guarded]:
    data = tmp_path_factory.mktemp("guarded") / "data"
    prepare(data)
    first = run_cli("keys", "create", "--data", str(data), "--project", "one", "--scope", "ingest")
    assert first.returncode == 0, first.stderr
    # Beyond this machine, though there is no static key: that in the store does.
    server = start_shared_server(data, "--api", "0.0.0.0:0")
    keys = {("one", "ingest"): first.stdout.removesuffix("\n")}
    for project, scope in (("one", "read"), ("two", "ingest"), ("two", "read")):
        made = in_process("keys", "create", "--data", str(data), "--project", project, "--scope", scope)
        assert made.exit_code == 0, made.stderr
        keys[project, scope] = made.stdout.removesuffix("\n")
    yield Guarded(server, keys)
    assert server.stop() == 0
    for text in keys.values():
        assert text.encode() not in server.output().encode()


def in_process(*arguments: str, variables: Mapping[str, str] | None = None) -> Result:
    """Run ``agentvigil`` in this process, for what asks a server and opens no data."""
    cleared: dict[str, str | None] = {name: None for name in os.environ if name.startswith("AGENTVIGIL_")}
    return CliRunner().invoke(agentvigil, arguments, env={**cleared, **(variables or {})}, prog_name="agentvigil")


def send_http(server: Server, body: bytes, key: str | None) -> int:
    headers = {"Content-Type": "application/x-protobuf"} | ({"Authorization": f"Bearer {key}"} if key else {})
    request = urllib.request.Request(
        f"http://{server.addresses['otlp_http']}/v1/traces", data=body, headers=headers, method="POST"
    )
    return _status(request)


def send_grpc(server: Server, body: bytes, key: str | None) -> grpc.StatusCode:
    with grpc.insecure_channel(server.addresses["otlp_grpc"]) as channel:
        call = channel.unary_unary(f"/{TRACES.grpc_service}/Export")
        try:
            call(body, metadata=[("authorization", f"Bearer {key}")] if key else [], timeout=60)
        except grpc.RpcError as exc:
            code = exc.code()
            assert isinstance(code, grpc.StatusCode)
            return code
    return grpc.StatusCode.OK


def sql(server: Server, query: str, key: str) -> str:
    request = urllib.request.Request(
        f"http://{server.addresses['clickhouse_http']}/",
        data=query.encode(),
        headers={"X-ClickHouse-Key": key, "X-ClickHouse-User": "anybody"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as exc:
        return f"{exc.code}: {exc.read().decode()}"


def _status(request: urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as exc:
        return exc.code


def test_each_project_sees_what_its_keys_sent(guarded: Guarded) -> None:
    """The same bytes from both, so that what tells their requests apart must be the project."""
    server, keys = guarded.server, guarded.keys
    both = a_request(a_span(1, name="the same"))
    for project in ("one", "two"):
        of_grpc, of_http = (a_request(a_span(n, name=f"{project} over {way}")) for n, way in ((2, "gRPC"), (3, "HTTP")))
        assert send_grpc(server, of_grpc, keys[project, "ingest"]) is grpc.StatusCode.OK
        assert send_http(server, of_http, keys[project, "ingest"]) == 200
        for _ in range(2):
            assert send_http(server, both, keys[project, "ingest"]) == 200

    for project in ("one", "two"):
        found = sql(server, "SELECT Project, SpanName FROM otel_traces ORDER BY SpanName", keys[project, "read"])
        spans = sorted([f"{project} over HTTP", f"{project} over gRPC", "the same"])
        assert found == "".join(f"{project}\t{span}\n" for span in spans)
    everybody = run_cli(
        "sql", "--data", str(server.data), "SELECT Project, count() FROM otel_traces GROUP BY 1 ORDER BY 1"
    )
    assert everybody.stdout.splitlines()[1:] == ["one\t3", "two\t3"]


def test_a_key_does_what_it_is_for_and_nothing_else(guarded: Guarded) -> None:
    server, keys = guarded.server, guarded.keys
    body = a_request(a_span(9))

    assert send_grpc(server, body, None) is grpc.StatusCode.UNAUTHENTICATED
    assert send_grpc(server, body, "vgl_wrong") is grpc.StatusCode.UNAUTHENTICATED
    assert send_grpc(server, body, keys["one", "read"]) is grpc.StatusCode.PERMISSION_DENIED
    assert send_http(server, body, None) == send_http(server, body, "vgl_wrong") == 401
    assert send_http(server, body, keys["one", "read"]) == 403
    assert sql(server, "SELECT 1", keys["one", "ingest"]).startswith("403: Code: 497.")
    assert sql(server, "SELECT 1", "vgl_wrong").startswith("403: Code: 516.")
    assert sql(server, "SELECT * FROM agentvigil_keys", keys["one", "read"]).startswith("404: Code: 60.")


def test_keys_are_managed_while_the_server_runs(guarded: Guarded) -> None:
    """By whoever may read the data directory; what is made or revoked counts at once."""
    server, data = guarded.server, str(guarded.server.data)
    made = json.loads(in_process("keys", "create", "--data", data, "--project", "three", "--json").stdout)
    assert sql(server, "SELECT count() FROM otel_traces", made["key"]) == "0\n"

    table = in_process("keys", "list", "--data", data).stdout
    listed: list[dict[str, Any]] = json.loads(in_process("keys", "list", "--data", data, "--json").stdout)
    assert len(listed) == len(guarded.keys) + 1
    assert made["id"] in table
    assert made["key"] not in table + json.dumps(listed)

    assert in_process("keys", "revoke", "--data", data, made["id"]).exit_code == 0
    assert sql(server, "SELECT 1", made["key"]).startswith("403: Code: 516.")
    assert in_process("keys", "revoke", "--data", data, "nosuchkey0").exit_code == 1
    assert in_process("projects", "create", "four", "--data", data).exit_code == 0
    projects = json.loads(in_process("projects", "list", "--data", data, "--json").stdout)
    assert {"default", "one", "two", "three", "four"} == {project["name"] for project in projects}


def test_a_key_that_is_set_counts_before_the_token_of_the_data(guarded: Guarded) -> None:
    """So that one can try on the spot what a key sees."""
    key = {"AGENTVIGIL_KEY": guarded.keys["one", "read"]}

    refused = in_process("keys", "create", "--data", str(guarded.server.data), variables=key)

    assert refused.exit_code == 1
    assert "needs scope admin" in refused.stderr
    assert refused.stdout == ""


def test_the_ready_line_says_that_keys_are_needed(guarded: Guarded) -> None:
    assert guarded.server.ready["keys_needed"] is True
    assert guarded.server.ready["usable_keys"] == 1


def test_what_can_not_be_a_key_is_a_mistake_of_the_command(tmp_path: Path) -> None:
    for wrong in (["--scope", "root"], ["--expires", "soon"], ["--project", "x", "--all-projects"]):
        assert in_process("keys", "create", "--data", str(tmp_path / "data"), *wrong).exit_code == 2
    assert not (tmp_path / "data").exists()


@pytest.mark.long
def test_keys_without_a_server_are_those_of_the_data(tmp_path: Path) -> None:
    """They are made before the first start; looking makes nothing."""
    data = tmp_path / "data"
    nothing = run_cli("keys", "list", "--data", str(data))
    assert (nothing.returncode, nothing.stdout, data.exists()) == (2, "", False)

    keys = ("keys", "create", "--data", str(data))
    made, refused, unknown = run_in_turn(
        (*keys, "--name", "ci"), (*keys, "--name", "two words"), ("keys", "revoke", "--data", str(data), "nosuchkey0")
    )
    assert made.returncode == 0, made.stderr
    assert "it is the first one here" in made.stderr
    assert (refused.returncode, refused.stdout) == (2, "")
    assert unknown.returncode == 1
    revoked, known = run_in_turn(
        ("keys", "revoke", "--data", str(data), made.stdout.strip()), ("keys", "list", "--data", str(data), "--json")
    )
    assert revoked.returncode == 0
    (listed,) = json.loads(known.stdout)
    assert (listed["name"], listed["project"], listed["is_usable"]) == ("ci", "default", False)


def test_sql_says_where_a_home_holds_nothing(tmp_path: Path) -> None:
    result = run_cli("sql", "--data", str(tmp_path), "SELECT count() FROM otel_traces")

    assert result.returncode == 1
    assert f"{tmp_path} holds no telemetry" in result.stderr
    assert "--data" in result.stderr
