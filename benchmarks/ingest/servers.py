"""The servers that are measured, each a process on an empty directory, and the sender run against them."""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

HERE: Final = Path(__file__).resolve().parent
BIN: Final = Path(sys.executable).parent
READY_TIMEOUT_S: Final = 120.0
STOP_TIMEOUT_S: Final = 30.0


class BenchmarkError(Exception):
    """The benchmark could not run."""


def progress(message: str) -> None:
    """Say what is going on, on stderr."""
    print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)


def agentvigil_command(data: Path) -> list[str]:
    """The product, all its ports chosen by the system."""
    ports = ("--otlp-grpc", "--otlp-http", "--clickhouse-http", "--api")
    flags = [word for port in ports for word in (port, "127.0.0.1:0")]
    return [str(BIN / "agentvigil"), "up", "--data", str(data), *flags, "--json"]


def intake_command(data: Path) -> list[str]:
    """The product as a receiver only: runs and steps are left to another server."""
    return [*agentvigil_command(data), "--no-settling"]


def yardstick_command(data: Path) -> list[str]:
    """The straightforward receiver."""
    return [sys.executable, str(HERE / "yardstick.py"), "--data", str(data), "--json"]


def null_command(_data: Path) -> list[str]:
    """A server that acknowledges and forgets, to see what the sender can do."""
    return [sys.executable, str(HERE / "yardstick.py"), "--null", "--json"]


class Server:
    """A server process on an empty data directory. Use as a context manager; leaving it stops the process."""

    def __init__(self, name: str, command: Callable[[Path], list[str]], data_root: Path | None) -> None:
        self.name = name
        self._directory = Path(tempfile.mkdtemp(prefix=f"bench-{name}-", dir=data_root))
        self.data = self._directory / "data"
        self._stderr = self._directory / "stderr"
        # Settings of the user's own installation must not reach the one measured.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AGENTVIGIL_")}
        with self._stderr.open("wb") as stderr:
            self._process = subprocess.Popen(
                command(self.data),
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=environment,
                start_new_session=True,  # Ctrl-C reaches us alone, and we stop it in order
            )
        self.pid = self._process.pid
        self.exit_code: int | None = None
        self.rusage: Any = None
        self.ready: dict[str, Any] = {}
        try:
            self.ready = self._wait_until_ready()
        except BaseException:
            self._stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def address(self, key: str) -> str:
        """HOST:PORT from the ready line, which may spell it as a URL."""
        return str(self.ready[key]).rpartition("//")[2].rstrip("/")

    def query(self, sql: str, **parameters: str) -> str:
        """Run SQL over the ClickHouse HTTP port. ``parameters`` are bound: ``{name:Type}`` in ``sql``."""
        bound = urllib.parse.urlencode({f"param_{name}": value for name, value in parameters.items()})
        address = f"http://{self.address('clickhouse_http')}/?{bound}"
        request = urllib.request.Request(address, data=sql.encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return str(response.read().decode()).strip()
        except urllib.error.HTTPError as error:
            raise BenchmarkError(f"{self.name} refused {sql!r}: {error.read().decode(errors='replace')}") from error

    def _wait_until_ready(self) -> dict[str, Any]:
        lines: queue.Queue[str] = queue.Queue()
        stdout = self._process.stdout
        assert stdout is not None

        def read() -> None:
            for line in stdout:
                lines.put(line)
            lines.put("")

        threading.Thread(target=read, daemon=True).start()
        try:
            line = lines.get(timeout=READY_TIMEOUT_S)
        except queue.Empty:
            raise BenchmarkError(
                f"{self.name} was not ready after {READY_TIMEOUT_S:.0f} s{self._last_words()}"
            ) from None
        if not line:
            raise BenchmarkError(f"{self.name} ended before it was ready{self._last_words()}")
        try:
            ready: dict[str, Any] = json.loads(line)
        except ValueError:
            raise BenchmarkError(f"{self.name} printed {line!r} where its ready line was due") from None
        if ready.get("status") != "ready":
            raise BenchmarkError(f"{self.name} is not ready: {line.strip()}")
        return ready

    def _last_words(self) -> str:
        words = self._stderr.read_text(errors="replace").strip()[-2000:]
        return f"; it said:\n{words}" if words else ""

    def _stop(self) -> None:
        """SIGTERM, then wait with wait4, which alone tells the resources used where there is no /proc."""
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_TIMEOUT_S
            waited, status, rusage = 0, 0, None
            while not waited and time.monotonic() < deadline:
                waited, status, rusage = os.wait4(self.pid, os.WNOHANG)
                time.sleep(0.05)
            if not waited:
                progress(f"{self.name} did not stop within {STOP_TIMEOUT_S:.0f} s: killed")
                os.kill(self.pid, signal.SIGKILL)
                _, status, rusage = os.wait4(self.pid, 0)
            self.exit_code = self._process.returncode = os.waitstatus_to_exitcode(status)
            self.rusage = rusage
            if self.ready and self.exit_code not in (0, -signal.SIGTERM):
                progress(f"{self.name} ended with exit code {self.exit_code}{self._last_words()}")
        shutil.rmtree(self._directory, ignore_errors=True)


def send(server: Server, *flags: str, to: str = "otlp_grpc") -> dict[str, Any]:
    """Run the sender against one of a server's addresses, in a process of its own."""
    command = [sys.executable, str(HERE / "sender.py"), server.address(to), *flags]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"the sender failed with exit code {done.returncode} against {server.name}")
    sent: dict[str, Any] = json.loads(done.stdout)
    return sent
