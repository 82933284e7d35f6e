"""Makes every check in an order that tells a story: this machine, the instance, its store, telemetry through both."""

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import unquote, urlsplit

from agentvigil.cli.calling import HttpCaller, Trust, bearer, clickhouse_call, key_for
from agentvigil.cli.doctor.clock import judge_clock
from agentvigil.cli.doctor.embedded_opening import look_at_embedded
from agentvigil.cli.doctor.findings import Finding, Status, guarded, not_tried, note, ok, trouble
from agentvigil.cli.doctor.greeting import Protocol, Spoken, Unreachable, greet
from agentvigil.cli.doctor.instance import Instance, find_instance, home_of, is_clickhouse_server, keeps_data_here
from agentvigil.cli.doctor.local import (
    look_at_configuration,
    look_at_data_directory,
    look_at_disk,
    look_at_versions,
)
from agentvigil.cli.doctor.ports import PortReport, look_at_port
from agentvigil.cli.doctor.reaching import Visit, look_at_certificate
from agentvigil.cli.doctor.sql_reader import SqlReader
from agentvigil.cli.doctor.store import look_at_disks, look_at_schema, look_at_server, look_at_store_clock
from agentvigil.cli.doctor.taken_ports import look_for_taken_ports
from agentvigil.cli.doctor.telemetry import try_grpc, try_http
from agentvigil.cli.settings import Settings, option_of
from agentvigil.semconv import __version__
from agentvigil.storage.data_directory import describe, read_owner
from agentvigil.storage.errors import StorageError
from agentvigil.storage.store import Store

_OPENING_S: Final = 30.0
"""Least time that an embedded store is given to open: the engine alone takes a second or two."""

_SHORTEST_SECRET: Final = 4
_HIDDEN: Final = "***"


def examine(settings: Settings, trust: Trust, *, timeout_s: float, test_telemetry: bool) -> list[Finding]:
    """Make all checks; ``timeout_s`` bounds each step on the network. Never raises for what it finds."""
    findings: list[Finding] = []
    instance = _find(settings, trust, timeout_s, findings)
    findings += guarded("versions", look_at_versions)
    findings += guarded("configuration", partial(look_at_configuration, settings, instance))
    if keeps_data_here(settings, instance):
        findings += guarded("data directory", partial(look_at_data_directory, settings))
        findings += guarded("disk", partial(look_at_disk, settings))
    with contextlib.ExitStack() as stack:
        if instance is None:
            findings += guarded("instance", partial(_none_runs, settings))
            findings += guarded("ports", partial(look_for_taken_ports, settings, timeout_s))
            findings += guarded("store", partial(_idle_store, stack, settings, timeout_s))
        else:
            visit = Visit(instance, key_for(settings, instance.owner or {}), timeout_s)
            findings += _running(stack, visit, settings, test_telemetry)
    secrets = _secrets(settings, instance)
    return [_without(secrets, finding) for finding in findings]


def _find(settings: Settings, trust: Trust, timeout_s: float, findings: list[Finding]) -> Instance | None:
    found: list[Instance] = []

    def look() -> list[Finding]:
        instance = find_instance(settings, trust)
        # With a ClickHouse server nothing says whether an instance runs, except that somebody answers.
        if instance is not None and (instance.found_by != "the default addresses" or _anybody(instance, timeout_s)):
            found.append(instance)
        return []

    findings += guarded("instance", look)
    return found[0] if found else None


def _anybody(instance: Instance, timeout_s: float) -> bool:
    for name, address in instance.addresses.items():
        protocol = Protocol.GRPC if name == "otlp_grpc" else Protocol.HTTP
        with contextlib.suppress(Unreachable):
            if greet(address, protocol, timeout_s) is not Spoken.OTHER:
                return True
    return False


def _none_runs(settings: Settings) -> list[Finding]:
    if is_clickhouse_server(settings):
        return [note("instance", "none answers at the default addresses", "start one with `agentvigil up`")]
    home = home_of(settings)
    owner = read_owner(home)
    if owner is not None:
        found = f"{describe(owner)} has the data directory, but does not listen"
        return [note("instance", found, "if it is starting, try again; else end it and start `agentvigil up`")]
    demo = read_owner(home / "demo")
    if demo is not None:
        advice = f"look at it with `agentvigil doctor --data {home / 'demo'}`"
        return [note("instance", f"none runs on this data; a demo does: {describe(demo)}", advice)]
    return [note("instance", "none runs on this data", f"start one with `agentvigil up --data {home}`")]


def _idle_store(stack: contextlib.ExitStack, settings: Settings, timeout_s: float) -> list[Finding]:
    if is_clickhouse_server(settings):
        return _server(stack, settings, timeout_s, running=False)[1]
    home = home_of(settings).expanduser().absolute()
    if read_owner(home) is not None:
        return [not_tried("store", "another process has the data directory, and an embedded store has one owner")]
    if not (home / "clickhouse").is_dir():
        return [ok("store", "there is no data yet")]
    return look_at_embedded(home, settings.database, max(timeout_s, _OPENING_S))


def _running(stack: contextlib.ExitStack, visit: Visit, settings: Settings, test_telemetry: bool) -> list[Finding]:
    names = list(visit.instance.addresses)
    with ThreadPoolExecutor(len(names), "agentvigil-doctor") as pool:
        looks = {name: pool.submit(_look, visit, name) for name in names}
        reports = {name: look.result() for name, look in looks.items()}
    findings = guarded("instance", partial(_describe, visit.instance, reports))
    findings += [finding for report in reports.values() for finding in report.findings]
    certificates = {report.certificate for report in reports.values() if report.certificate is not None}
    findings += [look_at_certificate(certificate, time.time()) for certificate in certificates]

    store, found = _store(stack, visit, settings, reports)
    findings += found
    api_clock = reports["api"].clock
    if api_clock is not None and (store is None or api_clock.certain_s):
        findings.append(judge_clock("clock of the API", f"the Date of {visit.instance.addresses['api']}", api_clock))
    if not test_telemetry:
        return findings
    for name, protocol, attempt in (("otlp_grpc", "gRPC", try_grpc), ("otlp_http", "HTTP", try_http)):
        check, reached = f"test telemetry over {protocol}", reports[name].reached
        if reached is None:
            findings.append(not_tried(check, f"see port {option_of(name)[2:]}"))
        else:
            findings += guarded(check, partial(attempt, visit, reached, store))
    return findings


def _look(visit: Visit, name: str) -> PortReport:
    reports: list[PortReport] = []

    def look() -> list[Finding]:
        reports.append(look_at_port(visit, name))
        return reports[0].findings

    findings = guarded(f"port {option_of(name)[2:]}", look)
    return replace(reports[0], findings=findings) if reports else PortReport(findings)


def _describe(instance: Instance, reports: dict[str, PortReport]) -> list[Finding]:
    who = f"at {instance.found_by}"
    if instance.owner is not None:
        who = f"pid {instance.owner.get('pid')} ({instance.owner.get('purpose')}), {instance.found_by}"
    health = reports["api"].health
    if health is None:
        return [note("instance", f"{who}; its version is not known, see port api")]
    version = health.version[:40]
    if version != __version__:
        advice = "run the command of the same release, or restart the server with this one"
        return [note("instance", f"{who}; it is agentvigil {version}, this command {__version__}", advice)]
    return [ok("instance", f"{who}; agentvigil {version}, as this command")]


def _store(
    stack: contextlib.ExitStack, visit: Visit, settings: Settings, reports: dict[str, PortReport]
) -> tuple[Store | None, list[Finding]]:
    """Return the store as it can be asked, None if it can not, and what was found about it."""
    if is_clickhouse_server(settings):
        return _server(stack, settings, visit.timeout_s, running=True)
    reached = reports["clickhouse_http"].reached
    if reached is None:
        return None, [not_tried("schema", "see port clickhouse-http"), not_tried("clock", "see port clickhouse-http")]
    caller = visit.caller(reached)
    stack.callback(caller.close)
    store = SqlReader(caller, bearer(visit.key), settings.database, is_embedded=True)
    findings = guarded("schema", partial(look_at_schema, store, running=True))
    findings += guarded("clock", partial(look_at_store_clock, store, "the store"))
    return store, findings


def _server(
    stack: contextlib.ExitStack, settings: Settings, timeout_s: float, *, running: bool
) -> tuple[Store | None, list[Finding]]:
    try:
        url, headers = clickhouse_call(settings.clickhouse or "")
    except StorageError as exc:
        return None, [trouble("store", str(exc), "give http(s)://user:password@host:8123 as --clickhouse")]
    caller = HttpCaller(url, Trust(), timeout_s)
    stack.callback(caller.close)
    # Without a database, so that one that is not there does not hide the server's version.
    anywhere = SqlReader(caller, headers, "", is_embedded=False)
    store = SqlReader(caller, headers, settings.database, is_embedded=False)
    findings = guarded("store", partial(look_at_server, anywhere, url))
    if any(finding.status is Status.TROUBLE for finding in findings):
        later = ("schema", "disk of the store", "clock")
        return None, [*findings, *(not_tried(check, "see store") for check in later)]
    checks: tuple[tuple[str, Callable[[], list[Finding]]], ...] = (
        ("schema", partial(look_at_schema, store, running=running)),
        ("disk of the store", partial(look_at_disks, anywhere, settings.min_free_disk_bytes)),
        ("clock", partial(look_at_store_clock, anywhere, f"ClickHouse at {url}")),
    )
    for check, look in checks:
        findings += guarded(check, look)
    return store, findings


def _secrets(settings: Settings, instance: Instance | None) -> list[str]:
    """Return what must not be printed even if a server repeats it to us; very short ones stand in every text."""
    raw = urlsplit(settings.clickhouse or "").netloc.rpartition("@")[0].partition(":")[2]
    owner = (instance.owner if instance else None) or {}
    token = str(owner.get("token") or "")
    wanted = (settings.static_key() or "", settings.shown_key() or "", token, raw, unquote(raw))
    return sorted({secret for secret in wanted if len(secret) >= _SHORTEST_SECRET}, key=len, reverse=True)


def _without(secrets: list[str], finding: Finding) -> Finding:
    for secret in secrets:
        finding = replace(
            finding, found=finding.found.replace(secret, _HIDDEN), advice=finding.advice.replace(secret, _HIDDEN)
        )
    return finding
