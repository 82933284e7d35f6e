"""The server as users run it, a process of its own that tests start, kill, stop, and look into afterwards.

chDB has one data path per process, and the process of the tests has its own already. So what a server stored is read
by one more process, once the server is gone.
"""

import atexit
import contextlib
import fcntl
import functools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, TypeVar

import grpc
from loaded_commands import LoadedCommands, Started

from agentvigil.receiver.otlp import TRACES, OtlpSignal

AGENTVIGIL: Final = (sys.executable, "-m", "agentvigil.cli")
ANY_PORTS: Final = tuple(
    argument
    for option in ("--otlp-grpc", "--otlp-http", "--clickhouse-http", "--api")
    for argument in (option, "127.0.0.1:0")
)

_PATIENCE_S: Final = 100.0  # for what must come, on a machine that is busy
_STOP_S: Final = 30.0
_RUN_STATEMENTS: Final = """
import json, sys
from pathlib import Path
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore

answers = []
with DataDirectory(Path(sys.argv[1]), purpose="test") as directory:
    store = EmbeddedStore(directory, "default")
    for statement in json.load(sys.stdin):
        if statement.split()[0] in ("SELECT", "WITH"):
            answers.append([list(row) for row in store.rows(statement)])
        else:
            store.command(statement)
    store.close()
json.dump(answers, sys.stdout, default=str)
"""
_FIND_COLUMNS: Final = """
import sys
from pathlib import Path
from agentvigil.storage.data_directory import DataDirectory
from agentvigil.storage.embedded import EmbeddedStore
from agentvigil.storage.pipeline import PIPELINES, ways_of

with DataDirectory(Path(sys.argv[1]), purpose="test") as directory:
    store = EmbeddedStore(directory, "default")
    for arrival in PIPELINES:
        for way in ways_of(arrival):
            store._columns_of(way)
    store.close()
"""
_RUN_COMMANDS: Final = """
import json, sys, traceback
from click.testing import CliRunner
from agentvigil.cli.commands import agentvigil

done = []
for arguments in json.load(sys.stdin):
    result = CliRunner().invoke(agentvigil, arguments, prog_name="agentvigil")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        traceback.print_exception(result.exception)
        sys.exit(1)
    done.append((result.exit_code, result.stdout, result.stderr))
json.dump(done, sys.stdout)
"""

_T = TypeVar("_T")


class Server:
    """``agentvigil up`` on ``data``, or another ``command`` that serves, which may be started again after it was killed
    or stopped.

    Its output goes to files in ``logs``, apart from what is searched for secrets; ``cwd`` is where it runs.
    """

    def __init__(
        self,
        data: Path,
        logs: Path,
        *arguments: str,
        variables: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        prepares: bool = True,
        command: str = "up",
    ) -> None:
        self.data, self.logs = data, logs
        self._prepares = prepares and "--clickhouse" not in arguments and command == "up"
        self.addresses: dict[str, str] = {}
        self.ready: dict[str, Any] = {}
        self.starts = 0
        where = ("--data", str(data), *ANY_PORTS) if command == "up" else ()
        self._arguments = [command, "--json", *where, *arguments]
        self._environment = environment(variables)
        self._cwd = cwd
        self._process: Started | subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Return when the ready line is there; fail with the server's own words if it does not come.

        A home that does not exist yet is a prepared one.
        """
        self.starts += 1
        if not self.data.exists() and self._prepares:
            prepare(self.data)
        stdout = self.logs / f"{self.starts}.stdout"
        stderr = self.logs / f"{self.starts}.stderr"
        with stdout.open("wb") as out, stderr.open("wb") as err, Path(os.devnull).open("rb") as nothing:
            self._process = process = _start(self._arguments, nothing, out, err, self._environment, self._cwd)

        def ready() -> bool:
            assert process.poll() is None, f"the server ended with {process.returncode}:\n{self.output()}"
            return stdout.read_bytes().endswith(b"\n")

        until(ready, "the ready line")
        self.ready = json.loads(stdout.read_bytes())
        names = ("otlp_grpc", "otlp_http", "clickhouse_http", "api")
        self.addresses = {name: self.ready[name] for name in names if name in self.ready}

    def kill(self) -> None:
        """SIGKILL, as the kernel does when memory runs out; safe to call twice."""
        if self._process is not None and self.is_running:
            self._process.kill()
            self._process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the server to end with the signal ``number`` and return its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(_STOP_S)

    def output(self) -> str:
        """All that any start of this server wrote to stdout and stderr."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.logs.iterdir()))


def prepare(data: Path) -> Path:
    """Make ``data`` a copy of a home that a server has made, and return it.

    The schema and the prices take seconds, and what they become is tested where a home is new.
    """
    shutil.copytree(_prepared_home(), data, symlinks=True)
    return data


def keep_prepared_home_in(folder: Path) -> None:
    """Have all processes that say so share one prepared home; ``folder`` outlives them."""
    global _home_of_all
    _home_of_all = folder


_home_of_all: Path | None = None


@functools.cache
def _prepared_home() -> Path:
    """A data directory that a server has made and left in good order, without any telemetry.

    What the first insert of each signal finds out about its columns, and leaves behind, is there already.
    """
    if _home_of_all is None:
        folder = Path(tempfile.mkdtemp(prefix="agentvigil-prepared-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    else:
        folder = _home_of_all / "agentvigil-prepared"
        folder.mkdir(exist_ok=True)
    home = folder / "data"
    with (folder / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            _make_home(folder, home)
    return home


def _make_home(folder: Path, home: Path) -> None:
    made = Path(tempfile.mkdtemp(dir=folder))
    (made / "logs").mkdir()
    server = Server(made / "data", made / "logs", prepares=False)
    server.start()
    assert server.stop() == 0, server.output()
    subprocess.run([sys.executable, "-c", _FIND_COLUMNS, str(server.data)], env=environment(), check=True)
    server.data.rename(home)


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process' environment without settings of ours or of OpenTelemetry, and with ``variables``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTVIGIL_", "OTEL_"))}
    return {**kept, **(variables or {})}


def run_cli(
    *arguments: str, variables: Mapping[str, str] | None = None, stdin: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run ``agentvigil`` with ``arguments`` to its end."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        process = _start(list(arguments), given, out, err, environment(variables))
        try:
            returncode = process.wait(60)
        finally:
            process.kill()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(arguments, returncode, out.read().decode(), err.read().decode())


def _start(
    arguments: list[str],
    stdin: IO[bytes],
    stdout: IO[bytes],
    stderr: IO[bytes],
    variables: Mapping[str, str],
    cwd: Path | None = None,
) -> Started | subprocess.Popen[bytes]:
    """Start ``agentvigil``: from a process that has it loaded, where a process may be forked that has threads."""
    if sys.platform != "linux":
        command = [*AGENTVIGIL, *arguments]
        return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr, env=variables, cwd=cwd)
    return _loaded_commands().start(arguments, stdin, stdout, stderr, variables, cwd)


@functools.cache
def _loaded_commands() -> LoadedCommands:
    commands = LoadedCommands()
    atexit.register(commands.stop)
    return commands


class Done(NamedTuple):
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


def run_in_turn(*commands: Sequence[str]) -> list[Done]:
    """Run ``agentvigil`` with each of ``commands``, all in one process, which starts once.

    It is not this one, so that they may open data of their own.
    """
    process = subprocess.run(
        [sys.executable, "-c", _RUN_COMMANDS],
        env=environment(),
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return [Done(*told) for told in json.loads(process.stdout)]


def run_statements(data: Path, *statements: str) -> list[list[list[Any]]]:
    """Run SQL on ``data``, which nobody may own, in a process of its own; return the rows of each SELECT."""
    process = subprocess.run(
        [sys.executable, "-c", _RUN_STATEMENTS, str(data)],
        env=environment(),
        input=json.dumps(statements),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    answers: list[list[list[Any]]] = json.loads(process.stdout)
    return answers


def free_port() -> int:
    """A port that nobody listens on now, for a server that is started more than once.

    Below those that a kernel gives out by itself: else senders that look for a server that is away could be given its
    port, by chance, for their own end of a connection.
    """
    while True:
        port = random.randrange(20_000, 30_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def until(condition: Callable[[], _T], what: str, pause_s: float = 0.05) -> _T:
    """Return what ``condition`` returns as soon as that is true."""
    deadline = time.monotonic() + _PATIENCE_S
    while not (result := condition()):
        assert time.monotonic() < deadline, f"{what} did not come within {_PATIENCE_S} s"
        time.sleep(pause_s)
    return result


class OtlpSender:
    """Sends serialised requests of one signal over gRPC, as they are."""

    def __init__(self, address: str, otlp: OtlpSignal = TRACES) -> None:
        self._channel = grpc.insecure_channel(
            address,
            options=[
                # Threads must not share a connection, and must notice quickly that the server is back.
                ("grpc.use_local_subchannel_pool", 1),
                ("grpc.initial_reconnect_backoff_ms", 50),
                ("grpc.min_reconnect_backoff_ms", 50),
                ("grpc.max_reconnect_backoff_ms", 200),
            ],
        )
        self._export = self._channel.unary_unary(f"/{otlp.grpc_service}/Export")
        self._response = otlp.response

    def send(self, body: bytes, metadata: Sequence[tuple[str, str]] = ()) -> Any:
        """Send ``body`` once and return the response message.

        Raises:
            grpc.RpcError: if it was not acknowledged.
        """
        answer: bytes = self._export(body, timeout=60, metadata=metadata)
        return self._response.FromString(answer)

    def close(self) -> None:
        self._channel.close()


def insert_under_way(data: Path) -> bool:
    """Say whether ClickHouse is writing a part right now: its folder has a name of its own until it is committed."""
    for table in (data / "clickhouse" / "store").glob("*/*"):
        try:
            if any(part.name.startswith("tmp_insert_") for part in table.iterdir()):
                return True
        except OSError:
            continue
    return False
