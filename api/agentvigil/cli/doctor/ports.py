"""Looks at the ports of an instance: who answers, over TLS or not, whether the key is taken, and how it says it is.

The key is shown only to a port that answered as ours should, and over TLS only to a server that proved who it is.
"""

import email.utils
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import ValidationError

from agentvigil.api.operations import Check, Health
from agentvigil.cli.calling import NoAnswer, TrustUnusable, bearer
from agentvigil.cli.doctor.clock import ClockOffset
from agentvigil.cli.doctor.findings import Finding, Status, note, ok, trouble
from agentvigil.cli.doctor.greeting import Certificate, Protocol
from agentvigil.cli.doctor.grpc_channel import export, open_channel
from agentvigil.cli.doctor.reaching import Misfit, Reached, Visit, reach
from agentvigil.cli.doctor.refusals import SENDERS_WAIT, grpc_refusal, http_refusal, key_refusal
from agentvigil.cli.doctor.sql_reader import SqlReader
from agentvigil.cli.settings import option_of
from agentvigil.receiver.otlp import TRACES
from agentvigil.storage.errors import QueryFailed

_SHOWN: Final = 240
_DATE_UNCERTAINTY_S: Final = 1.0
"""A Date header has whole seconds, and servers make a new one once a second."""


@dataclass(frozen=True, slots=True)
class PortReport:
    """What was found at one port; ``reached`` is None unless it is ours and lets us in.

    ``health`` is the answer of ``/health``, ``clock`` what its Date header says, ``certificate`` what it proved to be.
    """

    findings: list[Finding]
    reached: Reached | None = None
    health: Health | None = None
    clock: ClockOffset | None = None
    certificate: Certificate | None = None


def look_at_port(visit: Visit, name: str) -> PortReport:
    """Return what is at the interface ``name`` of the instance."""
    check = f"port {option_of(name)[2:]}"
    protocol = Protocol.GRPC if name == "otlp_grpc" else Protocol.HTTP
    address = visit.instance.addresses[name]
    try:
        reached = reach(visit, name, protocol)
        report = _LOOKS[name](visit, reached, check)
    except Misfit as misfit:
        return PortReport([trouble(check, f"{address}: {misfit.found}", misfit.advice)])
    except NoAnswer as exc:
        advice = f"something else may have this port; give the server's address with {option_of(name)}"
        return PortReport([trouble(check, f"{address}: {exc}", advice)])
    except TrustUnusable as exc:
        return PortReport([trouble(check, f"{address}: {exc}", "give files that this user can read")])
    return replace(report, certificate=reached.certificate)


def _over(reached: Reached) -> str:
    return f"{reached.address} over TLS" if reached.certificate else reached.address


def _look_at_grpc(visit: Visit, reached: Reached, check: str) -> PortReport:
    channel = open_channel(reached.address, visit.instance.trust, reached.certificate)
    try:
        try:
            started = time.monotonic()
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=""), timeout=visit.timeout_s
            )
            elapsed_ms = (time.monotonic() - started) * 1000
        except grpc.RpcError as exc:
            refused = grpc_refusal(exc, visit.key)
            if refused.code is not grpc.StatusCode.UNIMPLEMENTED:
                return PortReport([trouble(check, f"{_over(reached)}: {refused.found}", refused.advice)])
            found = (
                f"{_over(reached)}: speaks gRPC without a health service, so it is another program, e.g. a Collector"
            )
            return PortReport([trouble(check, found, "give the server's address with --otlp-grpc")])
        serving = answer.status == health_pb2.HealthCheckResponse.SERVING
        said = f"{_over(reached)}: gRPC health {'SERVING' if serving else 'NOT_SERVING'}, in {elapsed_ms:.0f} ms"
        try:
            export(channel, TRACES.grpc_service, b"", visit.key, visit.timeout_s)
        except grpc.RpcError as exc:
            refused = grpc_refusal(exc, visit.key)
            if refused.code not in SENDERS_WAIT:
                return PortReport([trouble(check, f"{said}; {refused.found}", refused.advice)])
        if not serving:
            advice = "the server says so while it can not store: see the findings of its own checks"
            return PortReport([trouble(check, said, advice)], reached)
        return PortReport([ok(check, said)], reached)
    finally:
        channel.close()


def _look_at_otlp_http(visit: Visit, reached: Reached, check: str) -> PortReport:
    caller = visit.caller(reached)
    try:
        asked = caller.call("GET", TRACES.http_path)
        if asked.status != 405:
            found = f"{_over(reached)}: speaks HTTP, but takes no OTLP (HTTP {asked.status} at {TRACES.http_path})"
            return PortReport(
                [trouble(check, found, "another program has this port: give the address with --otlp-http")]
            )
        started = time.monotonic()
        answer = caller.call(
            "POST", TRACES.http_path, {"Content-Type": "application/x-protobuf", **bearer(visit.key)}, b""
        )
        elapsed_ms = (time.monotonic() - started) * 1000
    finally:
        caller.close()
    if answer.status == 200:
        return PortReport([ok(check, f"{_over(reached)}: takes OTLP, in {elapsed_ms:.0f} ms")], reached)
    refused = http_refusal(answer, visit.key)
    if refused.code in SENDERS_WAIT:
        # That is not about the port; the test telemetry shows it with what to do.
        return PortReport([ok(check, f"{_over(reached)}: answers, and turns senders away now")], reached)
    return PortReport([trouble(check, f"{_over(reached)}: {refused.found}", refused.advice)])


def _look_at_sql(visit: Visit, reached: Reached, check: str) -> PortReport:
    caller = visit.caller(reached)
    try:
        ping = caller.call("GET", "/ping")
        if ping.status != 200 or ping.body.strip() != b"Ok.":
            found = f"{_over(reached)}: speaks HTTP, but is no ClickHouse (HTTP {ping.status} at /ping)"
            return PortReport(
                [trouble(check, found, "another program has this port: give the address with --clickhouse-http")]
            )
        started = time.monotonic()
        rows = SqlReader(caller, bearer(visit.key), "", is_embedded=True).rows("SELECT version()")
        elapsed_ms = (time.monotonic() - started) * 1000
    except QueryFailed as exc:
        if exc.code in (193, 194, 516):
            found, advice = key_refusal(visit.key)
            if "X-ClickHouse-Key" not in exc.detail:
                advice = f"a ClickHouse server has this port: give the address with --clickhouse-http; else, {advice}"
            return PortReport([trouble(check, f"{_over(reached)}: {found} (code {exc.code})", advice)])
        found = f"{_over(reached)}: {exc}: {exc.detail[:_SHOWN]}"
        return PortReport([trouble(check, found, "look at the server's log")])
    finally:
        caller.close()
    return PortReport(
        [ok(check, f"{_over(reached)}: SQL of ClickHouse {str(rows[0][0])[:40]}, in {elapsed_ms:.0f} ms")], reached
    )


def _look_at_api(visit: Visit, reached: Reached, check: str) -> PortReport:
    caller = visit.caller(reached)
    elsewhere = "another program has this port: give the address with --api"
    try:
        asked_at = time.time()
        answer = caller.call("GET", "/health")
        answered_at = time.time()
        try:
            health = Health.model_validate_json(answer.body)
        except ValidationError:
            found = f"{_over(reached)}: speaks HTTP, but has no /health of ours (HTTP {answer.status})"
            return PortReport([trouble(check, found, elsewhere)])
        metrics = caller.call("GET", "/metrics", bearer(visit.key))
    finally:
        caller.close()
    findings = []
    said = f"{_over(reached)}: agentvigil {health.version[:40]}, in {(answered_at - asked_at) * 1000:.0f} ms"
    if metrics.status == 200:
        findings.append(ok(check, said))
    elif metrics.status == 401:
        found, advice = key_refusal(visit.key)
        findings.append(trouble(check, f"{said}; {found} (HTTP 401 at /metrics)", advice))
    else:
        findings.append(note(check, f"{said}; HTTP {metrics.status} at /metrics", elsewhere))
    findings += [_of_health(entry) for entry in health.checks]
    usable = None if any(finding.status is Status.TROUBLE for finding in findings[:1]) else reached
    return PortReport(findings, usable, health, _date_offset(answer.headers.get("date"), asked_at, answered_at))


def _of_health(entry: Check) -> Finding:
    check, detail = f"health: {entry.name[:40]}", entry.detail[:_SHOWN]
    if entry.ok:
        return ok(check, detail)
    if entry.name == "disk":
        advice = (
            "senders are told RESOURCE_EXHAUSTED (429) and send again later: free some disk, shorten retention with "
            "--keep-days, or restart with a lower --min-free-disk-bytes"
        )
    else:
        advice = "senders are told UNAVAILABLE (503) and send again later: look at the store and at the server's log"
    return trouble(check, detail, advice)


def _date_offset(date: str | None, asked_at: float, answered_at: float) -> ClockOffset | None:
    try:
        seconds = email.utils.parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return None
    half_s = max(answered_at - asked_at, 0.0) / 2
    return ClockOffset(seconds + 0.5 - asked_at - half_s, _DATE_UNCERTAINTY_S + half_s)


_LOOKS: Final[Mapping[str, Callable[[Visit, Reached, str], PortReport]]] = {
    "otlp_grpc": _look_at_grpc,
    "otlp_http": _look_at_otlp_http,
    "clickhouse_http": _look_at_sql,
    "api": _look_at_api,
}
