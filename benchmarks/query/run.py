"""Measures how long the API takes to answer, idle and while telemetry comes in.

``python benchmarks/query/run.py --runs 1000000`` fills a store of its own, or takes the one that ``dataset.py`` filled
(``--data``, which then changes), starts ``agentvigil up`` on it, and asks every request of ``questions.py`` over one
HTTP connection, each time about other things. Then it does so again while a sender, in a process of its own, exports
spans at a steady rate, and the server makes runs and steps of them. Prints a table, or JSON.
"""

import argparse
import http.client
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeAlias
from urllib.parse import quote, urlencode

from questions import REQUESTS, Request

HERE: Final = Path(__file__).resolve().parent
BIN: Final = Path(sys.executable).parent
SENDER: Final = HERE.parent / "ingest" / "sender.py"
WARM_UP_S: Final = 30.0
"""How long telemetry comes in before anything is asked: settling begins some seconds after it."""

Samples: TypeAlias = Mapping[str, Sequence[Mapping[str, str]]]
"""Values for the places in requests, by the statement that drew them."""


@dataclass(frozen=True)
class Measured:
    """Milliseconds of one request, from asking to the last byte."""

    name: str
    load: str
    count: int
    p50_ms: float
    p95_ms: float
    worst_ms: float
    target_ms: int | None

    def __str__(self) -> str:
        target = "" if self.target_ms is None else f"{self.target_ms:>7,}{'' if self.p95_ms < self.target_ms else ' !'}"
        return f"{self.name:40s} {self.p50_ms:7.0f} {self.p95_ms:7.0f} {self.worst_ms:7.0f} {target}"


class Server:
    """``agentvigil up`` on ``data``, until the context ends."""

    def __init__(self, data: Path) -> None:
        ports = ("--otlp-grpc", "--otlp-http", "--clickhouse-http", "--api")
        flags = [word for port in ports for word in (port, "127.0.0.1:0")]
        command = [str(BIN / "agentvigil"), "up", "--data", str(data), *flags, "--json"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AGENTVIGIL_")}
        environment["AGENTVIGIL_API_REQUESTS_PER_MINUTE"] = "0"
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self._process.stdout is not None
        self.addresses: dict[str, str] = json.loads(self._process.stdout.readline())
        self._api = http.client.HTTPConnection(self.addresses["api"], timeout=120)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)

    def ask(self, path: str) -> float:
        """Return how many seconds the whole answer took."""
        began = time.perf_counter()
        self._api.request("GET", path)
        answer = self._api.getresponse()
        body = answer.read()
        elapsed_s = time.perf_counter() - began
        if answer.status != 200:
            raise SystemExit(f"{path} was answered {answer.status}: {body[:500]!r}")
        return elapsed_s

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the answer to a query, over the SQL interface."""
        connection = http.client.HTTPConnection(self.addresses["clickhouse_http"], timeout=300)
        connection.request("POST", "/?" + urlencode({"default_format": "JSONEachRow"}), sql.encode())
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise SystemExit(text)
        return [json.loads(line) for line in text.splitlines()]


def wait_for_sums(server: Server) -> None:
    """Return when every hour of the store is summed, as it is where a server has run for a while."""
    while True:
        connection = http.client.HTTPConnection(server.addresses["api"], timeout=60)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        waiting = {
            name: float(value)
            for name, _, value in (line.rpartition(" ") for line in text.splitlines() if line[:1] != "#")
        }
        hours = waiting["agentvigil_rollup_waiting_hours"]
        print(f"\r{hours:.0f} hours are still to be summed ", end="", file=sys.stderr, flush=True)
        if waiting["agentvigil_rollup_hours_total"] and hours <= 1:
            print(file=sys.stderr)
            return
        time.sleep(5)


def measure(server: Server, load: str, count: int, samples: Samples) -> list[Measured]:
    """Ask every request ``count`` times, in turns, so that all see the same load."""
    taken: dict[str, list[float]] = {request.name: [] for request in REQUESTS}
    for request in REQUESTS:
        server.ask(_path(request, samples))
    for done in range(count):
        for request in REQUESTS:
            taken[request.name].append(server.ask(_path(request, samples)) * 1000)
        print(f"\r{load}: {done + 1} of {count}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return [
        Measured(
            request.name,
            load,
            count,
            statistics.median(taken[request.name]),
            statistics.quantiles(taken[request.name], n=20, method="inclusive")[-1],
            max(taken[request.name]),
            request.target_ms,
        )
        for request in REQUESTS
    ]


def _path(request: Request, samples: Samples) -> str:
    said = {**random.choice(samples["runs"]), **random.choice(samples["failed_runs"])}
    return re.sub(r"\{(\w+)\}", lambda found: quote(said[found[1]], safe=""), request.path)


def _statements() -> dict[str, str]:
    parts = re.split(r"^-- (\w+) --\n", HERE.joinpath("samples.sql").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _told(figures: Sequence[Measured]) -> str:
    return "\n".join((f"{'ms':40s} {'p50':>7s} {'p95':>7s} {'worst':>7s} {'target':>7s}", *map(str, figures)))


def run(data: Path, count: int, rate: int) -> list[Measured]:
    """Measure a server on ``data``, first idle, then while ``rate`` spans a second come in."""
    with Server(data) as server:
        wait_for_sums(server)
        samples = {name: server.rows(sql) for name, sql in _statements().items()}
        figures = measure(server, "idle", count, samples)
        print(f"idle\n{_told(figures)}", flush=True)
        command = [sys.executable, str(SENDER), server.addresses["otlp_grpc"], "--rate", str(rate), "--seconds", "3600"]
        sender = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            time.sleep(WARM_UP_S)
            before = server.rows("SELECT count() AS spans FROM otel_traces")[0]["spans"]
            began = time.monotonic()
            busy = measure(server, f"{rate:,} spans/s", count, samples)
            stored = int(server.rows("SELECT count() AS spans FROM otel_traces")[0]["spans"]) - int(before)
            spans_per_s = stored / (time.monotonic() - began)
        finally:
            sender.kill()
            sender.wait()
        print(f"while {spans_per_s:,.0f} spans/s come in\n{_told(busy)}", flush=True)
    return [*figures, *busy]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a directory that dataset.py filled; else one is filled and removed")
    parser.add_argument("--runs", type=int, default=1_000_000, help="runs to fill it with (1,000,000)")
    parser.add_argument("--count", type=int, default=60, help="how often each request is asked (60)")
    parser.add_argument("--rate", type=int, default=10_000, help="spans a second that come in (10,000)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="agentvigil-query-") as folder:
        data = arguments.data
        if data is None:
            data = Path(folder) / "data"
            dataset = [sys.executable, str(HERE / "dataset.py"), "--data", str(data), "--runs", str(arguments.runs)]
            subprocess.run(dataset, check=True)
        figures = run(data, arguments.count, arguments.rate)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(figure) for figure in figures], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
