"""The commands: words to people on stderr, data on stdout, exit code 0 done, 1 found trouble, 2 could not run."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, Final

import click

from agentvigil.cli.calling import Trust
from agentvigil.cli.demo import DemoPlan, play
from agentvigil.cli.doctor import report
from agentvigil.cli.doctor.examination import examine
from agentvigil.cli.exit_codes import CannotRun
from agentvigil.cli.exporting import export
from agentvigil.cli.fleet.script import DEFAULT_SEED
from agentvigil.cli.keys import keys
from agentvigil.cli.listening import CannotListen
from agentvigil.cli.logs import configure_logging
from agentvigil.cli.options import DOCTOR_OPTIONS, SERVER_OPTIONS, STORE_OPTIONS, load_settings, settings_options
from agentvigil.cli.prices import prices
from agentvigil.cli.projects import projects
from agentvigil.cli.reading import agents, run, runs, sessions
from agentvigil.cli.running import NeedsKey, Running, running
from agentvigil.cli.semconv import semconv
from agentvigil.cli.settings import Settings
from agentvigil.cli.sql import SqlFailed, run_sql
from agentvigil.cli.tls import TlsUnusable
from agentvigil.semconv import __version__
from agentvigil.storage.errors import QueryFailed, StorageError
from agentvigil.storage.migrations import migrate as apply_migrations
from agentvigil.storage.migrations import pending_migrations
from agentvigil.storage.opening import open_store

_FILE: Final = click.Path(path_type=Path, dir_okay=False)
_EPILOG: Final = "Settings also come from AGENTVIGIL_* variables and a file named by --config."


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}, epilog=_EPILOG)
@click.version_option(__version__, prog_name="agentvigil")
def agentvigil() -> None:
    """See what AI agents did: OpenTelemetry traces in, SQL out, in one process.

    \b
    agentvigil demo                     # everything, with simulated agents
    agentvigil up                       # the server, for your own agents
    agentvigil runs --status failure    # which runs failed
    agentvigil run last-failed          # why, step by step
    agentvigil agents                   # how often each fails, how long it takes, what it costs
    agentvigil export runs -o runs.csv  # as CSV, JSON Lines or Parquet
    agentvigil sql "SELECT count() FROM otel_traces"
    agentvigil doctor                   # is everything right, and what to do if not
    agentvigil keys create              # who may send and read
    agentvigil prices unpriced          # which models have no price
    agentvigil semconv check spans.json # do my spans follow the conventions
    """


@agentvigil.command()
@settings_options(SERVER_OPTIONS)
@click.option("--json", "as_json", is_flag=True, help="Print the ready line as one JSON object.")
def up(as_json: bool, **flags: Any) -> None:
    """Start the server: OTLP in, ClickHouse inside, SQL out.

    Prints one line when all ports listen; Ctrl-C or SIGTERM stores what was taken and ends it.

    \b
    agentvigil up
    agentvigil up --data ./telemetry --otlp-grpc 127.0.0.1:0 --json
    agentvigil keys create && agentvigil up --otlp-grpc 0.0.0.0:4317
    """
    settings = load_settings(flags)
    configure_logging(settings)

    async def serve() -> None:
        stop = _stop_event()
        async with running(settings, "agentvigil up") as server:
            click.echo(ready_line(server, settings, as_json=as_json))
            sys.stdout.flush()
            await stop.wait()

    _run(serve())


@agentvigil.command()
@settings_options(SERVER_OPTIONS)
@click.option("--duration", type=click.FloatRange(min=1), help="End after this many seconds.")
@click.option("--once", is_flag=True, help="Play a fixed number of runs, then end.")
@click.option("--seed", type=int, default=DEFAULT_SEED, show_default=True, help="Same seed, same runs.")
@click.option("--rate", type=click.FloatRange(min=0.1, max=1000), default=5, show_default=True, help="Runs a second.")
@click.option("--json", "as_json", is_flag=True, help="Print ready line and summary as JSON objects.")
def demo(duration: float | None, once: bool, seed: int, rate: float, as_json: bool, **flags: Any) -> None:
    """Start the server and a fleet of simulated agents that send it real telemetry.

    Keeps its data apart from yours, in a directory of its own unless --data names one.

    \b
    agentvigil demo
    agentvigil demo --once
    agentvigil demo --duration 30 --rate 20
    """
    if flags["data"] is None:
        flags["data"] = load_settings(dict(flags)).data / "demo"
    settings = load_settings(flags)
    configure_logging(settings)
    plan = DemoPlan(duration_s=duration, once=once, seed=seed, runs_per_s=rate, as_json=as_json)

    async def serve() -> bool:
        stop = _stop_event()
        async with running(settings, "agentvigil demo") as server:
            click.echo(ready_line(server, settings, as_json=as_json), err=not as_json)
            return await play(server, settings, plan, stop)

    if not _run(serve()):
        sys.exit(1)


@agentvigil.command()
@settings_options(STORE_OPTIONS)
@click.argument("query", required=False)
@click.option(
    "--format", "output_format", metavar="FORMAT", help="Any ClickHouse format, e.g. CSVWithNames, JSONEachRow."
)
@click.option(
    "--param", "-p", "parameters", multiple=True, metavar="NAME=VALUE", help="Value of {NAME:Type} in the query."
)
def sql(query: str | None, output_format: str | None, parameters: tuple[str, ...], **flags: Any) -> None:
    """Ask the store. Reads the query from stdin if it is not given.

    Asks the running server if there is one on the data, else opens the data itself. A table on a terminal, tabs and
    a line of names elsewhere.

    \b
    agentvigil sql "SELECT AgentName, count() FROM otel_traces GROUP BY 1"
    agentvigil sql --format JSONEachRow "SELECT * FROM otel_traces LIMIT 1"
    agentvigil sql -p agent=support "SELECT count() FROM otel_traces WHERE AgentName = {agent:String}"
    """
    if query is None and sys.stdin.isatty():
        raise click.UsageError('give a query: agentvigil sql "SELECT count() FROM otel_traces"')
    text = sys.stdin.read() if query is None else query
    settings = load_settings(flags)
    configure_logging(settings)
    pairs = [parameter.partition("=") for parameter in parameters]
    if bad := [name for name, equals, _ in pairs if not equals]:
        raise click.UsageError(f"--param wants NAME=VALUE, not {bad[0]!r}")
    try:
        run_sql(settings, text, output_format, {name: value for name, _, value in pairs})
    except SqlFailed as exc:
        raise click.ClickException(str(exc)) from exc
    except StorageError as exc:
        raise CannotRun(_words(exc)) from exc
    except BrokenPipeError:
        # `| head` has seen enough.
        sys.stderr.close()


@agentvigil.command()
@settings_options(STORE_OPTIONS)
@click.option("--dry-run", is_flag=True, help="Say what would be applied; exit with 1 if anything would be.")
def migrate(dry_run: bool, **flags: Any) -> None:
    """Bring the database to this release's schema. `up` does it by itself.

    \b
    agentvigil migrate
    agentvigil migrate --clickhouse http://default:secret@clickhouse:8123 --database telemetry
    """
    settings = load_settings(flags)
    configure_logging(settings)
    try:
        with open_store(settings.clickhouse, settings.data, settings.database, purpose="agentvigil migrate") as (
            store,
            _,
        ):
            store.version()
            migrations = pending_migrations(store) if dry_run else apply_migrations(store)
    except StorageError as exc:
        raise CannotRun(_words(exc)) from exc
    for migration in migrations:
        click.echo(f"{'pending' if dry_run else 'applied'}  {migration.version:03}  {migration.name}")
    if not migrations:
        click.echo("the schema is up to date", err=True)
    elif dry_run:
        sys.exit(1)


@agentvigil.command()
@settings_options(DOCTOR_OPTIONS)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--no-test-telemetry", is_flag=True, help="Send nothing: leave out the test span, log record and metric.")
@click.option("--ca", type=_FILE, help="Certificates in PEM that sign the server's; else those of the system.")
@click.option("--client-cert", type=_FILE, help="Certificate in PEM to show to a server that asks for one.")
@click.option("--client-key", type=_FILE, help="Private key of --client-cert, in PEM.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0.1, max=3600),
    default=10,
    show_default=True,
    help="Seconds for each step on the network.",
)
def doctor(
    as_json: bool,
    no_test_telemetry: bool,
    ca: Path | None,
    client_cert: Path | None,
    client_key: Path | None,
    timeout_s: float,
    **flags: Any,
) -> None:
    """Check everything that must be right for telemetry to be stored, and say what to do about what is not.

    Looks at the server that has the data directory, or at the addresses given; sends it a span, a log record and a
    metric, and looks for them in the store. Exits with 1 if it found trouble.

    \b
    agentvigil doctor
    agentvigil doctor --data ./telemetry --no-test-telemetry
    agentvigil doctor --clickhouse http://default:secret@clickhouse:8123
    AGENTVIGIL_INGEST_KEY=vgl_... agentvigil doctor --otlp-grpc vigil.example.org:4317 --ca ca.pem --json
    """
    if (client_cert is None) != (client_key is None):
        raise click.UsageError("give both --client-cert and --client-key")
    settings = load_settings(flags)
    configure_logging(settings)
    trust = Trust(ca=ca, client_certificate=client_cert, client_key=client_key)
    findings = examine(settings, trust, timeout_s=timeout_s, test_telemetry=not no_test_telemetry)
    colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    click.echo(report.as_json(findings) if as_json else report.as_text(findings, colours=colours))
    if report.has_trouble(findings):
        sys.exit(1)


agentvigil.add_command(keys)
for command in (runs, run, sessions, agents, export):
    agentvigil.add_command(command)
agentvigil.add_command(prices)
agentvigil.add_command(projects)
agentvigil.add_command(semconv)


def ready_line(server: Running, settings: Settings, *, as_json: bool) -> str:
    """Return what is printed when all ports listen."""
    content = settings.content_policies().described()
    is_open, usable_keys = server.access.is_open, server.access.usable_keys
    if as_json:
        said: dict[str, Any] = {"keys_needed": not is_open, "usable_keys": usable_keys}
        said |= {"content_policy": content} if content else {}
        return json.dumps(
            {"status": "ready", "version": __version__, "store": server.store_url, **server.addresses, **said}
        )
    addresses = "  ".join(f"{name} {address}" for name, address in server.addresses.items())
    access = "project default (no key, this machine only)" if is_open else f"keys needed ({usable_keys})"
    return f"ready  {addresses}  store {server.store_url}  {access}" + (
        f"  CONTENT IS STORED: {content}" if content else ""
    )


def _run(main: Any) -> Any:
    try:
        return asyncio.run(main)
    except StorageError as exc:
        raise CannotRun(_words(exc)) from exc
    except (CannotListen, NeedsKey, TlsUnusable) as exc:
        raise CannotRun(str(exc)) from exc


def _words(error: StorageError) -> str:
    """An error as told to the person at the keyboard, who may see ClickHouse's own text."""
    return f"{error}: {error.detail}" if isinstance(error, QueryFailed) else str(error)


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop
