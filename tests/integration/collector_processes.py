"""Collectors as users run them, processes of their own: Rotel from PyPI, and the OpenTelemetry Collector."""

import importlib.util
import os
import signal
import socket
import subprocess
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest
from server_process import environment, free_port, until

OTELCOL_VARIABLE: Final = "AGENTVIGIL_OTELCOL"
"""Names the binary of an OpenTelemetry Collector with the components of ``tests/interop/otelcol/builder.yaml``."""

OTELCOL_CONFIG: Final = Path(__file__).parents[2] / "otel-collector.yaml"

Launch = Callable[[str, str], tuple[Sequence[str | Path], Mapping[str, str]]]
"""From the addresses for OTLP over gRPC and HTTP to a command and its environment variables."""

_STOP_S: Final = 30.0
_TRIES: Final = 3


class Collector:
    """A collector with two addresses of its own, which may be started again after it was killed or stopped.

    What it writes goes to files in ``logs``, where it runs.
    """

    def __init__(self, launch: Launch, logs: Path, says_when_ready: str = "") -> None:
        self.grpc = self.http = ""
        self._launch, self._logs, self._says_when_ready = launch, logs, says_when_ready
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0

    def start(self) -> None:
        """Return when both ports are open and it says that it is ready; fail with the collector's own words if not.

        The first start chooses the ports, and chooses again if somebody else was quicker to take one.
        """
        self._logs.mkdir(exist_ok=True)
        if self.grpc:
            assert self._listens(), self.output()
            return
        for _ in range(_TRIES):
            self.grpc, self.http = (f"127.0.0.1:{free_port()}" for _ in range(2))
            if self._listens():
                return
        raise AssertionError(f"the collector does not start:\n{self.output()}")

    def kill(self) -> None:
        """SIGKILL; safe to call twice, and before the start."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """Ask the collector to end, which sends what it still can, and return its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(_STOP_S)

    def output(self) -> str:
        """All that any start of this collector wrote."""
        return "".join(path.read_text(errors="replace") for path in sorted(self._logs.glob("*.log")))

    def _listens(self) -> bool:
        """Start the process and say whether it came to listen."""
        command, variables = self._launch(self.grpc, self.http)
        self._starts += 1
        path = self._logs / f"{self._starts}.log"
        with path.open("wb") as log:
            self._process = process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=environment(variables), cwd=self._logs
            )
        until(
            lambda: (
                process.poll() is not None
                or (
                    all(_is_open(address) for address in (self.grpc, self.http))
                    and self._says_when_ready in path.read_text(errors="replace")
                )
            ),
            "the collector's ports",
            pause_s=0.05,
        )
        return process.poll() is None


def rotel(logs: Path, *arguments: str) -> Collector:
    """Rotel with ``arguments``; skips the test where its wheel has no binary for this machine."""
    binary = _rotel_binary()

    def launch(grpc_address: str, http_address: str) -> tuple[Sequence[str | Path], Mapping[str, str]]:
        addresses = ("--otlp-grpc-endpoint", grpc_address, "--otlp-http-endpoint", http_address)
        return [binary, "start", *addresses, "--pid-file", logs / "pid", *arguments], _rotel_variables()

    return Collector(launch, logs)


def otelcol(logs: Path, variables: Mapping[str, str], config: Path = OTELCOL_CONFIG) -> Collector:
    """The OpenTelemetry Collector with ``config`` and ``variables``; skips the test where none is named."""
    # Its own metrics would want port 8888, whoever has it.
    command = [otelcol_binary(), "--config", config, "--set=service::telemetry::metrics::level=none"]

    def launch(grpc_address: str, http_address: str) -> tuple[Sequence[str | Path], Mapping[str, str]]:
        return command, {
            "AGENTVIGIL_COLLECTOR_GRPC": grpc_address,
            "AGENTVIGIL_COLLECTOR_HTTP": http_address,
            "AGENTVIGIL_COLLECTOR_HEALTH": f"127.0.0.1:{free_port()}",
            "AGENTVIGIL_COLLECTOR_QUEUE": str(logs / "queue"),
            **variables,
        }

    # It opens its ports a moment earlier, and v0.155.0 ends with a panic if a request comes in it.
    return Collector(launch, logs, "Everything is ready")


def otelcol_binary() -> Path:
    """The Collector to test with; skips the test where none is named."""
    named = os.environ.get(OTELCOL_VARIABLE)
    if not named:
        pytest.skip(f"no OpenTelemetry Collector: `make interop` builds one, or name yours in {OTELCOL_VARIABLE}")
    return Path(named).resolve(strict=True)


def _rotel_binary() -> Path:
    package = importlib.util.find_spec("rotel")
    if package is None or package.origin is None:
        pytest.skip("no Rotel: it has wheels for Linux with glibc 2.34 or newer and for macOS only")
    binary = Path(package.origin).with_name("rotel-agent")
    try:
        tried = subprocess.run(
            [binary, "--version"], env=environment(_rotel_variables()), capture_output=True, timeout=30, check=False
        )
    except OSError as exc:
        pytest.skip(f"Rotel's binary does not run on this machine: {exc}")
    if tried.returncode:
        pytest.skip(f"Rotel's binary does not run on this machine: {tried.stderr.decode(errors='replace')}")
    return binary


def _rotel_variables() -> dict[str, str]:
    # The binary is linked to this Python's shared library, which is not where a loader looks if Python was not
    # installed by the system.
    libraries = [sysconfig.get_config_var("LIBDIR"), os.environ.get("LD_LIBRARY_PATH")]
    return {"LD_LIBRARY_PATH": os.pathsep.join(path for path in libraries if path)}


def _is_open(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False
