"""``agentvigil prices`` on a server that runs, over its real HTTP interface, and without one."""

import asyncio
import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from click.testing import CliRunner, Result
from priced_store import costs, insert_calls, priced_store
from prometheus_client import CollectorRegistry
from server_process import run_in_turn

from agentvigil.api.app import api_app
from agentvigil.api.prices import prices_router
from agentvigil.cli.commands import agentvigil
from agentvigil.storage.access import Access, KeyBook
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.prices.book import PriceBook
from agentvigil.storage.prices.loading import load_prices

_Run = Callable[..., Result]


@pytest.fixture(scope="module")
def store(data_directory: DataDirectory, engine: EmbeddedStore) -> Iterator[EmbeddedStore]:
    """The store behind the server."""
    with priced_store(data_directory, "test_prices_cli") as store:
        load_prices(store)
        yield store


@pytest.fixture(scope="module")
def run(store: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Run]:
    """Runs ``agentvigil prices`` on the data directory that the server announced."""
    app = api_app(list, CollectorRegistry(), Access(KeyBook(store)), [prices_router(PriceBook(store))])
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    with DataDirectory(tmp_path_factory.mktemp("announced"), purpose="pytest") as directory:
        directory.announce({"api": f"127.0.0.1:{listener.getsockname()[1]}"})

        def invoke(*arguments: str) -> Result:
            return CliRunner().invoke(agentvigil, ["prices", *arguments, "--data", str(directory.path)])

        yield invoke
    server.should_exit = True
    thread.join()
    listener.close()


def test_set_list_diff_unset(run: _Run) -> None:
    done = run("set", "openai", "gpt-4o", "--input", "2", "--output", "8", "--since", "2026-02-01", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (
        0,
        [{"provider": "openai", "model": "gpt-4o", "since": "2026-02-01", "input": "2", "output": "8"}],
    )
    shown = run("list", "gpt-4o", "--source", "user")
    assert shown.exit_code == 0
    assert shown.stdout == "user  openai gpt-4o since 2026-02-01    input 2, output 8\n"
    differing = run("diff", "--json")
    assert differing.exit_code == 1
    assert {(e["price"], e["user"]) for e in json.loads(differing.stdout)} == {
        ("input", "2"),
        ("output", "8"),
        ("cache_read", None),
    }
    assert run("unset", "openai", "gpt-4o").exit_code == 0
    assert run("unset", "openai", "gpt-4o").exit_code == 1
    assert run("diff").exit_code == 0


def test_what_can_not_be_is_said_in_words(run: _Run, tmp_path: Path) -> None:
    refused = run("set", "openai", "gpt-4o", "--cache-read", "1")
    assert (refused.exit_code, "`cache_read` is a part of `input`" in refused.stderr) == (1, True)
    assert run("set", "openai", "gpt-4o", "--tier", "express").exit_code == 2
    assert run("list", "no-such-model").exit_code == 1
    broken = tmp_path / "prices.csv"
    broken.write_text("provider,model,input\nopenai,a,1\nopenai,b,nan\n")
    refused = run("import", str(broken))
    assert refused.exit_code == 1
    assert "prices.csv, price 2: openai b: a price is 0 or more USD, `input` is NaN" in refused.stderr
    assert json.loads(run("list", "--source", "user", "--json").stdout) == []


def test_import_unpriced_and_recost(run: _Run, store: EmbeddedStore, tmp_path: Path) -> None:
    call = {
        "Provider": "my-gateway",
        "RequestModel": "llama",
        "Timestamp": datetime(2026, 3, 1, tzinfo=UTC),
        "InputTokens": 1_000_000,
    }
    insert_calls(store, [{**call, "Project": project} for project in ("default", "shop")])
    for options, calls in (((), 2), (("--project", "shop"), 1), (("--since", "2026-03-01"), 2)):
        listed = run("unpriced", "--json", *options)
        assert listed.exit_code == 1
        found = [(e["provider"], e["model"], e["calls"]) for e in json.loads(listed.stdout)]
        assert found == [("my-gateway", "llama", calls)]
    assert run("unpriced", "--since", "2026-03-02").exit_code == 0
    file = tmp_path / "prices.toml"
    file.write_text('[[prices]]\nprovider = "my-gateway"\nmodel = "*"\ninput = 0.25\noutput = 1\n')

    assert run("import", str(file)).exit_code == 0
    done = run("recost", "--json")

    assert done.exit_code == 0
    assert [(e["spans"], e["traces"], e["after_usd"]) for e in json.loads(done.stdout)] == [(2, 2, "0.5")]
    assert [str(cost) for cost in costs(store)] == ["0.250000000"] * 2
    assert run("unpriced").exit_code == 0


@pytest.mark.parametrize(
    ("lines", "words"),
    [(['{"error": "the disk is full"}'], "the disk is full"), (['{"done'], "run it again"), ([], "run it again")],
    ids=["told", "cut", "nothing"],
)
def test_a_recost_that_ends_early_is_not_taken_for_done(lines: list[str], words: str) -> None:
    step = '{"partition": "p", "spans": 1, "traces": 1, "before_usd": "0", "after_usd": "1"}'

    class EndsEarly(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write("\n".join([step, *lines]).encode())
            if lines[:1] != ['{"done']:
                self.wfile.write(b"\n")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), EndsEarly) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        result = CliRunner().invoke(agentvigil, ["prices", "recost", "--url", url])
        thread.join()

    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr


@pytest.mark.long
def test_the_data_itself_has_the_prices_of_the_package(tmp_path: Path) -> None:
    """Before the first server as well, in the process of the command."""
    data = ("--data", str(tmp_path / "data"))
    listed, changed, differs, refused, done = run_in_turn(
        ("prices", "list", "gpt-4o", "--provider", "openai", "--json", *data),
        ("prices", "set", "openai", "gpt-4o", "--input", "2", *data),
        ("prices", "diff", *data),
        ("prices", "set", "openai", "gpt-4o", "--cache-read", "1", *data),
        ("prices", "recost", "--json", *data),
    )
    assert listed.returncode == 0, listed.stderr
    assert {"gpt-4o"} <= {entry["model"] for entry in json.loads(listed.stdout)}
    assert (changed.returncode, differs.returncode) == (0, 1)
    assert (refused.returncode, "`cache_read` is a part of `input`" in refused.stderr) == (1, True)
    assert (done.returncode, done.stdout) == (0, "[]\n")
