"""The commands: words to people on stderr, data on stdout, exit code 0 done, 1 found trouble, 2 could not run."""

import asyncio
import json
import logging
import signal
import sys
from typing import Any, Final

import click

from agentvigil.cli.demo import DemoPlan, play
from agentvigil.cli.fleet.script import DEFAULT_SEED
from agentvigil.cli.listening import CannotListen
from agentvigil.cli.options import SERVER_OPTIONS, STORE_OPTIONS, load_settings, settings_options
from agentvigil.cli.running import NeedsKey, Running, running
from agentvigil.cli.settings import Endpoint, Settings
from agentvigil.cli.sql import SqlFailed, run_sql
from agentvigil.semconv import __version__
from agentvigil.storage.errors import QueryFailed, StorageError
from agentvigil.storage.migrations import migrate as apply_migrations
from agentvigil.storage.migrations import pending_migrations
from agentvigil.storage.opening import open_store

_EPILOG: Final = "Settings also come from AGENTVIGIL_* variables and a file named by --config."


class _CannotRun(click.ClickException):
    exit_code = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}, epilog=_EPILOG)
@click.version_option(__version__, prog_name="agentvigil")
def agentvigil() -> None:
    """See what AI agents did: OpenTelemetry traces in, SQL out, in one process.

    \b
    agentvigil demo                     # everything, with simulated agents
    agentvigil up                       # the server, for your own agents
    agentvigil sql "SELECT count() FROM otel_traces"
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
    AGENTVIGIL_INGEST_KEY=vgl_... agentvigil up --otlp-grpc 0.0.0.0:4317
    """
    settings = load_settings(flags)
    _configure_logging(settings)

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
    _configure_logging(settings)
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
    _configure_logging(settings)
    pairs = [parameter.partition("=") for parameter in parameters]
    if bad := [name for name, equals, _ in pairs if not equals]:
        raise click.UsageError(f"--param wants NAME=VALUE, not {bad[0]!r}")
    try:
        run_sql(settings, text, output_format, {name: value for name, _, value in pairs})
    except SqlFailed as exc:
        raise click.ClickException(str(exc)) from exc
    except StorageError as exc:
        raise _CannotRun(_words(exc)) from exc
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
    _configure_logging(settings)
    try:
        with open_store(settings.clickhouse, settings.data, settings.database, purpose="agentvigil migrate") as (
            store,
            _,
        ):
            store.version()
            migrations = pending_migrations(store) if dry_run else apply_migrations(store)
    except StorageError as exc:
        raise _CannotRun(_words(exc)) from exc
    for migration in migrations:
        click.echo(f"{'pending' if dry_run else 'applied'}  {migration.version:03}  {migration.name}")
    if not migrations:
        click.echo("the schema is up to date", err=True)
    elif dry_run:
        sys.exit(1)


def ready_line(server: Running, settings: Settings, *, as_json: bool) -> str:
    """Return what is printed when all ports listen."""
    if as_json:
        return json.dumps({"status": "ready", "version": __version__, "store": server.store_url, **server.addresses})
    addresses = "  ".join(f"{name} {address}" for name, address in server.addresses.items())
    loopback = all(Endpoint.parse(address).is_loopback for address in server.addresses.values())
    access = "key needed" if settings.key() else "no key, this machine only" if loopback else "no key"
    return f"ready  {addresses}  store {server.store_url}  project default ({access})"


def _run(main: Any) -> Any:
    try:
        return asyncio.run(main)
    except StorageError as exc:
        raise _CannotRun(_words(exc)) from exc
    except (CannotListen, NeedsKey) as exc:
        raise _CannotRun(str(exc)) from exc


def _words(error: StorageError) -> str:
    """An error as told to the person at the keyboard, who may see ClickHouse's own text."""
    return f"{error}: {error.detail}" if isinstance(error, QueryFailed) else str(error)


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


def _configure_logging(settings: Settings) -> None:
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )
    logging.getLogger("agentvigil").setLevel(settings.log_level.upper())
