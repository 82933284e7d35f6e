"""The second part of the benchmark: agentvigil by every road it takes OTLP by, under the load of the first part.

A road is a signal, a protocol, an encoding and a compression. Each round runs each road once, as a new process on an
empty directory: requests of 512 items as fast as they are acknowledged, then a fixed time for merges to settle. The
ratios compare roads within a round, so that a slow minute of the machine does not pass for a slow road.

The sender runs on the same cores and costs more by some roads than by others (JSON is twice as long, compressing takes
time), so each road's row says what the sender used, and what it reaches when nothing is done with its requests.
"""

import argparse
import signal
import statistics
import time
from dataclasses import dataclass
from typing import Any, Final

from measuring import active_parts, cpu_seconds, size_bytes
from reporting import Occasion, Results, cell, circumstances
from servers import Server, agentvigil_command, null_command, progress, send

from agentvigil.storage.signals import SIGNALS

REQUEST_ITEMS: Final = 512
CEILING_SECONDS: Final = 5.0
ENOUGH_HEADROOM: Final = 2.0
"""A sender that does not reach this multiple of a road's rate was measured along with the server."""

TABLES: Final = {stored.name: [to.table for to in stored.destinations] for stored in SIGNALS}
"""In which an item of a signal may be."""
_STORED: Final = (
    "SELECT sum(total_rows) FROM system.tables WHERE database = currentDatabase() AND name IN {tables:Array(String)}"
)
"""How many rows these tables have."""
HALF: Final = 0.5
"""Of the rate of traces: what every signal is to reach."""


@dataclass(frozen=True, slots=True)
class Road:
    """One way for telemetry to come in. The words are the sender's."""

    signal: str
    protocol: str
    encoding: str = "protobuf"
    compression: str = "none"

    @property
    def flags(self) -> tuple[str, ...]:
        return (
            *("--signal", self.signal),
            *("--protocol", self.protocol),
            *("--encoding", self.encoding),
            *("--compression", self.compression),
        )

    @property
    def port(self) -> str:
        """Which address of a server's ready line."""
        return f"otlp_{self.protocol}"


REFERENCE: Final = "traces/grpc"
ROADS: Final[dict[str, Road]] = {
    REFERENCE: Road("traces", "grpc"),
    "logs/grpc": Road("logs", "grpc"),
    "metrics/grpc": Road("metrics", "grpc"),
    "traces/grpc/gzip": Road("traces", "grpc", compression="gzip"),
    "traces/http": Road("traces", "http"),
    "traces/http/gzip": Road("traces", "http", compression="gzip"),
    "traces/http/zstd": Road("traces", "http", compression="zstd"),
    "traces/http/json": Road("traces", "http", "json"),
    "logs/http/json": Road("logs", "http", "json"),
    "metrics/http/json": Road("metrics", "http", "json"),
}


def _travel(name: str, args: argparse.Namespace, results: Results) -> None:
    """One server process, one load by one road, all measurements of it added to ``results``."""
    road, values = ROADS[name], results.values
    seconds = ("--warmup", str(args.warmup), "--seconds", str(args.seconds))
    with Server("agentvigil", agentvigil_command, args.data_root) as server:
        cpu_before = cpu_seconds(server.pid)
        sent = send(server, *road.flags, *seconds, *_load(args), to=road.port)
        stored = int(server.query(_STORED, tables=str(TABLES[road.signal])))
        progress(f"  {sent['items_per_s']:,} items/s; settling for {args.settle:g} s")
        time.sleep(args.settle)
        cpu_after = cpu_seconds(server.pid)
        parts = active_parts(server.data)
        if stored:
            values["bytes"].append(size_bytes([part for found in parts.values() for part in found]) / stored)

    acknowledged = sent["items_acknowledged"] + sent["items_acknowledged_in_warmup"]
    # Where there is no /proc, the figures of the whole process, its start included, are the best there is.
    cpu_s = server.rusage.ru_utime + server.rusage.ru_stime
    if cpu_before is not None and cpu_after is not None:
        cpu_s = cpu_after - cpu_before
    values["items_per_s"].append(sent["items_per_s"])
    values["cpu"].append(cpu_s / max(acknowledged, 1) * 1e6)
    values["sender_cpu"].append(sent["cpu_s"] / max(acknowledged, 1) * 1e6)
    for quantile in ("p50", "p99"):
        values[quantile].append(sent["latency_ms"][quantile])
    values["acknowledged"].append(acknowledged)
    values["retries"].append(sent["retries"])
    results.workloads.add(f"{road.signal} in {road.encoding}: {sent['workload']}")
    _judge(name, sent, acknowledged, stored, results)
    if server.exit_code not in (0, -signal.SIGTERM):
        results.notes.append(f"{name}: ended with exit code {server.exit_code} when told to stop")


def _judge(name: str, sent: dict[str, Any], acknowledged: int, stored: int, results: Results) -> None:
    """Add what went wrong to ``results``."""
    if stored != acknowledged:
        results.faults.append(f"{name}: {acknowledged:,} items acknowledged, {stored:,} stored")
    if sent["items_rejected"]:
        results.faults.append(f"{name}: {sent['items_rejected']:,} items rejected as not valid")
    if sent["errors"]:
        results.faults.append(f"{name}: {sent['errors']} requests failed; the first: {sent['first_error']}")
    progress(
        f"  p50 {sent['latency_ms']['p50']} ms, p99 {sent['latency_ms']['p99']} ms, {sent['retries']} sent again, "
        f"{stored:,} stored of {acknowledged:,} acknowledged"
    )


def _load(args: argparse.Namespace) -> tuple[str, ...]:
    return ("--items", str(REQUEST_ITEMS), "--in-flight", str(args.in_flight))


def ceiling(name: str, args: argparse.Namespace) -> int:
    """Items per second that the sender reaches by this road when nothing is done with them."""
    road = ROADS[name]
    seconds = ("--seconds", str(min(args.seconds, CEILING_SECONDS)), "--warmup", str(min(args.warmup, 1)))
    with Server("null", null_command, args.data_root) as server:
        return int(send(server, *road.flags, *seconds, *_load(args), to=road.port)["items_per_s"])


def _add_ratios(results: dict[str, Results]) -> None:
    """Rates as multiples of the reference's in the same round."""
    if REFERENCE in results:
        reference = results[REFERENCE].values["items_per_s"]
        for result in results.values():
            for rate, rate_of_reference in zip(result.values["items_per_s"], reference, strict=True):
                result.values["ratio"].append(rate / max(rate_of_reference, 1))


def columns(args: argparse.Namespace) -> list[tuple[str, str]]:
    """Heading and measurement of every column."""
    return [
        ("items/s acknowledged", "items_per_s"),
        (f"of {REFERENCE}", "ratio"),
        (f"CPU-s per million items, {args.settle:g} s of merges included", "cpu"),
        ("p50 ms", "p50"),
        ("p99 ms", "p99"),
        ("bytes on disk per item", "bytes"),
        ("requests sent again", "retries"),
        ("items acknowledged in all", "acknowledged"),
        ("sender's CPU-s per million items", "sender_cpu"),
        ("items/s the sender reaches if nothing is kept", "ceiling"),
    ]


def verdict(results: dict[str, Results]) -> str:
    """Whether every signal reaches half of traces over gRPC, as a figure; not a reason to fail."""
    over_grpc = {name: f"{name}/grpc" for name in TABLES}
    missing = [road for road in over_grpc.values() if road not in results]
    if missing:
        return f"- No signal slower than half of traces, items/s over gRPC: not known without {', '.join(missing)}"
    ratios = {name: statistics.median(results[road].values["ratio"]) for name, road in over_grpc.items()}
    answer = "yes" if min(ratios.values()) >= HALF else "**no**"
    figures = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items() if name != "traces")
    return f"- No signal slower than half of traces, items/s over gRPC: {answer} ({figures} of traces)"


def report(args: argparse.Namespace, results: dict[str, Results], occasion: Occasion) -> str:
    """The report as markdown."""
    headings = columns(args)
    title = f"road; median of {args.rounds} rounds (lowest to highest)"
    lines = [f"| {title} | {' | '.join(heading for heading, _ in headings)} |", f"|---|{'---:|' * len(headings)}"]
    lines += [
        f"| {name} | {' | '.join(cell(result.values[key]) for _, key in headings)} |"
        for name, result in results.items()
    ]
    seconds = f"warm-up {args.warmup:g}, load {args.seconds:g}, settling {args.settle:g}"
    workloads = sorted({workload for result in results.values() for workload in result.workloads})
    lines += [
        "",
        f"- Load: {REQUEST_ITEMS}-item requests, {args.in_flight} in flight; items are spans, log records, data points",
        verdict(results),
        *circumstances(occasion, seconds, workloads),
        *_about_the_sender(results),
    ]
    faults = [fault for result in results.values() for fault in result.faults]
    lines += [f"- **Fault**: {fault}" for fault in faults] or ["- Stored equals acknowledged in every run; no errors"]
    lines += [f"- Note: {note}" for result in results.values() for note in result.notes]
    return "\n".join(lines) + "\n"


def _about_the_sender(results: dict[str, Results]) -> list[str]:
    close = [
        f"{name} ({result.values['ceiling'][0] / statistics.median(result.values['items_per_s']):.1f} times)"
        for name, result in results.items()
        if result.values["ceiling"][0] < ENOUGH_HEADROOM * statistics.median(result.values["items_per_s"])
    ]
    if not close:
        return [f"- Sender: alone it reaches {ENOUGH_HEADROOM:g} times the rate of every road or more"]
    warning = f"alone it reaches less than {ENOUGH_HEADROOM:g} times the rate of {', '.join(close)}"
    return [f"- **Sender**: {warning}; figures there are lower bounds"]


def drive(args: argparse.Namespace, occasion: Occasion) -> tuple[str, bool]:
    """Run the part. Returns its report, and whether all went well."""
    results = {name: Results() for name in args.roads}
    for name in args.roads:
        progress(f"sender against a server that keeps nothing, {name}")
        results[name].values["ceiling"].append(ceiling(name, args))
    for number in range(1, args.rounds + 1):
        for name in args.roads:
            progress(f"round {number} of {args.rounds}, {name}")
            _travel(name, args, results[name])
    _add_ratios(results)
    return report(args, results, occasion), not any(result.faults for result in results.values())
