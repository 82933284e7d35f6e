"""``agentvigil analyze``: looks for drift, regressions, anomalies and failure modes, once or from now on."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from agentvigil.analysis.alerts import AlertsUnusable, Configuration
from agentvigil.analysis.anomalies import AnomalyJob
from agentvigil.analysis.features.cells import hour_of
from agentvigil.analysis.features.feature_hours import FEATURE_HOURS
from agentvigil.analysis.features.reading import projects_with_runs
from agentvigil.analysis.findings.book import FindingsBook
from agentvigil.analysis.findings.finding import Finding
from agentvigil.analysis.job_service import holder_of
from agentvigil.analysis.rollups import CALL_HOURS, RollupJob
from agentvigil.analysis.settling import SettlingConfig, SettlingJob
from agentvigil.analysis.watching import WatchJob
from agentvigil.analysis.watching.sink import recording
from agentvigil.cli.background import budgets_in, detection_config
from agentvigil.cli.exit_codes import CannotRun, told
from agentvigil.cli.logs import configure_logging
from agentvigil.cli.options import STORE_OPTIONS, load_settings, settings_options
from agentvigil.cli.printable import printable
from agentvigil.cli.running import Part
from agentvigil.cli.serving import READY_AS_JSON, run, serve
from agentvigil.cli.settings import Settings
from agentvigil.cli.time_options import moment_option
from agentvigil.storage.migrations import check_schema, migrate
from agentvigil.storage.opening import open_store
from agentvigil.storage.store import Store

ANALYZE_OPTIONS: Final = (
    *STORE_OPTIONS,
    "keep_days",
    "settling",
    "sensitivity",
    "alerts",
    "api",
    "tls_cert",
    "tls_key",
    "log_format",
    "own_traces_endpoint",
)
_HOURS_PER_DAY: Final = 24


@click.command()
@settings_options(ANALYZE_OPTIONS)
@click.option("--once", is_flag=True, help="Catch up with all that is stored, print what was found, and end.")
@moment_option("--since", help="Look through the time from here on, and end.")
@moment_option("--until", help="Only with --since: up to here; else up to now.")
@click.option("--project", help="Only with --since: this project alone.")
@READY_AS_JSON
def analyze(
    once: bool, since: datetime | None, until: datetime | None, project: str | None, as_json: bool, **flags: Any
) -> None:
    """Make runs of what is stored, look for drift, regressions, anomalies and failure modes, and send alerts.

    `agentvigil up` does it all the time. This is for another process beside a ClickHouse server, where it goes on until
    Ctrl-C and answers /health and /metrics, and for data that no server has open: to catch up once, or to look through
    a time again. Of several beside one server one does each job; the others wait, and take over within a minute. What
    was found before is known again and told once. Exit code 1 with --once or --since: something was found that is not
    resolved.

    \b
    agentvigil analyze --clickhouse http://agentvigil_admin:secret@clickhouse:8123/agentvigil --api 0.0.0.0:8787
    agentvigil analyze --once
    agentvigil analyze --since 7d
    agentvigil analyze --since 2026-11-01 --until 2026-11-15
    """
    if since is None and (until is not None or project is not None):
        raise click.UsageError("--until and --project go with --since")
    began = datetime.now(UTC)
    if since is not None and hour_of(until or began) <= hour_of(since):
        raise click.UsageError(
            f"no whole hour lies between {_minute(since)} and {_minute(until or began)}: --since comes before --until, "
            "which is now if it is not said"
        )
    settings = load_settings({**flags, "analysis": True})
    configure_logging(settings)
    if not once and since is None:
        run(serve(settings, "agentvigil analyze", frozenset({Part.ANALYSIS}), as_json=as_json))
        return
    with told():
        try:
            alerts = Configuration.load(settings.alerts)
        except AlertsUnusable as exc:
            raise CannotRun(str(exc)) from exc
        where = (settings.clickhouse, settings.data, settings.database)
        with open_store(*where, purpose="agentvigil analyze") as (store, _):
            store.version()
            if store.is_embedded:
                migrate(store)
            else:
                check_schema(store)
            with _progress() as progress:
                _catch_up(store, settings, progress)
                if since is not None:
                    _look_over(store, settings, alerts, progress, since, until or began, project)
                else:
                    _watch(store, settings, alerts, progress)
            unresolved = FindingsBook(store).unresolved(project or "")
    found = [one for one in unresolved if one.found_at >= began]
    _print(found, known=len(unresolved) - len(found))
    sys.exit(1 if found else 0)


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _catch_up(store: Store, settings: Settings, progress: Progress) -> None:
    """Settle what is not settled, and count the hours that are not counted."""
    if not settings.settling:
        return
    holder = holder_of(store)
    settling = SettlingJob(store, SettlingConfig(quiet_s=0), holder)
    task = progress.add_task("settling", unit="runs", total=None)
    while settling.step(datetime.now(UTC)) or settling.progress.lag_s > 0:
        progress.update(task, completed=settling.progress.runs)
    progress.update(task, completed=settling.progress.runs, total=settling.progress.runs)
    settling.stop(datetime.now(UTC))
    rollups = RollupJob(store, holder, quiet_s=0, kinds=(CALL_HOURS, FEATURE_HOURS))
    task = progress.add_task("counting", unit="hours", total=None)
    while True:
        is_more = rollups.step(datetime.now(UTC))
        done = rollups.progress
        progress.update(task, completed=done.hours, total=done.hours + done.waiting_hours)
        if not is_more:
            break
    rollups.stop(datetime.now(UTC))


def _watch_job(store: Store, settings: Settings, alerts: Configuration, holder: str) -> WatchJob:
    findings = FindingsBook(store, settings.keep_days)
    return WatchJob(store, holder, detection_config(settings), findings, budgets_in(store, alerts))


def _watch(store: Store, settings: Settings, alerts: Configuration, progress: Progress) -> None:
    holder = holder_of(store)
    watch = _watch_job(store, settings, alerts, holder)
    task = progress.add_task("watching", unit="days", total=None)
    first: dict[str, int] = {}
    while True:
        is_more = watch.step(datetime.now(UTC))
        for one in watch.progress:
            first.setdefault(one.project, one.next_hour - _HOURS_PER_DAY)
        done = sum(one.next_hour - first[one.project] for one in watch.progress) // _HOURS_PER_DAY
        left = sum(one.end_hour - one.next_hour for one in watch.progress) // _HOURS_PER_DAY
        progress.update(task, completed=done, total=done + left)
        if not is_more:
            break
    watch.stop(datetime.now(UTC))
    anomalies = AnomalyJob(store, holder, recording(FindingsBook(store, settings.keep_days)))
    task = progress.add_task("single runs", unit="runs", total=None)
    while anomalies.step(datetime.now(UTC)):
        progress.update(task, completed=anomalies.progress.runs)
    progress.update(task, completed=anomalies.progress.runs, total=anomalies.progress.runs)
    anomalies.stop(datetime.now(UTC))


def _look_over(
    store: Store,
    settings: Settings,
    alerts: Configuration,
    progress: Progress,
    since: datetime,
    until: datetime,
    project: str | None,
) -> None:
    holder = holder_of(store)
    watch = _watch_job(store, settings, alerts, holder)
    projects = [project] if project is not None else projects_with_runs(store)
    first_hour, end_hour = hour_of(since), hour_of(until)
    total = len(projects) * (end_hour - first_hour)
    task = progress.add_task("watching", unit="hours", total=total)
    for name in projects:
        for hours in watch.look_over(name, first_hour, end_hour, datetime.now(UTC)):
            progress.advance(task, hours)
    task = progress.add_task("single runs", unit="runs", total=None)
    anomalies = AnomalyJob(store, holder, recording(FindingsBook(store, settings.keep_days)))
    runs = anomalies.look_over(since, until, datetime.now(UTC))
    progress.update(task, completed=runs, total=runs)


def _print(found: list[Finding], *, known: int) -> None:
    """Print what was ``found`` now, and say how many are not resolved that were ``known`` before."""
    for line in _lines(found):
        click.echo(line)
    said = f"{len(found)} found; `agentvigil findings show ID` explains one" if found else "nothing new was found"
    if known:
        are = "finding is" if known == 1 else "findings are"
        said += f"; {known} {are} known from before and not resolved: `agentvigil findings` lists them"
    click.echo(said, err=True)


def _minute(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _lines(found: list[Finding]) -> Iterator[str]:
    for one in sorted(found, key=lambda finding: finding.seen.seen_at):
        yield f"{one.id[:8]}  {one.severity.value:8}  {one.seen.kind.value:12}  {printable(one.seen.explanation)}"
