"""Sends a span, a log record and a data point as an application would, and looks for each in the store.

They carry the service name ``agentvigil-doctor`` and a trace id nobody else has, and with it an attribute that holds
content: that must not be found again.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from agentvigil.cli.calling import NoAnswer, bearer
from agentvigil.cli.doctor.findings import Finding, not_tried, note, ok, trouble
from agentvigil.cli.doctor.grpc_channel import export, open_channel
from agentvigil.cli.doctor.reaching import Reached, Visit
from agentvigil.cli.doctor.refusals import Refused, grpc_refusal, http_refusal
from agentvigil.receiver.otlp import LOGS, METRICS, TRACES, OtlpSignal
from agentvigil.semconv import __version__
from agentvigil.semconv.attributes import GEN_AI_INPUT_MESSAGES, GEN_AI_OPERATION_NAME, SERVICE_NAME, SERVICE_VERSION
from agentvigil.storage.errors import StorageError
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

SERVICE: Final = "agentvigil-doctor"
RUN: Final = "agentvigil.doctor.run"
"""Attribute with the trace id in hex, for data points, which have none of their own."""

_QUERIES: Final = load_queries("agentvigil.cli.doctor", "queries.sql")
_PAUSE_S: Final = 0.05

Send = Callable[[OtlpSignal, bytes], bytes]
"""Sends one serialised request and returns the serialised response; raises ``Refused`` or ``NoAnswer``."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing to send: how it is called, its signal, the serialised request and the query that finds it."""

    label: str
    otlp: OtlpSignal
    body: bytes
    query: str


@dataclass(frozen=True, slots=True)
class Canary:
    """What marks one set of probes: ``trace_id`` has 16 bytes, ``content`` must be withheld."""

    trace_id: bytes
    content: str

    @classmethod
    def new(cls) -> "Canary":
        return cls(os.urandom(16), f"canary-{os.urandom(12).hex()}")

    def parameters(self) -> Mapping[str, str]:
        """Return what the queries that find the probes need."""
        return {
            "service": SERVICE,
            "trace_id": self.trace_id.hex(),
            "run_key": RUN,
            "content_key": GEN_AI_INPUT_MESSAGES,
            "canary": self.content,
        }


def probes(canary: Canary, now_ns: int) -> list[Probe]:
    """Return a span, a log record and a data point of the time ``now_ns``, nanoseconds since 1970."""
    resource = Resource(attributes=_attributes({SERVICE_NAME: SERVICE, SERVICE_VERSION: __version__}))
    scope = InstrumentationScope(name="agentvigil.cli.doctor", version=__version__)
    attributes = _attributes(
        {
            RUN: canary.trace_id.hex(),
            GEN_AI_OPERATION_NAME: "chat",
            GEN_AI_INPUT_MESSAGES: f'[{{"role": "user", "content": "{canary.content}"}}]',
        }
    )
    span_id = os.urandom(8)

    traces = ExportTraceServiceRequest()
    scope_spans = traces.resource_spans.add(resource=resource).scope_spans.add(scope=scope)
    scope_spans.spans.add(
        trace_id=canary.trace_id,
        span_id=span_id,
        name="agentvigil doctor",
        kind=3,
        start_time_unix_nano=now_ns - 1_000_000,
        end_time_unix_nano=now_ns,
        attributes=attributes,
    )
    logs = ExportLogsServiceRequest()
    scope_logs = logs.resource_logs.add(resource=resource).scope_logs.add(scope=scope)
    scope_logs.log_records.add(
        trace_id=canary.trace_id,
        span_id=span_id,
        time_unix_nano=now_ns,
        observed_time_unix_nano=now_ns,
        severity_number=9,
        severity_text="INFO",
        body=AnyValue(string_value="agentvigil doctor was here"),
        attributes=attributes,
    )
    metrics = ExportMetricsServiceRequest()
    scope_metrics = metrics.resource_metrics.add(resource=resource).scope_metrics.add(scope=scope)
    gauge = scope_metrics.metrics.add(name="agentvigil.doctor.runs", unit="{run}").gauge
    gauge.data_points.add(time_unix_nano=now_ns, as_int=1, attributes=attributes)
    return [
        Probe("span", TRACES, traces.SerializeToString(), _QUERIES["find_spans"]),
        Probe("log record", LOGS, logs.SerializeToString(), _QUERIES["find_logs"]),
        Probe("metric", METRICS, metrics.SerializeToString(), _QUERIES["find_metrics"]),
    ]


def try_grpc(visit: Visit, reached: Reached, store: Store | None) -> list[Finding]:
    """Send everything over gRPC and look for it in ``store``, if there is one to look into."""
    channel = open_channel(reached.address, visit.instance.trust, reached.certificate)

    def send(otlp: OtlpSignal, body: bytes) -> bytes:
        try:
            return export(channel, otlp.grpc_service, body, visit.key, visit.timeout_s)
        except grpc.RpcError as exc:
            raise grpc_refusal(exc, visit.key) from exc

    try:
        return send_and_find("gRPC", send, store, visit.timeout_s)
    finally:
        channel.close()


def try_http(visit: Visit, reached: Reached, store: Store | None) -> list[Finding]:
    """Send everything over HTTP in protobuf and look for it in ``store``, if there is one to look into."""
    caller = visit.caller(reached)
    headers = {"Content-Type": "application/x-protobuf", **bearer(visit.key)}

    def send(otlp: OtlpSignal, body: bytes) -> bytes:
        answer = caller.call("POST", otlp.http_path, headers, body)
        if answer.status != 200:
            raise http_refusal(answer, visit.key)
        return answer.body

    try:
        return send_and_find("HTTP", send, store, visit.timeout_s)
    finally:
        caller.close()


def send_and_find(protocol: str, send: Send, store: Store | None, timeout_s: float) -> list[Finding]:
    """Send everything with ``send`` and look for it in ``store``, each for at most ``timeout_s``."""
    canary = Canary.new()
    findings = []
    found_items = found_content = 0
    for probe in probes(canary, time.time_ns()):
        check = f"{probe.label} over {protocol}"
        started = time.monotonic()
        try:
            response: Any = probe.otlp.response.FromString(send(probe.otlp, probe.body))
        except Refused as exc:
            findings.append(trouble(check, exc.found, exc.advice))
            continue
        except NoAnswer as exc:
            advice = "look at the server's log, or give --timeout more seconds"
            findings.append(trouble(check, f"sent, but not acknowledged: {exc}", advice))
            continue
        stored = f"acknowledged in {(time.monotonic() - started) * 1000:.0f} ms"
        if getattr(response.partial_success, probe.otlp.rejected_field):
            reason = response.partial_success.error_message
            findings.append(trouble(check, f"{stored}, but rejected: {reason}", "use the same release on both sides"))
        elif store is None:
            findings.append(note(check, f"{stored}; not looked for, since no SQL is answered (see above)"))
        else:
            try:
                items, content = _wait_for(store, probe, canary, started + timeout_s)
            except StorageError as exc:
                findings.append(
                    trouble(check, f"{stored}, but can not be looked for: {exc}", "see the store's findings")
                )
                continue
            found_items, found_content = found_items + items, found_content + content
            findings.append(_judge_found(check, stored, items, time.monotonic() - started))
    return [*findings, _judge_content(f"content over {protocol}", found_items, found_content)]


def _wait_for(store: Store, probe: Probe, canary: Canary, until: float) -> tuple[int, int]:
    """Return how many items came, and how many of them hold content, asking until there is one or ``until``."""
    while True:
        items, content = (int(value) for value in store.rows(probe.query, canary.parameters())[0])
        if items or time.monotonic() >= until:
            return items, content
        time.sleep(_PAUSE_S)


def _judge_found(check: str, stored: str, items: int, elapsed_s: float) -> Finding:
    if items == 1:
        return ok(check, f"{stored}, found by SQL after {elapsed_s * 1000:.0f} ms")
    if items:
        return trouble(check, f"{stored}, but is there {items} times", "look at the server's log; please report it")
    return trouble(
        check,
        f"{stored}, but not found by SQL within {elapsed_s:.0f} s",
        "check that the instance stores where --clickhouse and --database point; with a spool it may wait there: see "
        "agentvigil_spool_bytes at /metrics",
    )


def _judge_content(check: str, items: int, with_content: int) -> Finding:
    if not items:
        return not_tried(check, "nothing that was sent was found again")
    if with_content:
        return trouble(
            check,
            f"{GEN_AI_INPUT_MESSAGES} was stored with {with_content} of {items} items",
            "content must be withheld: upgrade the server, and look for what else it stored",
        )
    return ok(check, f"withheld: {GEN_AI_INPUT_MESSAGES} was sent with {items} items and stored with none")


def _attributes(values: Mapping[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in values.items()]
