"""``agentvigil demo``: a fleet of simulated agents in a process of its own, and a summary read back from the store."""

import asyncio
import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import click

from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.finding import Finding
from agentvigil.analysis.findings.incidents import lead
from agentvigil.analysis.findings.model import Kind
from agentvigil.cli.printable import printable
from agentvigil.cli.running import Running
from agentvigil.cli.settings import Settings
from agentvigil.cli.views.findings import named, symptoms
from agentvigil.storage.named_queries import load_queries

_QUERIES: Final = load_queries("agentvigil.cli", "demo_summary.sql")
_COLUMNS: Final = (
    "agent",
    "version",
    "runs",
    "failed",
    "p50 s",
    "p95 s",
    "LLM calls",
    "tool calls",
    "tool errors",
    "input tokens",
    "output tokens",
)
_ONCE_RUNS: Final = 60
HISTORY_DAYS: Final = 21
"""Two weeks to compare with, and one to be looked at."""
_LOOK_EVERY_S: Final = 2.0
_FLEET_STOP_S: Final = 25


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """How the fleet plays: for ``duration_s``, or ``once``, or until it is stopped; before that ``history_days``."""

    duration_s: float | None
    once: bool
    seed: int
    runs_per_s: float
    history_days: int
    as_json: bool


async def play(server: Running, settings: Settings, plan: DemoPlan, stop: asyncio.Event) -> bool:
    """Run the fleet against ``server`` until it is done or ``stop`` is set, print the summary, say if all went well."""
    since = datetime.now(UTC)
    fleet = await _start_fleet(server, plan)
    if not plan.as_json:
        click.echo(_hints(server, settings, plan), err=True)
    finished = asyncio.create_task(_collect(fleet))
    stopped = asyncio.create_task(stop.wait())
    progress = asyncio.create_task(_progress(server, since)) if sys.stderr.isatty() else None
    telling = asyncio.create_task(_tell_findings(server)) if not plan.as_json else None
    await asyncio.wait({finished, stopped}, return_when=asyncio.FIRST_COMPLETED)
    for task in (progress, telling):
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    if not finished.done():
        fleet.terminate()
    try:
        report = await asyncio.wait_for(finished, _FLEET_STOP_S)
    except TimeoutError:
        fleet.kill()
        report = {}
    stopped.cancel()
    rows = await asyncio.to_thread(server.store.rows, _QUERIES["demo_summary"], {"since": since})
    stored = await asyncio.to_thread(server.store.rows, _QUERIES["demo_stored"], {"since": since})
    spans = int(stored[0][0])
    _print_summary(rows, spans, report, as_json=plan.as_json)
    return spans > 0 and not report.get("failed_exports", 1)


async def _start_fleet(server: Running, plan: DemoPlan) -> asyncio.subprocess.Process:
    # Killed or not, our end closes the fleet's stdin, and the fleet stops.
    command = [sys.executable, "-m", "agentvigil.cli.fleet", "--until-stdin-closes"]
    command += ["--endpoint", f"http://{server.addresses['otlp_grpc']}", "--protocol", "grpc", "--seed", str(plan.seed)]
    command += ["--history", str(plan.history_days)]
    if plan.once:
        command += ["--runs", str(_ONCE_RUNS), "--rate", "0"]
    else:
        command += ["--rate", str(plan.runs_per_s)]
        command += ["--duration", str(plan.duration_s)] if plan.duration_s else []
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    # By the environment, where a list of processes does not show it.
    environment["AGENTVIGIL_INGEST_KEY"] = server.token
    # A group of its own: Ctrl-C reaches us, and we tell the fleet when to stop.
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )


async def _collect(fleet: asyncio.subprocess.Process) -> dict[str, Any]:
    assert fleet.stdout is not None
    output = await fleet.stdout.read()
    await fleet.wait()
    try:
        report = json.loads(output.decode().strip().splitlines()[-1])
    except (ValueError, IndexError):
        return {}
    return report if isinstance(report, dict) else {}


async def _progress(server: Running, since: datetime) -> None:
    started = time.monotonic()
    while True:
        await asyncio.sleep(1)
        rows = await asyncio.to_thread(server.store.rows, _QUERIES["demo_stored"], {"since": since})
        spans, runs = rows[0]
        elapsed_s = time.monotonic() - started
        click.echo(f"\r{elapsed_s:4.0f} s  {runs} agent runs, {spans} spans stored", err=True, nl=False)


async def _tell_findings(server: Running) -> None:
    """Say what is found as it is found, and how to have it explained."""
    book, news = FindingsBook(server.store), News()
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        for line in news.of(await asyncio.to_thread(book.unresolved)):
            click.echo(f"\r{line}" if sys.stderr.isatty() else line, err=True)


class News:
    """Tells findings once, those of one incident together."""

    def __init__(self) -> None:
        self._told = set[str]()
        self._leads: dict[str, Finding] = {}
        """By the id of the incident."""

    def of(self, unresolved: Sequence[Finding]) -> Iterator[str]:
        """Yield lines about what of ``unresolved`` was not told yet; single runs are left to lists."""
        by_incident: dict[str, list[Finding]] = {}
        for finding in unresolved:
            if finding.id not in self._told and finding.seen.kind is not Kind.ANOMALY:
                self._told.add(finding.id)
                by_incident.setdefault(finding.incident_id, []).append(finding)
        for incident_id, findings in by_incident.items():
            if (told := self._leads.get(incident_id)) is not None:
                features = [finding.seen.feature for finding in findings]
                yield f"  of the incident of {told.id[:8]} as well: {printable(named(features))}"
                continue
            first = self._leads[incident_id] = lead(findings)
            yield f"found {first.id[:8]} ({first.severity.value}): {printable(first.seen.explanation)}"
            if len(findings) > 1:
                features = [finding.seen.feature for finding in findings if finding is not first]
                yield f"  and {printable(symptoms(features))}"


def _hints(server: Running, settings: Settings, plan: DemoPlan) -> str:
    command = "agentvigil" if shutil.which("agentvigil") else os.path.relpath(sys.argv[0])
    tools = "SELECT ToolName, ErrorType, count() FROM otel_traces GROUP BY ALL"
    past = (
        f"time-compressed: first come {plan.history_days} days of the past of two agents, as fast as they are taken; "
        "what moved in them is told here\n"
        if plan.history_days
        else ""
    )
    return (
        f"a fleet of simulated agents sends telemetry now; ask in another terminal, after some seconds:\n{past}"
        f"  {command} run last-failed --data {settings.data}\n"
        f"  {command} findings --data {settings.data}\n"
        f"  curl 'http://{server.addresses['api']}/v1/runs?status=failure'\n"
        f"  {command} sql --data {settings.data} '{tools}'\n"
        f"  curl http://{server.addresses.get('clickhouse_http', '')} --data-binary '{tools}'\n"
        "Ctrl-C ends it."
    )


def _print_summary(rows: Sequence[Sequence[Any]], spans: int, report: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        agents = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        click.echo(json.dumps({"status": "done", "spans_stored": spans, "fleet": dict(report), "agents": agents}))
        return
    table = [_COLUMNS, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(_COLUMNS))]
    click.echo("" if not sys.stderr.isatty() else "\n", err=True, nl=False)
    for row in table:
        cells = [
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())
    click.echo(f"{spans} spans stored, of {report.get('spans', 'an unknown number of')} that the fleet sent.")
