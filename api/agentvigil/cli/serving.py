"""``agentvigil up`` and ``agentvigil demo``: commands that are the server; and how any part of it is run to its end."""

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import click

from agentvigil.analysis.alerts import AlertsUnusable
from agentvigil.cli.demo import HISTORY_DAYS, DemoPlan, play
from agentvigil.cli.exit_codes import CannotRun, told
from agentvigil.cli.fleet.script import DEFAULT_SEED
from agentvigil.cli.listening import CannotListen
from agentvigil.cli.logs import configure_logging
from agentvigil.cli.options import SERVER_OPTIONS, load_settings, settings_options
from agentvigil.cli.running import ALL_PARTS, NeedsKey, Part, Running, running
from agentvigil.cli.settings import Settings
from agentvigil.cli.tls import TlsUnusable
from agentvigil.semconv import __version__

_T = TypeVar("_T")


READY_AS_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print the ready line as one JSON object.")


@click.command()
@settings_options(SERVER_OPTIONS)
@READY_AS_JSON
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

    run(serve(settings, "agentvigil up", as_json=as_json))


@click.command()
@settings_options(SERVER_OPTIONS)
@click.option("--duration", type=click.FloatRange(min=1), help="End after this many seconds.")
@click.option("--once", is_flag=True, help="Play a fixed number of runs, then end.")
@click.option("--seed", type=int, default=DEFAULT_SEED, show_default=True, help="Same seed, same runs.")
@click.option("--rate", type=click.FloatRange(min=0.1, max=1000), default=5, show_default=True, help="Runs a second.")
@click.option(
    "--history/--no-history",
    default=True,
    show_default=True,
    help="First tell three weeks of the past of two more agents in seconds, in which something changes near the end: "
    "what detectors compare with. Not with --once.",
)
@click.option("--json", "as_json", is_flag=True, help="Print ready line and summary as JSON objects.")
def demo(
    duration: float | None, once: bool, seed: int, rate: float, history: bool, as_json: bool, **flags: Any
) -> None:
    """Start the server and a fleet of simulated agents that send it real telemetry.

    Keeps its data apart from yours, in a directory of its own unless --data names one. What is found in it is told as
    it is found, within a minute or two.

    \b
    agentvigil demo
    agentvigil demo --once
    agentvigil demo --duration 30 --rate 20
    """
    if flags["data"] is None:
        flags["data"] = load_settings(dict(flags)).data / "demo"
    settings = load_settings(flags)
    configure_logging(settings)
    days = HISTORY_DAYS if history and not once else 0
    plan = DemoPlan(duration, once=once, seed=seed, runs_per_s=rate, history_days=days, as_json=as_json)

    async def serve_and_play() -> bool:
        stop = _stop_event()
        async with running(settings, "agentvigil demo", brisk=True) as server:
            click.echo(ready_line(server, settings, as_json=as_json), err=not as_json)
            return await play(server, settings, plan, stop)

    if not run(serve_and_play()):
        sys.exit(1)


async def serve(settings: Settings, purpose: str, parts: frozenset[Part] = ALL_PARTS, *, as_json: bool = False) -> None:
    """Run ``parts`` of the server until the process is told to stop; print one line when all ports listen."""
    stop = _stop_event()
    async with running(settings, purpose, parts=parts) as server:
        click.echo(ready_line(server, settings, as_json=as_json))
        sys.stdout.flush()
        await stop.wait()


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


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """Return what ``main`` returns; tell people what keeps a server from running."""
    try:
        with told():
            return asyncio.run(main)
    except (AlertsUnusable, CannotListen, NeedsKey, TlsUnusable) as exc:
        raise CannotRun(str(exc)) from exc


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop
