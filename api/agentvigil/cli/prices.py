"""``agentvigil prices``: what calls cost by the price list, the user's own prices, and models without one."""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import click

from agentvigil.api.prices import RecostRequest, UnpricedFilters
from agentvigil.cli.api_access import Api, BrokenOff, Params
from agentvigil.cli.asking import JSON_OPTION, asks_the_api, print_json
from agentvigil.cli.filter_options import filter_options
from agentvigil.cli.printable import printable
from agentvigil.storage.migrations import migrate
from agentvigil.storage.prices.loading import load_prices
from agentvigil.storage.prices.overrides import PRICE_FIELDS, as_entry, parse_file
from agentvigil.storage.prices.schedules import SERVICE_TIERS
from agentvigil.storage.store import Store

_SHOWN: Final = 50
_TIER: Final = click.Choice(list(SERVICE_TIERS))
_DAY: Final = click.DateTime(["%Y-%m-%d"])


def _bring_prices(store: Store) -> None:
    migrate(store)
    load_prices(store)


@click.group()
def prices() -> None:
    """What calls cost by the price list: look, set your own, find what has none, give stored spans new costs.

    Prices are those of the package genai-prices, in USD for a million tokens, with your own on top. Works on a server
    that runs, by its API, else on the data itself.

    \b
    agentvigil prices list gpt-4o
    agentvigil prices unpriced
    agentvigil prices set my-gateway llama-4-scout --input 0.2 --output 0.6
    agentvigil prices recost --since 2026-01-01
    """


@prices.command("list")
@asks_the_api(_bring_prices)
@click.argument("model", default="")
@click.option("--provider", default="", help="Only providers whose id contains this.")
@click.option("--source", type=click.Choice(["user", "genai-prices"]), help="Only your own, or only the package's.")
@click.option("--all", "show_all", is_flag=True, help=f"Print all; else the first {_SHOWN}.")
@JSON_OPTION
def list_prices(api: Api, model: str, *, provider: str, source: str | None, show_all: bool, as_json: bool) -> None:
    """List the prices in use, of models whose name contains MODEL. Exits with 1 if there are none.

    \b
    agentvigil prices list claude-sonnet --provider anthropic
    agentvigil prices list --source user --json
    """
    found = api.get("/v1/prices", {"provider": provider, "model": model, "source": source or ""})["prices"]
    if as_json:
        print_json(found)
    else:
        shown = found if show_all else found[:_SHOWN]
        _print_table([_price_row(entry) for entry in shown])
        if len(shown) < len(found):
            click.echo(f"{len(found) - len(shown)} more; --all prints them", err=True)
    if not found:
        click.echo("no model with a price is called so", err=True)
        sys.exit(1)


def _price_options(command: Any) -> Any:
    for name in reversed(PRICE_FIELDS):
        unit = "a thousand requests" if name == "requests" else f"a million {name.replace('_', ' ')} tokens"
        command = click.option(f"--{name.replace('_', '-')}", name, metavar="USD", help=f"Price of {unit}.")(command)
    return command


def _name_options(command: Any) -> Any:
    options = [
        click.option("--tier", "service_tier", type=_TIER, help="Only for this service tier."),
        click.option("--since", type=_DAY, help="First day in UTC; until then the package's price holds."),
        click.option(
            "--input-from", type=click.IntRange(min=1), help="Only for calls of that many input tokens or more."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@prices.command("set")
@asks_the_api(_bring_prices)
@click.argument("provider")
@click.argument("model")
@_price_options
@_name_options
@JSON_OPTION
def set_price(api: Api, provider: str, model: str, *, as_json: bool, since: datetime | None, **others: Any) -> None:
    """Set your own price of MODEL at PROVIDER, in USD for a million tokens; it wins over the package's.

    * in MODEL stands for any text, and * as PROVIDER for any provider. Stored spans keep their costs until
    `agentvigil prices recost`.

    \b
    agentvigil prices set openai gpt-4o --input 2 --output 8 --cache-read 1
    agentvigil prices set azure gpt-4o --input 2.2 --output 8.8 --since 2026-02-01
    agentvigil prices set my-gateway 'llama-*' --input 0.2 --output 0.6
    """
    entry = {"provider": provider, "model": model, "since": since and since.date().isoformat(), **others}
    _set(api, [entry], as_json=as_json)


@prices.command("unset")
@asks_the_api(_bring_prices)
@click.argument("provider")
@click.argument("model")
@_name_options
def unset_price(api: Api, provider: str, model: str, *, since: datetime | None, **others: Any) -> None:
    """Take your own price of MODEL at PROVIDER back: all of them, or those of a tier, day or size.

    Exits with 1 if there is none.

    \b
    agentvigil prices unset openai gpt-4o
    agentvigil prices unset azure gpt-4o --since 2026-02-01
    """
    entry = {"provider": provider, "model": model, "since": since and since.date().isoformat(), **others}
    named = {name: value for name, value in entry.items() if value is not None}
    removed = api.call("POST", "/v1/prices/overrides/remove", body={"prices": [named]})["removed"]
    click.echo(f"{removed} of your own prices taken back", err=True)
    if not removed:
        sys.exit(1)


@prices.command("import")
@asks_the_api(_bring_prices)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@JSON_OPTION
def import_prices(api: Api, file: Path, *, as_json: bool) -> None:
    """Set the prices in FILE, all or none: .csv with a line of names, .json with a list, or .toml with [[prices]].

    Fields: provider, model, service_tier, since, input_from, and the prices input, output, cache_read, cache_write,
    input_audio, output_audio, cache_read_audio, reasoning (USD for a million tokens) and requests (for a thousand).

    \b
    agentvigil prices import negotiated.toml
    agentvigil prices import prices.csv --json
    """
    overrides = parse_file(file.name.lower(), file.read_bytes())
    _set(api, [as_entry(override) for override in overrides], as_json=as_json)


@prices.command("diff")
@asks_the_api(_bring_prices)
@JSON_OPTION
def diff_prices(api: Api, *, as_json: bool) -> None:
    """Show where your own prices differ from the installed genai-prices. Exits with 1 if they do.

    \b
    agentvigil prices diff
    """
    found = api.get("/v1/prices/diff")["prices"]
    if as_json:
        print_json(found)
    else:
        _print_table([[_name(e), e["price"], e["user"] or "-", e["package"] or "-"] for e in found])
    if found:
        sys.exit(1)


@prices.command("unpriced")
@asks_the_api(_bring_prices)
@filter_options(UnpricedFilters)
@JSON_OPTION
def unpriced(api: Api, params: Params, *, as_json: bool) -> None:
    """List models of paid calls that have no price, of every project. Exits with 1 if there are any.

    \b
    agentvigil prices unpriced
    agentvigil prices unpriced --since 2026-01-01 --json
    """
    found = api.get("/v1/prices/unpriced", params)["models"]
    if as_json:
        print_json(found)
    else:
        _print_table(
            [
                [
                    printable(f"{entry['provider'] or '-'} {entry['model'] or '-'}"),
                    f"{entry['calls']} calls",
                    f"{entry['input_tokens']} input and {entry['output_tokens']} output tokens",
                    f"{entry['first_seen'][:10]} to {entry['last_seen'][:10]}",
                ]
                for entry in found
            ]
        )
    if found:
        sys.exit(1)


@prices.command("recost")
@asks_the_api(_bring_prices)
@filter_options(RecostRequest)
@JSON_OPTION
def recost(api: Api, params: Params, *, as_json: bool) -> None:
    """Give stored spans the list costs of the prices in use, and have their runs settled again.

    Goes partition by partition and rewrites only what differs; stopped and run again it goes on.

    \b
    agentvigil prices recost
    agentvigil prices recost --since 2026-01-01 --model gpt-4o
    """
    steps = []
    for step in _recosted(api.lines("/v1/prices/recost", params)):
        steps.append(step)
        click.echo(
            f"{step['partition']}: {step['spans']} spans of {step['traces']} traces, "
            f"{step['before_usd']} USD before, {step['after_usd']} USD now",
            err=True,
        )
    if as_json:
        print_json(steps)
    else:
        click.echo(f"{sum(step['spans'] for step in steps)} spans have a new cost", err=True)


def _recosted(lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what was done in each partition; the last line says whether that is all.

    Raises:
        BrokenOff: if it is not.
    """
    for line in lines:
        if "done" in line:
            return
        if "error" in line:
            raise BrokenOff(line["error"])
        yield line
    raise BrokenOff("the answer ended before all was done; run it again to go on")


def _set(api: Api, entries: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    taken = api.call("PUT", "/v1/prices/overrides", body={"prices": entries})["prices"]
    if as_json:
        print_json(taken)
        return
    for entry in taken:
        known = ", ".join(f"{name} {entry[name]}" for name in PRICE_FIELDS if name in entry)
        click.echo(f"{_name(entry)}: {known}")
    click.echo("stored spans keep their costs; `agentvigil prices recost` gives them new ones", err=True)


def _price_row(entry: dict[str, Any]) -> list[str]:
    known = [f"{name} {Decimal(entry[name]):f}" for name in PRICE_FIELDS if entry[name] is not None]
    known += [f"({', '.join(entry['others'])} not in list cost)"] if entry["others"] else []
    until = [f"until {entry['until']}"] if entry["until"] else []
    whole_day = (entry["day_from_s"], entry["day_until_s"]) == (0, 86400)
    hours = [] if whole_day else [f"{_clock(entry['day_from_s'])} to {_clock(entry['day_until_s'])} UTC"]
    return [entry["source"], _name(entry), " ".join([*until, *hours]), ", ".join(known) or "free"]


def _clock(second: int) -> str:
    return f"{second // 3600:02}:{second % 3600 // 60:02}"


def _name(entry: dict[str, Any]) -> str:
    details = [entry.get("service_tier") or "", f"since {entry['since']}" if entry.get("since") else ""]
    details += [f"from {entry['input_from']} input tokens" if entry.get("input_from") else ""]
    return printable(" ".join([entry["provider"], entry["model"], *filter(None, details)]))


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
