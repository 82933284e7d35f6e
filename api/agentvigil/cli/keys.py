"""``agentvigil keys``: who may send telemetry, read it, and make further keys."""

import re
from datetime import datetime
from typing import Any, Final

import click

from agentvigil.cli.api_access import Api, segment
from agentvigil.cli.asking import JSON_OPTION, asks_the_api, print_json
from agentvigil.storage.access import DEFAULT_PROJECT, Scope
from agentvigil.storage.access.expiry import parse_expiry
from agentvigil.storage.migrations import migrate

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


def _one_or_all(context: click.Context, parameter: click.Parameter, given: Any) -> Any:
    if given and context.params.get("all_projects" if parameter.name == "project" else "project"):
        raise click.UsageError("give --project or --all-projects, not both")
    return given


@click.group()
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
@asks_the_api(migrate)
@click.option("--project", callback=_one_or_all, help=f"The project that it is for.  [default: {DEFAULT_PROJECT}]")
@click.option("--all-projects", is_flag=True, callback=_one_or_all, help="It is for every project.")
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
@JSON_OPTION
def create_key(
    api: Api,
    *,
    project: str | None,
    all_projects: bool,
    scopes: list[Scope],
    name: str,
    expires_at: datetime | None,
    as_json: bool,
) -> None:
    """Make a key and print it, alone, this once: only its SHA-256 is stored.

    \b
    agentvigil keys create --project shop --name ci --expires 90d
    agentvigil keys create --all-projects --scope read --name grafana
    export AGENTVIGIL_KEY=$(agentvigil keys create --scope ingest,read,admin)
    """
    wanted: dict[str, Any] = {"name": name, "scopes": scopes, "expires_at": expires_at and expires_at.isoformat()}
    wanted |= {"all_projects": True} if all_projects else {"project": DEFAULT_PROJECT if project is None else project}
    made = api.call("POST", "/v1/keys", body=wanted)
    is_first = len(api.get("/v1/keys")["items"]) == 1
    if as_json:
        print_json(made)
    else:
        click.echo(made["key"])
    words = [f"key {made['id']} for {_whose(made)}: {', '.join(made['scopes'])}; it is shown this once"]
    if is_first:
        words.append("it is the first one here: from now on every sender and reader needs a key")
    if Scope.INGEST in scopes:
        words.append("senders show it with OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer KEY'")
    click.echo("\n".join(words), err=True)


@keys.command("list")
@asks_the_api()
@click.option("--project", help="Only keys of this project.")
@JSON_OPTION
def list_keys(api: Api, *, project: str | None, as_json: bool) -> None:
    """List keys, without their secrets, the oldest first.

    \b
    agentvigil keys list
    agentvigil keys list --project shop --json
    """
    found = api.get("/v1/keys", {} if project is None else {"project": project})["items"]
    if as_json:
        print_json(found)
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
@asks_the_api()
@click.argument("key_id")
@JSON_OPTION
def revoke_key(api: Api, key_id: str, *, as_json: bool) -> None:
    """Revoke a key for ever, by its id, or by its whole text where that was found lying around.

    Exits with 1 if there is none.

    \b
    agentvigil keys revoke k3x9v0q2ab
    """
    whole = _WHOLE_KEY.fullmatch(key_id)
    revoked = api.call("DELETE", f"/v1/keys/{segment(whole[1] if whole else key_id)}")
    if as_json:
        print_json(revoked)
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
