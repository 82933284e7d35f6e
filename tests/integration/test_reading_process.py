"""``agentvigil runs`` and ``run`` as people meet them: a server that runs or was stopped, a terminal or a pipe."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import urllib.request
from collections.abc import Callable, Mapping

import pytest
from agent_traces import Sp, agent, chat, request_of, tool
from server_process import AGENTVIGIL, OtlpSender, Server, environment, run_cli, run_in_turn, until

pytestmark = pytest.mark.long

StartServer = Callable[..., Server]


def recent(spans: list[Sp]) -> bytes:
    return request_of(spans).SerializeToString()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, start_shared_server: StartServer) -> Server:
    """A server that has settled 30 runs, the newest of which failed."""
    server = start_shared_server(tmp_path_factory.mktemp("home") / "data")
    spans = []
    for number in range(1, 31):
        error = "TimeoutError" if number == 30 else None
        begin = number * 1000
        spans += [
            agent(1, trace=number << 100, name="support-agent", start=begin, end=begin + 500, error=error),
            chat(2, 1, start=begin, end=begin + 100, trace=number << 100),
            tool(3, 1, "refund", begin + 100, begin + 400, trace=number << 100, error=error),
        ]
    sender = OtlpSender(server.addresses["otlp_grpc"])
    sender.send(recent(spans))
    sender.close()

    def settled() -> bool:
        with urllib.request.urlopen(f"http://{server.addresses['api']}/v1/runs", timeout=60) as answer:
            return len(json.load(answer)["items"]) == 30

    until(settled, "30 settled runs", pause_s=0.5)
    return server


def on_a_terminal(*arguments: str, width: int, variables: Mapping[str, str]) -> str:
    """What ``agentvigil`` writes to a terminal of ``width`` columns."""
    terminal, stdout = pty.openpty()
    fcntl.ioctl(stdout, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    # COLUMNS and LINES would win over the terminal; some library that is tested sets them.
    inherited = {name: value for name, value in environment().items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        [*AGENTVIGIL, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**inherited, "TERM": "xterm", **variables},
    )
    os.close(stdout)
    written = bytearray()
    while True:
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
    return written.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_table_fits_the_terminal_it_is_printed_on(width: int, home: Server) -> None:
    shown = on_a_terminal("runs", "--limit", "5", "--data", str(home.data), width=width, variables={})
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)

    assert shown != plain, "status is in colour"
    names, *lines = plain.splitlines()
    assert names.split()[0] == "ago"
    assert len(lines) == 5
    assert max(map(len, plain.splitlines())) <= width
    assert ("version" in names, "took" in names) == (width == 140, width > 60)


def test_colours_are_left_out_where_they_are_not_wanted(home: Server) -> None:
    """https://no-color.org, and terminals that can do nothing but print."""
    for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        shown = on_a_terminal("run", "last-failed", "--data", str(home.data), width=80, variables=variables)
        assert "\x1b" not in shown
        assert "✗ tool refund" in shown


def test_a_terminal_without_unicode_gets_ascii(home: Server) -> None:
    shown = on_a_terminal(
        *("run", "last-failed", "--data", str(home.data)), width=80, variables={"PYTHONIOENCODING": "ascii"}
    )

    assert shown.isascii()
    assert "x tool refund" in shown
    assert "###" in shown


def test_a_reader_that_has_seen_enough_is_no_error(home: Server) -> None:
    """`agentvigil runs | head -1`."""
    command = subprocess.Popen(
        [*AGENTVIGIL, "runs", "--all", "--data", str(home.data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert command.stdout is not None
    assert command.stderr is not None
    command.stdout.close()

    assert command.wait(60) == 0
    assert command.stderr.read() == b""
    command.stderr.close()


def test_the_answers_are_the_same_with_and_without_a_server(home: Server) -> None:
    """People look at runs after they stopped the server as well, and must not have to know which way was taken.

    It is the last one here: without a server each of the others would take three times as long.
    """
    commands = (
        ("runs", "--json"),
        ("run", "last-failed"),
        ("agents",),
        ("export", "runs", "--format", "jsonl"),
    )

    def answers() -> list[str]:
        found = run_in_turn(*((*command, "--data", str(home.data)) for command in commands))
        assert [result.returncode for result in found] == [0] * len(commands), found
        # An export is in no order.
        return ["\n".join(sorted(re.sub(r"\d+[smh] ago", "AGO", result.stdout).splitlines())) for result in found]

    with_server = answers()
    assert home.stop() == 0
    without = answers()

    assert without == with_server
    assert len(without[-1].splitlines()) == 30
    refused = run_cli("runs", "--since", "soon", "--data", str(home.data))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Traceback" not in refused.stderr
