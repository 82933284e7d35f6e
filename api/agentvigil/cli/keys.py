"""``agentvigil keys``: who may send telemetry, read it, and make further keys."""

import json
import re
import sys
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import click

from agentvigil.cli.failing import StoreGroup
from agentvigil.cli.key_access import books_of
from agentvigil.cli.options import load_settings, settings_options
from agentvigil.storage.access import DEFAULT_PROJECT, Scope
from agentvigil.storage.access.expiry import parse_expiry

_STORE: Final = ("data", "clickhouse", "database")
_WHOLE_KEY: Final = re.compile(r"vgl_([a-z0-9]{10})_.+")


def _scopes(_context: click.Context, _parameter: click.Parameter, text: str) -> list[Scope]:
    try:
        return sorted({Scope(name.strip()) for name in text.split(",")})
    except ValueError as exc:
        raise click.BadParameter(f"{text!r} is not made of ingest, read and admin, with commas between") from exc


def _expiry(_context: click.Context, _parameter: click.Parameter, text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_expiry(text)
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from exc


@click.group(cls=StoreGroup)
def keys() -> None:
    """Keys of senders and readers: make, list, revoke.

    A key is for one project or for all. A place that never had a key is open to this machine; from the first one on
    everybody needs one, but for commands on the data itself. Works on a server that runs, by its API, else on the data.

    \b
    agentvigil keys create --project shop
    agentvigil keys list
    agentvigil keys revoke k3x9v0q2ab
    """


@keys.command("create")
@settings_options(_STORE)
@click.option("--project", help=f"The project that it is for.  [default: {DEFAULT_PROJECT}]")
@click.option("--all-projects", is_flag=True, help="It is for every project.")
@click.option(
    "--scope",
    "scopes",
    default="ingest,read",
    show_default=True,
    callback=_scopes,
    help="What it allows: ingest, read, admin, with commas between.",
)
@click.option("--name", default="", help="A label to know it by.")
@click.option("--expires", "expires_at", callback=_expiry, help="When it ends: 90d, 12h, 1y from now, or 2027-01-01.")
@click.option("--json", "as_json", is_flag=True, help="Print the key and what is known of it as one JSON object.")
def create_key(
    project: str | None,
    all_projects: bool,
    scopes: list[Scope],
    name: str,
    expires_at: datetime | None,
    as_json: bool,
    **flags: Any,
) -> None:
    """Make a key and print it, alone, this once: only its SHA-256 is stored.

    \b
    agentvigil keys create --project shop --name ci --expires 90d
    agentvigil keys create --all-projects --scope read --name grafana
    export AGENTVIGIL_KEY=$(agentvigil keys create --scope ingest,read,admin)
    """
    if all_projects and project is not None:
        raise click.UsageError("give --project or --all-projects, not both")
    settings = load_settings(flags)
    with books_of(settings) as books:
        of = None if all_projects else project if project is not None else DEFAULT_PROJECT
        made = books.create_key(name=name, project=of, scopes=scopes, expires_at=expires_at)
        is_first = len(books.keys(None)) == 1
    if as_json:
        click.echo(json.dumps(made, indent=2))
    else:
        click.echo(made["key"])
    words = [f"key {made['id']} for {_whose(made)}: {', '.join(made['scopes'])}; it is shown this once"]
    if is_first:
        words.append("it is the first one here: from now on every sender and reader needs a key")
    if urlsplit(settings.clickhouse or "").scheme in ("http", "https"):
        words.append("servers that run on this ClickHouse take it within some seconds")
    if Scope.INGEST in scopes:
        words.append("senders show it with OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer KEY'")
    click.echo("\n".join(words), err=True)


@keys.command("list")
@settings_options(_STORE)
@click.option("--project", help="Only keys of this project.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_keys(project: str | None, as_json: bool, **flags: Any) -> None:
    """List keys, without their secrets, the oldest first.

    \b
    agentvigil keys list
    agentvigil keys list --project shop --json
    """
    with books_of(load_settings(flags)) as books:
        found = books.keys(project)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    if not found:
        click.echo("there are no keys", err=True)
    print_table(
        ("ID", "NAME", "PROJECT", "SCOPES", "CREATED", "LAST USED", "STATE"),
        [
            (
                key["id"],
                key["name"] or "-",
                key["project"] or "(all)",
                ",".join(key["scopes"]),
                key["created_at"][:10],
                _minute(key["last_used_at"]),
                _state(key),
            )
            for key in found
        ],
    )


@keys.command("revoke")
@settings_options(_STORE)
@click.argument("key_id")
@click.option("--json", "as_json", is_flag=True, help="Print what is known of the key as one JSON object.")
def revoke_key(key_id: str, as_json: bool, **flags: Any) -> None:
    """Revoke a key for ever, by its id, or by its whole text where that was found lying around.

    Exits with 1 if there is none.

    \b
    agentvigil keys revoke k3x9v0q2ab
    """
    whole = _WHOLE_KEY.fullmatch(key_id)
    wanted = whole[1] if whole else key_id
    with books_of(load_settings(flags)) as books:
        revoked = books.revoke_key(wanted)
    if revoked is None:
        click.echo(f"there is no key {wanted[:64]!r}; `agentvigil keys list` shows those there are", err=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps(revoked, indent=2))
    click.echo(f"key {revoked['id']} of {_whose(revoked)} is revoked since {_minute(revoked['revoked_at'])}", err=True)


def print_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print ``rows`` under ``head`` in columns; nothing if there are none."""
    if not rows:
        return
    table = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _whose(key: dict[str, Any]) -> str:
    return "every project" if key["project"] is None else f"project {key['project']}"


def _state(key: dict[str, Any]) -> str:
    if key["revoked_at"] is not None:
        return f"revoked {key['revoked_at'][:10]}"
    if key["expires_at"] is None:
        return "valid"
    return f"{'valid until' if key['is_usable'] else 'expired'} {key['expires_at'][:10]}"


def _minute(time: str | None) -> str:
    return "never" if time is None else f"{time[:16].replace('T', ' ')} UTC"
