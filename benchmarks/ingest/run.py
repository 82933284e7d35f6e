"""The ingest benchmark: agentvigil and the yardstick in turn, the same load, the same measurements.

Each round runs each server twice, every time as a new process on an empty directory:

* *load*: requests of 512 spans as fast as they are acknowledged, then a fixed time for background merges to settle;
* *steady*: requests of 8 spans at a fixed rate, far below what either server can take.

After each load the stored spans are counted through SQL, at once: what was acknowledged must be there. CPU time
counts from the ready line to the end of the settling and is divided by all spans acknowledged, so it charges a
server for merges it put off. Parts are counted on disk, alike for both: a directory is an active part unless
another one covers its blocks. Results are medians over the rounds, with the extremes beside them.

Data on stdout (a markdown report), progress on stderr. Exit code 0: done; 1: a server lost or duplicated spans or
answered with errors; 2: could not run.
"""

import argparse
import contextlib
import datetime as dt
import functools
import importlib.metadata
import json
import os
import platform
import queue
import re
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

HERE: Final = Path(__file__).resolve().parent
BIN: Final = Path(sys.executable).parent
READY_TIMEOUT_S: Final = 120.0
STOP_TIMEOUT_S: Final = 30.0
SAMPLE_INTERVAL_S: Final = 0.5
LOAD_REQUEST_SPANS: Final = 512
STEADY_REQUEST_SPANS: Final = 8
STEADY_IN_FLIGHT: Final = 256  # a second of requests at the default rate: the load stays open
TRACES: Final = "otel_traces"

PART: Final = re.compile(r"(?P<partition>[^_]+)_(?P<first>\d+)_(?P<last>\d+)_(?P<level>\d+)(?:_\d+)?")
TABLE_UUID: Final = re.compile(r"ATTACH TABLE _ UUID '([0-9a-f-]+)'")


class BenchmarkError(Exception):
    """The benchmark could not run."""


def progress(message: str) -> None:
    """Say what is going on, on stderr."""
    print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)


# --- what the operating system knows of a process ---------------------------------------------------------------


def _stat_fields(pid: str) -> list[str]:
    # The second field is the program's name in parentheses and may hold spaces.
    return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()


def process_tree(pid: int) -> list[int]:
    """The process and its descendants (Linux)."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                children[int(_stat_fields(entry.name)[1])].append(int(entry.name))
    tree = [pid]
    for member in tree:
        tree.extend(children[member])
    return tree


def cpu_seconds(pid: int) -> float | None:
    """User and system time of the process and its descendants so far; None where there is no /proc."""
    if not Path("/proc/self/stat").exists():
        return None
    ticks = 0
    for member in process_tree(pid):
        with contextlib.suppress(OSError):
            # utime, stime, and those of children already waited for
            ticks += sum(int(value) for value in _stat_fields(str(member))[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_rss_bytes(pid: int) -> int | None:
    """Highest resident size so far, summed over the descendants; None where there is no /proc."""
    if not Path("/proc/self/status").exists():
        return None
    total = 0
    for member in process_tree(pid):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{member}/status").read_text()
            if found := re.search(r"VmHWM:\s+(\d+) kB", status):
                total += int(found[1]) * 1024
    return total


# --- what is on disk --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """One part directory of a MergeTree table."""

    path: Path
    partition: str
    first: int
    last: int
    level: int

    def covers(self, other: "Part") -> bool:
        """Whether this part is the result of a merge that took the other one in."""
        return (
            self.partition == other.partition
            and self.first <= other.first
            and other.last <= self.last
            and (self.level, self.path.name) > (other.level, other.path.name)
        )


@functools.cache
def _table_uuid(definition: Path) -> str | None:
    """The name of a table's directory, from the statement that defines the table."""
    found = TABLE_UUID.search(definition.read_text(errors="replace"))
    return found[1] if found else None


def active_parts(data: Path) -> dict[str, list[Part]]:
    """Active parts by table. Merged-away parts stay on disk for minutes and are left out."""
    tables: dict[str, list[Part]] = {}
    for store in data.glob("*/store"):
        names = {_table_uuid(definition): definition.stem for definition in store.glob("*/*/*.sql")}
        for table in store.glob("*/*"):
            if table.name not in names:
                continue
            by_partition: dict[str, list[Part]] = defaultdict(list)
            with contextlib.suppress(OSError):
                for entry in table.iterdir():
                    if match := PART.fullmatch(entry.name):
                        numbers = (int(match[key]) for key in ("first", "last", "level"))
                        by_partition[match["partition"]].append(Part(entry, match["partition"], *numbers))
            tables[names[table.name]] = [part for parts in by_partition.values() for part in _uncovered(parts)]
    return tables


def _uncovered(parts: list[Part]) -> Iterator[Part]:
    # Widest first: parts of one partition nest or are disjoint, so the last kept one is the only possible cover.
    kept: Part | None = None
    for part in sorted(parts, key=lambda p: (p.first, -p.last, -p.level)):
        if kept is None or not kept.covers(part):
            kept = part
            yield part


def size_bytes(parts: Sequence[Part]) -> int:
    """Bytes in the files of these parts."""
    total = 0
    for part in parts:
        for file in part.path.rglob("*"):
            with contextlib.suppress(OSError):
                total += file.stat().st_size
    return total


class PartSampler:
    """Counts active parts every half second and keeps the highest counts."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.most_traces = 0
        self.most_any_table = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_INTERVAL_S):
            counts = {table: len(parts) for table, parts in active_parts(self._data).items()}
            self.most_traces = max(self.most_traces, counts.get(TRACES, 0))
            self.most_any_table = max(self.most_any_table, *counts.values(), 0)


# --- servers ----------------------------------------------------------------------------------------------------


def agentvigil_command(data: Path) -> list[str]:
    """The product, all its ports chosen by the system."""
    ports = ("--otlp-grpc", "--otlp-http", "--clickhouse-http", "--api")
    flags = [word for port in ports for word in (port, "127.0.0.1:0")]
    return [str(BIN / "agentvigil"), "up", "--data", str(data), *flags, "--json"]


def yardstick_command(data: Path) -> list[str]:
    """The straightforward receiver."""
    return [sys.executable, str(HERE / "yardstick.py"), "--data", str(data), "--json"]


def null_command(_data: Path) -> list[str]:
    """A server that acknowledges and forgets, to see what the sender can do."""
    return [sys.executable, str(HERE / "yardstick.py"), "--null", "--json"]


SERVERS: Final[dict[str, Callable[[Path], list[str]]]] = {
    "agentvigil": agentvigil_command,
    "yardstick": yardstick_command,
}


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

    def query(self, sql: str) -> str:
        """Run SQL over the ClickHouse HTTP port."""
        request = urllib.request.Request(f"http://{self.address('clickhouse_http')}/", data=sql.encode(), method="POST")
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


def send(server: Server, *flags: str) -> dict[str, Any]:
    """Run the sender against a server, in a process of its own."""
    command = [sys.executable, str(HERE / "sender.py"), server.address("otlp_grpc"), *flags]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"the sender failed with exit code {done.returncode} against {server.name}")
    sent: dict[str, Any] = json.loads(done.stdout)
    return sent


# --- measuring --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Results:
    """Values of one server by measurement, one per round, and what went wrong."""

    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    workloads: set[str] = field(default_factory=set)


def _phase(name: str, phase: str, args: argparse.Namespace, results: Results, flags: Sequence[str]) -> None:
    """One server process, one load, all measurements of it added to ``results``."""
    values = results.values
    with Server(name, SERVERS[name], args.data_root) as server:
        cpu_before = cpu_seconds(server.pid)
        with PartSampler(server.data) as sampler:
            sent = send(server, "--warmup", str(args.warmup), *flags)
            stored = int(server.query(f"SELECT count() FROM {TRACES}"))
            cpu_after_send = cpu_seconds(server.pid)
            if phase == "load":
                progress(f"  {sent['spans_per_s']:,} spans/s; settling for {args.settle:g} s")
                time.sleep(args.settle)
        cpu_after = cpu_seconds(server.pid)
        rss = peak_rss_bytes(server.pid)
        parts = active_parts(server.data)
        counts = {table: len(found) for table, found in parts.items()}
        values[f"{phase}.parts_end"].append(counts.get(TRACES, 0))
        values[f"{phase}.parts_max"].append(max(sampler.most_traces, counts.get(TRACES, 0)))
        values[f"{phase}.parts_any_max"].append(max(sampler.most_any_table, *counts.values(), 0))
        acknowledged = sent["spans_acknowledged"] + sent["spans_acknowledged_in_warmup"]
        if phase == "load" and stored:
            values["bytes_traces"].append(size_bytes(parts.get(TRACES, [])) / stored)
            values["bytes_all"].append(size_bytes([part for found in parts.values() for part in found]) / stored)
            mean = server.query(f"SELECT avg(length(SpanAttributes)) FROM {TRACES}")
            values["attributes"].append(float(mean))

    # Where there is no /proc, the figures of the whole process, its start included, are the best there is.
    cpu_s = server.rusage.ru_utime + server.rusage.ru_stime
    if cpu_before is not None and cpu_after is not None:
        cpu_s = cpu_after - cpu_before
    if rss is None:
        rss = server.rusage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    values[f"{phase}.rss_mib"].append(rss / 2**20)
    values[f"{phase}.sender_cpu"].append(sent["cpu_s"] / max(acknowledged, 1) * 1e6)
    if phase == "load":
        values["load.spans_per_s"].append(sent["spans_per_s"])
        values["load.cpu"].append(cpu_s / max(acknowledged, 1) * 1e6)
    else:
        if cpu_before is not None and cpu_after_send is not None:
            cpu_s = cpu_after_send - cpu_before
        values["steady.cpu_percent"].append(cpu_s / (args.warmup + sent["seconds"]) * 100)
        values["steady.spans_per_s"].append(sent["spans_per_s"])
    for quantile in ("p50", "p99", "max"):
        values[f"{phase}.{quantile}"].append(sent["latency_ms"][quantile])
    values[f"{phase}.acknowledged"].append(acknowledged)
    values[f"{phase}.retries"].append(sent["retries"])
    results.workloads.add(f"{sent['spans_per_request']}-span requests: {sent['workload']}")

    if server.exit_code not in (0, -signal.SIGTERM):
        results.notes.append(f"{name}, {phase}: ended with exit code {server.exit_code} when told to stop")
    if stored != acknowledged:
        results.faults.append(f"{name}, {phase}: {acknowledged:,} spans acknowledged, {stored:,} stored")
    if sent["errors"]:
        results.faults.append(f"{name}, {phase}: {sent['errors']} requests failed; the first: {sent['first_error']}")
    progress(
        f"  {phase}: {sent['spans_per_s']:,} spans/s, p50 {sent['latency_ms']['p50']} ms, "
        f"p99 {sent['latency_ms']['p99']} ms, {stored:,} stored of {acknowledged:,} acknowledged"
    )


def measure(args: argparse.Namespace) -> dict[str, Results]:
    """All rounds, the servers in turn within each, so that a slow minute of the machine hits both."""
    results = {name: Results() for name in args.servers}
    load = ("--seconds", str(args.seconds), "--requests-spans", str(LOAD_REQUEST_SPANS))
    steady = ("--seconds", str(args.steady_seconds), "--requests-spans", str(STEADY_REQUEST_SPANS))
    for number in range(1, args.rounds + 1):
        for name in args.servers:
            progress(f"round {number} of {args.rounds}, {name}: load")
            _phase(name, "load", args, results[name], (*load, "--in-flight", str(args.in_flight)))
            progress(f"round {number} of {args.rounds}, {name}: steady")
            _phase(
                name,
                "steady",
                args,
                results[name],
                (*steady, "--rate", str(args.rate), "--in-flight", str(STEADY_IN_FLIGHT)),
            )
    return results


def sender_ceiling(args: argparse.Namespace) -> int:
    """Spans per second that the sender reaches when nothing is done with them."""
    progress("sender against a server that keeps nothing")
    with Server("null", null_command, args.data_root) as server:
        seconds = str(min(args.seconds, 5))
        return int(send(server, "--seconds", seconds, "--in-flight", str(args.in_flight))["spans_per_s"])


# --- reporting --------------------------------------------------------------------------------------------------


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cell(values: Sequence[float]) -> str:
    """Median and extremes of one measurement."""
    if not values:
        return "n/a"
    median = _number(statistics.median(values))
    low, high = _number(min(values)), _number(max(values))
    return median if low == high else f"{median} ({low} to {high})"


def rows(args: argparse.Namespace) -> list[tuple[str, str]]:
    """Label and measurement of every line of the table."""
    rate = f"{args.rate:,.0f} spans/s"
    return [
        (f"spans/s acknowledged, {LOAD_REQUEST_SPANS}-span requests, {args.in_flight} in flight", "load.spans_per_s"),
        (f"CPU-s per million spans, {args.settle:g} s of merges after the load included", "load.cpu"),
        ("request latency under that load, p50 ms", "load.p50"),
        ("request latency under that load, p99 ms", "load.p99"),
        (f"request latency at {rate} in {STEADY_REQUEST_SPANS}-span requests, p50 ms", "steady.p50"),
        (f"request latency at {rate}, p99 ms", "steady.p99"),
        (f"request latency at {rate}, longest ms", "steady.max"),
        (f"CPU at {rate}, % of one core", "steady.cpu_percent"),
        (f"rate held, of {rate}", "steady.spans_per_s"),
        ("active parts of otel_traces, load: at the end", "load.parts_end"),
        ("active parts of otel_traces, load: most seen", "load.parts_max"),
        (f"active parts of otel_traces, {rate}: at the end", "steady.parts_end"),
        (f"active parts of otel_traces, {rate}: most seen", "steady.parts_max"),
        (f"active parts of any one table, {rate}: most seen", "steady.parts_any_max"),
        ("bytes on disk per span, otel_traces", "bytes_traces"),
        ("bytes on disk per span, all tables", "bytes_all"),
        ("attributes stored per span", "attributes"),
        ("peak RSS, load, MiB", "load.rss_mib"),
        (f"peak RSS, {rate}, MiB", "steady.rss_mib"),
        ("spans acknowledged in all, load", "load.acknowledged"),
        (f"spans acknowledged in all, {rate}", "steady.acknowledged"),
        ("requests sent again, load", "load.retries"),
        ("sender's own CPU-s per million spans, load", "load.sender_cpu"),
    ]


def machine() -> str:
    """CPU model, usable cores, memory and system."""
    model = platform.processor() or platform.machine()
    if sys.platform == "darwin":
        model = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
        ).stdout.strip()
    elif (cpuinfo := Path("/proc/cpuinfo")).exists():
        if found := re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()):
            model = found[1]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {cores} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def versions() -> str:
    """Versions of everything that takes part."""
    names = ("agentvigil", "chdb", "chdb-core", "clickhouse-connect", "grpcio", "protobuf", "numpy")
    found = [f"Python {platform.python_version()}"]
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    if git := shutil.which("git"):
        described = subprocess.run(
            [git, "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True, check=False
        )
        if described.returncode == 0:
            found.append(f"commit {described.stdout.strip()}")
    return ", ".join(found)


def report(
    args: argparse.Namespace,
    results: dict[str, Results],
    ceiling: int,
    started: dt.datetime,
    load_averages: tuple[float, float, float],
) -> str:
    """The whole report as markdown."""
    names = list(results)
    lines = [
        f"| median of {args.rounds} rounds (lowest to highest) | {' | '.join(names)} |",
        f"|---|{'---:|' * len(names)}",
    ]
    lines += [
        f"| {label} | {' | '.join(cell(results[name].values[key]) for name in names)} |" for label, key in rows(args)
    ]
    command = shlex.join(sys.orig_argv)
    workloads = sorted({workload for result in results.values() for workload in result.workloads})
    lines += [
        "",
        f"- Machine: {machine()}; load average when it began: {load_averages[0]:.2f}",
        f"- Versions: {versions()}",
        f"- Date: {started:%Y-%m-%d %H:%M} UTC",
        f"- Command: `{command}`",
        (
            f"- Seconds: warm-up {args.warmup:g}, load {args.seconds:g}, settling {args.settle:g}, "
            f"steady {args.steady_seconds:g}"
        ),
        f"- Workload (digests): {'; '.join(workloads)}",
        f"- Sender on the same machine: {ceiling:,} spans/s against a server that keeps nothing",
    ]
    faults = [fault for result in results.values() for fault in result.faults]
    lines += [f"- **Fault**: {fault}" for fault in faults] or ["- Stored equals acknowledged in every run; no errors"]
    lines += [f"- Note: {note}" for result in results.values() for note in result.notes]
    return "\n".join(lines) + "\n"


def parse_args() -> argparse.Namespace:
    """The command line; ``--quick`` sets every duration it does not name."""
    parser = argparse.ArgumentParser(description="Benchmark the ingest of agentvigil against a plain receiver.")
    parser.add_argument("--quick", action="store_true", help="one short round: does it run, not how fast")
    parser.add_argument("--rounds", type=int, help="rounds, servers in turn within each (3)")
    parser.add_argument("--seconds", type=float, help="measured seconds of the load (20)")
    parser.add_argument("--steady-seconds", type=float, help="measured seconds at the steady rate (20)")
    parser.add_argument("--warmup", type=float, help="seconds before each that are not timed (3)")
    parser.add_argument("--settle", type=float, help="seconds for merges after the load (10)")
    parser.add_argument("--rate", type=float, default=2000, help="steady rate in spans/s (2000)")
    parser.add_argument("--in-flight", type=int, default=64, help="requests under way during the load (64)")
    parser.add_argument(
        "--servers", nargs="+", choices=tuple(SERVERS), default=list(SERVERS), help="which servers to run (both)"
    )
    parser.add_argument("--data-root", type=Path, metavar="DIR", help="where data directories are made (temporary)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the report there as well")
    args = parser.parse_args()
    names = ("rounds", "seconds", "steady_seconds", "warmup", "settle")
    for name, quick, full in zip(names, (1, 2, 2, 0.5, 1), (3, 20, 20, 3, 10), strict=True):
        if getattr(args, name) is None:
            setattr(args, name, quick if args.quick else full)
    return args


def main() -> int:
    args = parse_args()
    started = dt.datetime.now(dt.UTC)
    load_averages = os.getloadavg()
    try:
        ceiling = sender_ceiling(args)
        results = measure(args)
    except (BenchmarkError, OSError) as error:
        progress(str(error))
        return 2
    text = report(args, results, ceiling, started, load_averages)
    print(text, end="", flush=True)
    if args.output:
        args.output.write_text(text)
    return 1 if any(result.faults for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
