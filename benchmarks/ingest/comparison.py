"""The first part of the benchmark: agentvigil and the yardstick in turn, traces over gRPC, the same measurements.

Each round runs each server twice, every time as a new process on an empty directory:

* *load*: requests of 512 spans as fast as they are acknowledged, then a fixed time for background merges to settle;
* *steady*: requests of 8 spans at a fixed rate, far below what either server can take.
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from measuring import TRACES, PartSampler, active_parts, cpu_seconds, peak_rss_bytes, size_bytes
from reporting import Occasion, Results, cell, circumstances
from servers import Server, agentvigil_command, intake_command, null_command, progress, send, yardstick_command

LOAD_REQUEST_SPANS: Final = 512
STEADY_REQUEST_SPANS: Final = 8
STEADY_IN_FLIGHT: Final = 256  # a second of requests at the default rate: the load stays open

SERVERS: Final[dict[str, Callable[[Path], list[str]]]] = {
    "agentvigil": agentvigil_command,
    "agentvigil without settling": intake_command,
    "yardstick": yardstick_command,
}


def _phase(name: str, phase: str, args: argparse.Namespace, results: Results, flags: Sequence[str]) -> None:
    """One server process, one load, all measurements of it added to ``results``."""
    values = results.values
    with Server(name, SERVERS[name], args.data_root) as server:
        cpu_before = cpu_seconds(server.pid)
        with PartSampler(server.data) as sampler:
            sent = send(server, "--warmup", str(args.warmup), *flags)
            stored = int(server.query("SELECT count() FROM otel_traces"))
            cpu_after_send = cpu_seconds(server.pid)
            if phase == "load":
                progress(f"  {sent['items_per_s']:,} spans/s; settling for {args.settle:g} s")
                time.sleep(args.settle)
        cpu_after = cpu_seconds(server.pid)
        rss = peak_rss_bytes(server.pid)
        parts = active_parts(server.data)
        counts = {table: len(found) for table, found in parts.items()}
        values[f"{phase}.parts_end"].append(counts.get(TRACES, 0))
        values[f"{phase}.parts_max"].append(max(sampler.most_traces, counts.get(TRACES, 0)))
        values[f"{phase}.parts_any_max"].append(max(sampler.most_any_table, *counts.values(), 0))
        acknowledged = sent["items_acknowledged"] + sent["items_acknowledged_in_warmup"]
        if phase == "load" and stored:
            values["bytes_traces"].append(size_bytes(parts.get(TRACES, [])) / stored)
            values["bytes_all"].append(size_bytes([part for found in parts.values() for part in found]) / stored)
            mean = server.query("SELECT avg(length(SpanAttributes)) FROM otel_traces")
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
        values["load.spans_per_s"].append(sent["items_per_s"])
        values["load.cpu"].append(cpu_s / max(acknowledged, 1) * 1e6)
        if cpu_before is not None and cpu_after_send is not None:
            values["load.cpu_sent"].append((cpu_after_send - cpu_before) / max(acknowledged, 1) * 1e6)
    else:
        if cpu_before is not None and cpu_after_send is not None:
            cpu_s = cpu_after_send - cpu_before
        values["steady.cpu_percent"].append(cpu_s / (args.warmup + sent["seconds"]) * 100)
        values["steady.spans_per_s"].append(sent["items_per_s"])
    for quantile in ("p50", "p99", "max"):
        values[f"{phase}.{quantile}"].append(sent["latency_ms"][quantile])
    values[f"{phase}.acknowledged"].append(acknowledged)
    values[f"{phase}.retries"].append(sent["retries"])
    results.workloads.add(f"{sent['items_per_request']}-span requests: {sent['workload']}")

    if server.exit_code not in (0, -signal.SIGTERM):
        results.notes.append(f"{name}, {phase}: ended with exit code {server.exit_code} when told to stop")
    if stored != acknowledged:
        results.faults.append(f"{name}, {phase}: {acknowledged:,} spans acknowledged, {stored:,} stored")
    if sent["errors"]:
        results.faults.append(f"{name}, {phase}: {sent['errors']} requests failed; the first: {sent['first_error']}")
    progress(
        f"  {phase}: {sent['items_per_s']:,} spans/s, p50 {sent['latency_ms']['p50']} ms, "
        f"p99 {sent['latency_ms']['p99']} ms, {stored:,} stored of {acknowledged:,} acknowledged"
    )


def measure(args: argparse.Namespace) -> dict[str, Results]:
    """All rounds, the servers in turn within each, so that a slow minute of the machine hits both."""
    results = {name: Results() for name in args.servers}
    load = ("--seconds", str(args.seconds), "--items", str(LOAD_REQUEST_SPANS))
    steady = ("--seconds", str(args.steady_seconds), "--items", str(STEADY_REQUEST_SPANS))
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
        return int(send(server, "--seconds", seconds, "--in-flight", str(args.in_flight))["items_per_s"])


def rows(args: argparse.Namespace) -> list[tuple[str, str]]:
    """Label and measurement of every line of the table."""
    rate = f"{args.rate:,.0f} spans/s"
    return [
        (f"spans/s acknowledged, {LOAD_REQUEST_SPANS}-span requests, {args.in_flight} in flight", "load.spans_per_s"),
        (f"CPU-s per million spans, {args.settle:g} s of merges after the load included", "load.cpu"),
        ("the same, until the last span is acknowledged", "load.cpu_sent"),
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


def report(args: argparse.Namespace, results: dict[str, Results], ceiling: int, occasion: Occasion) -> str:
    """The report as markdown."""
    names = list(results)
    lines = [
        f"| median of {args.rounds} rounds (lowest to highest) | {' | '.join(names)} |",
        f"|---|{'---:|' * len(names)}",
    ]
    lines += [
        f"| {label} | {' | '.join(cell(results[name].values[key]) for name in names)} |" for label, key in rows(args)
    ]
    seconds = (
        f"warm-up {args.warmup:g}, load {args.seconds:g}, settling {args.settle:g}, steady {args.steady_seconds:g}"
    )
    workloads = sorted({workload for result in results.values() for workload in result.workloads})
    lines += [
        "",
        *circumstances(occasion, seconds, workloads),
        f"- Sender on the same machine: {ceiling:,} spans/s against a server that keeps nothing",
    ]
    faults = [fault for result in results.values() for fault in result.faults]
    lines += [f"- **Fault**: {fault}" for fault in faults] or ["- Stored equals acknowledged in every run; no errors"]
    lines += [f"- Note: {note}" for result in results.values() for note in result.notes]
    return "\n".join(lines) + "\n"


def compare(args: argparse.Namespace, occasion: Occasion) -> tuple[str, bool]:
    """Run the part. Returns its report, and whether all went well."""
    ceiling = sender_ceiling(args)
    results = measure(args)
    return report(args, results, ceiling, occasion), not any(result.faults for result in results.values())
