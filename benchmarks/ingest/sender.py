"""The load: sends the pinned workload over OTLP and reports what was acknowledged, and how long it took.

Two ways to send, because they answer two questions:

* closed loop (``--in-flight K``): K requests are always under way, the next leaves when one is acknowledged.
  Answers "how many spans per second at most".
* open loop (``--rate SPANS_PER_S``): requests leave at fixed times whatever the server does, and a latency counts
  from the time its request *should* have left. A server that stalls for a second is charged for every request it
  kept waiting, not for one (coordinated omission).

RESOURCE_EXHAUSTED and UNAVAILABLE (HTTP 429, 502, 503 and 504) are answered as the OTLP specification asks: wait,
for as long as the server says or for a growing time, and send the same bytes again. The latency of such a request
includes its waits. Every other failure counts as an error and its spans as not acknowledged.

Prints one line of JSON on stdout.
"""

import argparse
import http.client
import itertools
import json
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import grpc
import numpy as np
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from workload import Stream, Workload

GRPC_METHOD: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
HTTP_PATH: Final = "/v1/traces"
ATTEMPT_TIMEOUT_S: Final = 60.0
GIVE_UP_S: Final = 60.0
"""How long after the end of the run a refused request is still sent again."""

FIRST_WAIT_S: Final = 0.02
LONGEST_WAIT_S: Final = 2.0


class RefusedError(Exception):
    """The server took nothing and asks for the same bytes again later."""

    def __init__(self, reason: str, wait_s: float | None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class FailedError(Exception):
    """The request failed for good."""


class Transport(Protocol):
    """One way to export a request. Used by one thread."""

    def export(self, body: bytes) -> bytes:
        """Send a request and give back the serialised ``ExportTraceServiceResponse``.

        Raises:
            RefusedError: if the request may be sent again.
            FailedError: if it may not.
        """


class GrpcTransport:
    """OTLP over gRPC. The channel is shared between threads; the bytes go out as they are."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._export = channel.unary_unary(GRPC_METHOD, request_serializer=None, response_deserializer=None)

    def export(self, body: bytes) -> bytes:
        try:
            answer: bytes = self._export(body, timeout=ATTEMPT_TIMEOUT_S)
        except grpc.RpcError as error:
            reason = f"{error.code().name}: {error.details()}"
            if error.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE):
                raise RefusedError(reason, _retry_delay_s(error)) from error
            raise FailedError(reason) from error
        return answer


def _retry_delay_s(error: grpc.RpcError) -> float | None:
    """The wait a server asks for in a ``google.rpc.RetryInfo`` detail."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                retry_info = error_details_pb2.RetryInfo()
                if detail.Unpack(retry_info):
                    delay = retry_info.retry_delay
                    return float(delay.seconds + delay.nanos / 1e9)
    return None


class HttpTransport:
    """OTLP over HTTP/1.1 with protobuf bodies, one kept-alive connection per thread."""

    def __init__(self, host: str) -> None:
        self._connection = http.client.HTTPConnection(host, timeout=ATTEMPT_TIMEOUT_S)

    def export(self, body: bytes) -> bytes:
        try:
            self._connection.request("POST", HTTP_PATH, body, {"Content-Type": "application/x-protobuf"})
            response = self._connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise RefusedError(repr(error), None) from error
        if response.status == 200:
            return answer
        reason = f"HTTP {response.status}: {answer[:200]!r}"
        if response.status in (429, 502, 503, 504):
            retry_after = response.headers.get("Retry-After", "")
            raise RefusedError(reason, float(retry_after) if retry_after.isdigit() else None)
        raise FailedError(reason)


@dataclass(slots=True)
class Tally:
    """What one thread saw. Only requests that were due after the warm-up have a latency."""

    spans: int = 0
    spans_in_warmup: int = 0
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


def _send_until_end(stream: Stream, transport: Transport, spans: int, schedule: Schedule, tally: Tally) -> None:
    """Take the next place in the schedule, send, wait for the answer, until the schedule ends."""
    if (early := schedule.start - time.perf_counter()) > 0:
        time.sleep(early)
    while True:
        if schedule.interval_s is None:
            body = stream.request()
            due = time.perf_counter()
        else:
            due = schedule.start + schedule.ticket() * schedule.interval_s
            if due < schedule.end and (early := due - time.perf_counter() - 0.005) > 0:
                time.sleep(early)
            body = stream.request()
            if (early := due - time.perf_counter()) > 0:
                time.sleep(early)
        if due >= schedule.end:
            return
        try:
            answer = _export_with_retries(transport, body, schedule.end + GIVE_UP_S, tally)
        except (FailedError, RefusedError) as error:
            tally.errors += 1
            tally.error = tally.error or str(error)
            continue
        answered = time.perf_counter()
        stored = spans
        if answer:
            stored -= ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans
        if due < schedule.measured_from:
            tally.spans_in_warmup += stored
        else:
            tally.spans += stored
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
    workload = Workload(args.requests_spans)
    threads = args.in_flight
    interval_s = workload.spans_per_request / args.rate if args.rate else None
    channels: list[grpc.Channel] = []
    transports: list[Transport] = []
    if args.protocol == "grpc":
        # Channels to one address share a connection unless they keep their own pool.
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
        channels = [grpc.insecure_channel(args.endpoint, options) for _ in range(args.channels)]
        for channel in channels:
            grpc.channel_ready_future(channel).result(timeout=30)
        transports = [GrpcTransport(channels[i % len(channels)]) for i in range(threads)]
    else:
        transports = [HttpTransport(args.endpoint) for _ in range(threads)]

    tallies = [Tally() for _ in range(threads)]
    cpu_before = time.process_time()
    start = time.perf_counter() + 0.1
    schedule = Schedule(start, args.warmup, args.seconds, interval_s, itertools.count().__next__)
    workers = [
        threading.Thread(
            target=_send_until_end,
            args=(workload.stream(), transport, workload.spans_per_request, schedule, tally),
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
    spans = sum(tally.spans for tally in tallies)
    # To the last answer, not to the end of the schedule: what was in flight then took its time too.
    elapsed = max(max(tally.last_answer for tally in tallies) - schedule.measured_from, 0.0)
    p50, p90, p99, worst = np.percentile(latencies_ms, (50, 90, 99, 100)) if len(latencies_ms) else [float("nan")] * 4
    return {
        "spans_acknowledged": spans,
        "spans_acknowledged_in_warmup": sum(tally.spans_in_warmup for tally in tallies),
        "seconds": round(elapsed, 3),
        "spans_per_s": round(spans / elapsed) if elapsed else 0,
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
        "spans_per_request": workload.spans_per_request,
        "request_bytes_per_span": round(workload.bytes_per_span, 1),
        "workload": workload.digest,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Send the pinned workload over OTLP and report one line of JSON.")
    parser.add_argument("endpoint", help="HOST:PORT of the OTLP receiver")
    parser.add_argument("--protocol", choices=("grpc", "http"), default="grpc")
    parser.add_argument("--requests-spans", type=int, default=512, metavar="N", help="spans per request (512)")
    parser.add_argument("--seconds", type=float, default=10, metavar="S", help="measured time (10)")
    parser.add_argument("--warmup", type=float, default=0, metavar="S", help="time before it that is not measured (0)")
    parser.add_argument("--in-flight", type=int, default=16, metavar="K", help="most requests under way at once (16)")
    parser.add_argument("--rate", type=float, metavar="SPANS_PER_S", help="open loop at this steady rate")
    parser.add_argument("--channels", type=int, default=1, metavar="N", help="gRPC connections (1)")
    args = parser.parse_args()
    # The default of 5 ms would show up in the latencies of an open loop.
    sys.setswitchinterval(0.0005)
    print(json.dumps(run(args)), flush=True)


if __name__ == "__main__":
    main()
