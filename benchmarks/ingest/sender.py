"""The load: sends a pinned workload over OTLP and reports what was acknowledged, and how long it took.

Two ways to send, because they answer two questions:

* closed loop (``--in-flight K``): K requests are always under way, the next leaves when one is acknowledged.
  Answers "how many items per second at most".
* open loop (``--rate ITEMS_PER_S``): requests leave at fixed times whatever the server does, and a latency counts
  from the time its request *should* have left. A server that stalls for a second is charged for every request it
  kept waiting, not for one (coordinated omission).

Items are spans, log records or data points, as ``--signal`` says. A refusal that is not for good is answered as the
OTLP specification asks: wait, for as long as the server says or for a growing time, and send the same bytes again.
The latency of such a request includes its waits. Every other failure counts as an error and its items as not
acknowledged.

Every request is patched and then compressed here: bodies must be distinct, so they cannot be compressed beforehand.
That takes CPU time of the sender (``cpu_s``), which has to come from the same machine if the server is there too. It
is no part of a latency, but for gRPC, which compresses while it sends.

Prints one line of JSON on stdout.
"""

import argparse
import itertools
import json
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import grpc
import numpy as np
from patching import Stream
from transports import (
    COMPRESSIONS,
    WIRES,
    FailedError,
    GrpcTransport,
    HttpTransport,
    RefusedError,
    Transport,
    rejected_reader,
)
from workloads import SPELLINGS, workload_of

GIVE_UP_S: Final = 60.0
"""How long after the end of the run a refused request is still sent again."""

FIRST_WAIT_S: Final = 0.02
LONGEST_WAIT_S: Final = 2.0


@dataclass(slots=True)
class Tally:
    """What one thread saw. Only requests that were due after the warm-up have a latency."""

    items: int = 0
    items_in_warmup: int = 0
    rejected: int = 0
    latencies_s: list[float] = field(default_factory=list)
    retries: int = 0
    errors: int = 0
    error: str = ""
    last_answer: float = 0.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """When requests leave: at fixed intervals, or as soon as a thread is free when there is no interval."""

    start: float
    warmup_s: float
    seconds: float
    interval_s: float | None
    ticket: Callable[[], int]

    @property
    def measured_from(self) -> float:
        return self.start + self.warmup_s

    @property
    def end(self) -> float:
        return self.start + self.warmup_s + self.seconds


@dataclass(frozen=True, slots=True)
class Requests:
    """What one thread sends, and how: a stream of bodies of ``items`` each, and what reads rejections in answers."""

    stream: Stream
    transport: Transport
    items: int
    rejected: Callable[[bytes], int]

    def next_body(self) -> bytes:
        return self.transport.compress(self.stream.request())


def _send_until_end(requests: Requests, schedule: Schedule, tally: Tally) -> None:
    """Take the next place in the schedule, send, wait for the answer, until the schedule ends."""
    if (early := schedule.start - time.perf_counter()) > 0:
        time.sleep(early)
    while True:
        if schedule.interval_s is None:
            body = requests.next_body()
            due = time.perf_counter()
        else:
            due = schedule.start + schedule.ticket() * schedule.interval_s
            if due < schedule.end and (early := due - time.perf_counter() - 0.005) > 0:
                time.sleep(early)
            body = requests.next_body()
            if (early := due - time.perf_counter()) > 0:
                time.sleep(early)
        if due >= schedule.end:
            return
        try:
            answer = _export_with_retries(requests.transport, body, schedule.end + GIVE_UP_S, tally)
        except (FailedError, RefusedError) as error:
            tally.errors += 1
            tally.error = tally.error or str(error)
            continue
        answered = time.perf_counter()
        rejected = requests.rejected(answer)
        tally.rejected += rejected
        if due < schedule.measured_from:
            tally.items_in_warmup += requests.items - rejected
        else:
            tally.items += requests.items - rejected
            tally.latencies_s.append(answered - due)
            tally.last_answer = answered


def _export_with_retries(transport: Transport, body: bytes, give_up_at: float, tally: Tally) -> bytes:
    wait_s = FIRST_WAIT_S
    while True:
        try:
            return transport.export(body)
        except RefusedError as refused:
            if time.perf_counter() >= give_up_at:
                raise
            tally.retries += 1
            # Jitter keeps refused senders from coming back all at once.
            asked_for = wait_s if refused.wait_s is None else refused.wait_s
            time.sleep(min(asked_for, LONGEST_WAIT_S) * random.uniform(0.8, 1.2))
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)


def run(args: argparse.Namespace) -> dict[str, object]:
    """Send one load as the command line says, and sum up its threads."""
    workload = workload_of(args.signal, args.encoding, args.items)
    wire = WIRES[args.signal]
    rejected = rejected_reader(wire, args.encoding)
    threads = args.in_flight
    interval_s = workload.items_per_request / args.rate if args.rate else None
    channels: list[grpc.Channel] = []
    transports: list[Transport] = []
    if args.protocol == "grpc":
        # Channels to one address share a connection unless they keep their own pool.
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
        channels = [grpc.insecure_channel(args.endpoint, options) for _ in range(args.channels)]
        for channel in channels:
            grpc.channel_ready_future(channel).result(timeout=30)
        transports = [GrpcTransport(channels[i % len(channels)], wire, args.compression) for i in range(threads)]
    else:
        transports = [HttpTransport(args.endpoint, wire, args.encoding, args.compression) for _ in range(threads)]

    tallies = [Tally() for _ in range(threads)]
    cpu_before = time.process_time()
    start = time.perf_counter() + 0.1
    schedule = Schedule(start, args.warmup, args.seconds, interval_s, itertools.count().__next__)
    workers = [
        threading.Thread(
            target=_send_until_end,
            args=(
                Requests(workload.stream(), transport, workload.items_per_request, rejected),
                schedule,
                tally,
            ),
            daemon=True,
        )
        for transport, tally in zip(transports, tallies, strict=True)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    cpu_s = time.process_time() - cpu_before
    for channel in channels:
        channel.close()

    latencies_ms = np.array([x for tally in tallies for x in tally.latencies_s]) * 1000
    items = sum(tally.items for tally in tallies)
    # To the last answer, not to the end of the schedule: what was in flight then took its time too.
    elapsed = max(max(tally.last_answer for tally in tallies) - schedule.measured_from, 0.0)
    p50, p90, p99, worst = np.percentile(latencies_ms, (50, 90, 99, 100)) if len(latencies_ms) else [float("nan")] * 4
    return {
        "signal": args.signal,
        "items_acknowledged": items,
        "items_acknowledged_in_warmup": sum(tally.items_in_warmup for tally in tallies),
        "items_rejected": sum(tally.rejected for tally in tallies),
        "seconds": round(elapsed, 3),
        "items_per_s": round(items / elapsed) if elapsed else 0,
        "requests": len(latencies_ms),
        "latency_ms": {
            "p50": round(float(p50), 2),
            "p90": round(float(p90), 2),
            "p99": round(float(p99), 2),
            "max": round(float(worst), 2),
        },
        "retries": sum(tally.retries for tally in tallies),
        "errors": sum(tally.errors for tally in tallies),
        "first_error": next((tally.error for tally in tallies if tally.error), None),
        "cpu_s": round(cpu_s, 2),
        "items_per_request": workload.items_per_request,
        "request_bytes_per_item": round(workload.bytes_per_item, 1),
        "workload": workload.digest,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Send a pinned workload over OTLP and report one line of JSON.")
    parser.add_argument("endpoint", help="HOST:PORT of the OTLP receiver")
    parser.add_argument("--signal", choices=tuple(WIRES), default="traces", help="what to send (traces)")
    parser.add_argument("--protocol", choices=("grpc", "http"), default="grpc", help="how to send it (grpc)")
    parser.add_argument(
        "--encoding", choices=tuple(SPELLINGS), default="protobuf", help="of bodies; json is for http only (protobuf)"
    )
    parser.add_argument(
        "--compression", choices=tuple(COMPRESSIONS), default="none", help="of bodies; zstd is for http only (none)"
    )
    parser.add_argument(
        "--items",
        "--requests-spans",
        type=int,
        default=512,
        metavar="N",
        help="spans, log records or data points per request (512)",
    )
    parser.add_argument("--seconds", type=float, default=10, metavar="S", help="measured time (10)")
    parser.add_argument("--warmup", type=float, default=0, metavar="S", help="time before it that is not measured (0)")
    parser.add_argument("--in-flight", type=int, default=16, metavar="K", help="most requests under way at once (16)")
    parser.add_argument("--rate", type=float, metavar="ITEMS_PER_S", help="open loop at this steady rate")
    parser.add_argument("--channels", type=int, default=1, metavar="N", help="gRPC connections (1)")
    args = parser.parse_args()
    if args.protocol == "grpc" and (args.encoding == "json" or args.compression == "zstd"):
        parser.error("gRPC has neither JSON nor zstd")
    # The default of 5 ms would show up in the latencies of an open loop.
    sys.setswitchinterval(0.0005)
    print(json.dumps(run(args)), flush=True)


if __name__ == "__main__":
    main()
