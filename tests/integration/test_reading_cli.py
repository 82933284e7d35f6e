"""``agentvigil runs`` and its like over HTTP of a server that runs: what they print is the API's."""

import asyncio
import contextlib
import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import uvicorn
from agent_traces import agent, chat, id_of, receive, run_of, settle_traces, tool, trace_of
from click.testing import CliRunner, Result
from fastapi import FastAPI
from fastapi.testclient import TestClient

from agentvigil.cli.api_access import Api, BrokenOff, CannotAsk, Refused, api_of
from agentvigil.cli.commands import agentvigil
from agentvigil.cli.settings import Settings
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from migrated_stores import MigratedStores
from served_api import app_over

_Run = Callable[..., Result]
_FIRST: Final = 0xA0000000 << 96
"""Numbers of traces from here on have ids that do not begin with zeros."""

_APART: Final = 1 << 96
_HOSTILE: Final = "evil\x1b[2J\u202eagent"


@contextlib.contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The ``host:port`` at which ``app`` is served."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextlib.contextmanager
def breaking_off() -> Iterator[str]:
    """The URL of a server that begins one answer and goes away."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def trace(number: int) -> int:
    return _FIRST + number * _APART


@pytest.fixture(scope="module")
def store(migrated_stores: MigratedStores) -> Iterator[EmbeddedStore]:
    """Six runs, of which every third failed in its tool, two more in one trace, and one in another project."""
    with migrated_stores.taken() as store:
        spans = []
        for number in range(1, 7):
            failed = "TimeoutError" if number % 3 == 0 else None
            begin = number * 1000
            name = _HOSTILE if number == 6 else f"agent{number % 2}"
            spans += [
                agent(
                    1,
                    trace=trace(number),
                    name=name,
                    start=begin,
                    end=begin + 500,
                    error=failed,
                    attributes={
                        "gen_ai.conversation.id": f"chat/{number}",
                        "user.id": f"u-{number}",
                        "gen_ai.agent.version": "1.4",
                    },
                ),
                chat(2, 1, start=begin, end=begin + 100, trace=trace(number)),
                tool(3, 1, "refund", begin + 100, begin + 400, trace=trace(number), error=failed),
            ]
        spans += [agent(0x7100 << 48, trace=trace(7), name="twin"), agent(0x7200 << 48, trace=trace(7), name="twin")]
        spans += [chat(2, trace=trace(8), project="other")]
        receive(store, *spans)
        projects = {number: "other" if number == 8 else "default" for number in range(1, 9)}
        settle_traces(store, {(project, trace(number)): True for number, project in projects.items()})
        yield store


@pytest.fixture(scope="module")
def client(store: EmbeddedStore) -> Iterator[TestClient]:
    """The API, to compare with."""
    with TestClient(app_over(store), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture(scope="module")
def run(store: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Run]:
    """Runs ``agentvigil`` on the data directory that the server announced."""
    with (
        serving(app_over(store)) as address,
        DataDirectory(tmp_path_factory.mktemp("announced"), purpose="pytest") as directory,
    ):
        directory.announce({"api": address})

        def invoke(*arguments: str) -> Result:
            return CliRunner().invoke(agentvigil, [*arguments, "--data", str(directory.path)])

        yield invoke


def told(result: Result, code: int = 0) -> Any:
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_lists_are_the_apis_items(run: _Run, client: TestClient) -> None:
    """Whoever starts with the command goes on with the API, and must find the same there."""
    everything = client.get("/v1/runs").json()["items"]
    assert len(everything) == 8

    assert told(run("runs", "--json")) == everything
    assert (
        told(run("runs", "--json", "--sort", "-duration_ms", "--limit", "2"))
        == (client.get("/v1/runs", params={"sort": "-duration_ms", "limit": 2}).json()["items"])
    )
    for arguments, params in (
        (("--status", "failure"), {"status": "failure"}),
        (("--agent", "agent0", "--agent", "twin"), {"agent": ["agent0", "twin"]}),
        (("--tool", "refund", "--min-duration-ms", "100"), {"tool": "refund", "min_duration_ms": 100}),
        (("--project", "other"), {"project": "other"}),
    ):
        found = client.get("/v1/runs", params=params).json()["items"]
        assert 0 < len(found) < 8
        assert told(run("runs", "--json", *arguments)) == found


def test_all_pages_are_read_if_all_are_wanted(store: EmbeddedStore, client: TestClient) -> None:
    """The API gives a thousand at a time, and people who ask for all count on all."""
    asked: list[str] = []

    class Paged:
        def open(self, method: str, path: str, query: str, body: bytes | None) -> tuple[int, Iterator[bytes]]:
            asked.append(query)
            page = client.get(f"{path}?{query.replace('limit=1000', 'limit=3')}")
            return page.status_code, iter([page.content])

    found, has_more = Api(Paged()).items("/v1/runs", {"since": "24h"}, None)

    assert (len({item["id"] for item in found}), has_more, len(asked)) == (8, False, 3)


def test_a_pipe_gets_tabs_and_a_line_of_names(run: _Run) -> None:
    """No colours, no cut values; names that would end a line or drive a terminal are made visible."""
    result = run("runs", "--limit", "3")
    names, *lines = result.stdout.splitlines()

    assert names.split("\t")[:5] == ["started_at", "id", "agent", "version", "status"]
    assert [line.split("\t")[1] for line in lines] == [run_of(trace(number), 1) for number in (6, 5, 4)]
    assert lines[0].split("\t")[2] == "evil\\x1b[2J\\u202eagent"
    assert lines[0].split("\t")[-1] == "tool timeout"
    assert "\x1b" not in result.output
    assert "there are more" in result.stderr


def test_nothing_found_is_no_error_and_says_where_else_to_look(run: _Run) -> None:
    result = run("runs", "--agent", "nobody")

    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1)
    assert "an earlier --since looks further back" in result.stderr
    assert told(run("runs", "--agent", "nobody", "--json")) == []


def test_one_run_is_run_steps_and_failures_in_one(run: _Run, client: TestClient) -> None:
    run_id = run_of(trace(6), 1)
    path = f"/v1/runs/{run_id}"

    assert told(run("run", run_id, "--json")) == {
        "run": client.get(path).json(),
        "steps": client.get(f"{path}/steps").json()["items"],
        "failures": client.get(f"{path}/failures").json(),
    }


def test_one_run_is_told_with_the_step_that_failed(run: _Run) -> None:
    """Without the web page this is how people find out why."""
    result = run("run", run_of(trace(6), 1))

    assert result.exit_code == 0
    assert result.stdout.startswith("evil\\x1b[2J\\u202eagent 1.4  failure\n")
    assert "\nwhy it failed\n" in result.stdout
    assert "✗ tool refund" in result.stdout
    assert "\n     tool timeout" in result.stdout
    assert "\x1b" not in result.output


@pytest.mark.parametrize(
    ("said", "number", "span"),
    [
        ("last", 6, 1),
        ("last-failed", 6, 1),
        (trace_of(trace(2))[:8], 2, 1),
        (trace_of(trace(2))[:8].upper(), 2, 1),
        (trace_of(trace(2)), 2, 1),
        (f"{trace_of(trace(7))[:8]}-72", 7, 0x7200 << 48),
        (run_of(trace(3), 1), 3, 1),
    ],
    ids=["last", "last-failed", "beginning", "capitals", "trace", "beginning of both ids", "whole"],
)
def test_a_run_is_found_by_what_people_have_at_hand(said: str, number: int, span: int, run: _Run) -> None:
    """Ids of 49 letters are not typed."""
    assert told(run("run", said, "--json"))["run"]["id"] == run_of(trace(number), span)


def test_what_means_no_run_or_several_is_said(run: _Run) -> None:
    twins = run("run", trace_of(trace(7))[:8])
    assert twins.exit_code == 1
    assert all(run_of(trace(7), number << 48) in twins.stderr for number in (0x7100, 0x7200))
    assert (run("run", "beef").exit_code, run("run", "last", "--project", "empty").exit_code) == (1, 1)
    missing = run("run", f"{'0' * 32}-{'1' * 16}")
    assert missing.exit_code == 1
    assert "project default has no run" in missing.stderr
    assert "`agentvigil runs` lists runs" in missing.stderr
    assert run("run", "latest").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--since", "yesterday"), "'yesterday' is no time"),
        (("--min-cost-usd", "-1"), "--min-cost-usd"),
        (("--status", "lost"), "'lost' is not one of 'success'"),
        (("--limit", "0"), "--limit"),
    ],
)
def test_what_can_not_be_asked_is_said_in_words(arguments: tuple[str, ...], words: str, run: _Run) -> None:
    result = run("runs", *arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert "Traceback" not in result.output


# --- who is asked


def invoke(*arguments: str, **variables: str) -> Result:
    return CliRunner(env=variables).invoke(agentvigil, ["runs", "--json", *arguments])


def test_a_server_elsewhere_is_asked_with_the_key(store: EmbeddedStore, tmp_path: Path) -> None:
    with serving(app_over(store, key="vgl_secret")) as address:
        url = f"http://{address}/"
        here = ("--data", str(tmp_path))
        assert len(told(invoke("--url", url, *here, AGENTVIGIL_INGEST_KEY="vgl_secret"))) == 8
        assert len(told(invoke(*here, AGENTVIGIL_INGEST_KEY="vgl_secret", AGENTVIGIL_URL=url))) == 8
        for variables in ({}, {"AGENTVIGIL_INGEST_KEY": "vgl_wrong"}):
            refused = invoke("--url", url, *here, **variables)
            assert (refused.exit_code, refused.stdout) == (2, "")
            assert "Bearer KEY" in refused.stderr
            assert "vgl_wrong" not in refused.output


def test_the_token_of_a_server_here_is_not_shown_to_one_elsewhere(tmp_path: Path) -> None:
    """It is a key to everything, and --url may name anybody."""
    shown: list[str | None] = []

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown.append(self.headers["Authorization"])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>welcome</html>")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Elsewhere) as server, DataDirectory(tmp_path, purpose="p") as here:
        here.announce({"api": "127.0.0.1:1"})
        threading.Thread(target=server.serve_forever, daemon=True).start()
        result = invoke("--url", f"http://127.0.0.1:{server.server_port}", "--data", str(tmp_path))
        server.shutdown()

    assert shown == [None]
    assert result.exit_code == 2
    assert "is that address AgentVigil's API?" in result.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1", "no answer from http://127.0.0.1:1: connection refused"),
        ("vigil.example.org:8787", "--url wants the address of the API"),
        ("http://user:secret@vigil:8787", "--url wants the address of the API"),
        ("http://vigil:8787/v1/runs", "--url wants the address of the API"),
        ("http://vigil:99999", "--url wants the address of the API"),
    ],
)
def test_nobody_at_the_other_end_is_exit_code_two(url: str, words: str, tmp_path: Path) -> None:
    result = invoke("--url", url, "--data", str(tmp_path))

    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert "secret" not in result.output


def test_a_place_without_data_is_left_as_it_is(tmp_path: Path) -> None:
    """Looking must not make a database where there was none."""
    data = tmp_path / "data"
    (data / "demo").mkdir(parents=True)

    result = invoke("--data", str(data))

    assert result.exit_code == 2
    assert f"there is no data in {data}" in result.stderr
    assert f"--data {data}/demo" in result.stderr
    assert [path.name for path in data.iterdir()] == ["demo"]


def test_an_answer_that_breaks_off_is_not_a_short_one(tmp_path: Path) -> None:
    with breaking_off() as url, api_of(Settings(data=tmp_path), url) as api:
        pieces = api.stream("/v1/exports/runs")
        assert next(pieces) == b"hello"
        with pytest.raises(BrokenOff):
            next(pieces)


def test_problems_keep_what_they_say(run: _Run, client: TestClient) -> None:
    class Straight:
        def open(self, method: str, path: str, query: str, body: bytes | None) -> tuple[int, Iterator[bytes]]:
            answer = client.request(method, f"{path}?{query}", content=body)
            return answer.status_code, iter([answer.content])

    with pytest.raises(Refused) as refused:
        Api(Straight()).get(f"/v1/runs/{id_of(1)}")
    assert refused.value.status == 404
    assert refused.value.hint.startswith("GET /v1/runs lists runs")
    with pytest.raises(CannotAsk):
        Api(Straight()).get("/metrics")


# --- sessions and agents


def test_sessions_are_the_apis_items(run: _Run, client: TestClient) -> None:
    assert told(run("sessions", "--json")) == client.get("/v1/sessions").json()["items"] != []
    names, line = run("sessions", "--user", "u-1").stdout.splitlines()
    assert names.split("\t")[:4] == ["last_at", "id", "users", "agents"]
    assert line.split("\t")[1:6] == ["chat/1", "u-1", "agent1", "1", "0"]
    assert "no sessions match" in run("sessions", "--user", "nobody").stderr


def test_agents_and_the_versions_of_one_are_what_the_api_says(run: _Run, client: TestClient) -> None:
    assert (
        told(run("agents", "--json", "--sort", "name"))
        == (client.get("/v1/agents", params={"sort": "name"}).json()["items"])
    )
    names, *lines = run("agents").stdout.splitlines()
    assert names.split("\t")[:4] == ["agent", "runs", "failures", "failure_rate"]
    assert {line.split("\t")[0] for line in lines} == {"agent0", "agent1", "twin", "evil\\x1b[2J\\u202eagent"}

    one = told(run("agents", _HOSTILE, "--json"))
    path = "/v1/agents/evil%1B%5B2J%E2%80%AEagent"
    assert one["versions"] == client.get(f"{path}/versions").json()["items"]
    assert one["agent"]["name"] == _HOSTILE
    assert one["agent"]["top_failures"] == [{"type": "tool", "code": "timeout", "runs": 1}]
    assert run("agents", "agent1").stdout.splitlines()[1].split("\t")[:3] == ["1.4", "3", "1"]
    assert run("agents", "nobody").exit_code == 1
    assert run("agents", "agent1", "--sort", "name").exit_code == 2


# --- export


@pytest.mark.parametrize("rows", ["runs", "steps", "spans", "findings"])
def test_exports_are_the_apis_bytes(rows: str, run: _Run, client: TestClient, tmp_path: Path) -> None:
    """To a file, and to whatever reads stdout."""
    file = tmp_path / f"{rows}.jsonl"

    to_file, to_stdout = run("export", rows, "--output", str(file)), run("export", rows, "--format", "jsonl")

    expected = client.get(f"/v1/exports/{rows}", params={"format": "jsonl"}).text.splitlines()
    assert (to_file.exit_code, to_file.stdout, to_stdout.exit_code) == (0, "", 0)
    assert sorted(file.read_text().splitlines()) == sorted(to_stdout.stdout.splitlines()) == sorted(expected)
    assert str(file) in to_file.stderr
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_an_export_takes_the_filters_of_what_it_exports(run: _Run, tmp_path: Path) -> None:
    failed = run("export", "runs", "--status", "failure").stdout.splitlines()
    assert len(failed) == 3
    assert failed[0].startswith('"id",')
    parquet = tmp_path / "steps.parquet"
    assert run("export", "steps", "--failed", "true", "-o", str(parquet)).exit_code == 0
    assert parquet.read_bytes()[:4] == parquet.read_bytes()[-4:] == b"PAR1"


def test_what_can_not_be_exported_leaves_no_file(run: _Run, tmp_path: Path) -> None:
    file = tmp_path / "runs.csv"
    assert run("export", "runs", "--since", "soon", "--output", str(file)).exit_code == 2
    assert run("export", "runs", "--output", str(tmp_path / "no" / "runs.csv")).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_breaks_off_leaves_the_file_of_before(tmp_path: Path) -> None:
    """A cut file that looks whole is worse than an old one."""
    file = tmp_path / "runs.csv"
    file.write_text("of yesterday")
    with breaking_off() as url:
        result = CliRunner().invoke(agentvigil, ["export", "runs", "--url", url, "-o", str(file)])

    assert result.exit_code == 1
    assert "broke off" in result.stderr
    assert file.read_text() == "of yesterday"
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]
