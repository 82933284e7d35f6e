"""``agentvigil alerts``: rules and what they find, what was sent, and whether it arrives."""

from collections import Counter
from pathlib import Path
from typing import Any, Final

import click

from agentvigil.cli.api_access import Api, segment
from agentvigil.cli.asking import JSON_OPTION, asks_the_api, print_json
from agentvigil.cli.keys import print_table
from agentvigil.cli.printable import printable
from agentvigil.storage.migrations import migrate

_SHOWN_ALERTS: Final = 20
_STATUSES: Final = ("held", "waiting", "sending", "delivered", "failed", "dropped", "summarized")
_MOST_TITLE: Final = 100

_project_option = click.option(
    "--project", help="For keys of every project: which one is meant, `default` if none is said."
)


class _ListsUnlessTold(click.Group):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_option = bool(args) and args[0].startswith("-") and args[0] not in ctx.help_option_names
        return super().parse_args(ctx, ["list", *args] if not args or is_option else args)


@click.group(cls=_ListsUnlessTold)
def alerts() -> None:
    """Alerts: rules and what they find, what was sent, and whether it arrives.

    Without a command it lists. Rules and destinations come by the API and from the file that AGENTVIGIL_ALERTS, or
    `agentvigil up --alerts`, names. Works on a server that runs, by its API, else on the data.

    \b
    agentvigil alerts
    agentvigil alerts deliveries --status failed
    agentvigil alerts test ops
    agentvigil alerts check alerts.toml
    """


@alerts.command("list")
@asks_the_api(migrate)
@_project_option
@JSON_OPTION
def list_rules(api: Api, *, project: str | None, as_json: bool) -> None:
    """List rules, and what each finds to be the case now.

    \b
    agentvigil alerts
    agentvigil alerts list --json
    """
    of_project = {"project": project} if project else {}
    rules = api.get("/v1/alerts/rules", of_project)["items"]
    found = api.get("/v1/alerts", {**of_project, "limit": "1000"})["items"]
    if as_json:
        print_json({"rules": rules, "alerts": found})
        return
    if not rules:
        click.echo("there are no rules; docs/alerts.md shows how to write some", err=True)
    print_table(
        ("RULE", "WHEN", "TO", "OPEN", "LAST TOLD", "FROM"),
        [
            (
                rule["name"] if rule["enabled"] else f"{rule['name']} (off)",
                printable(_when(rule)),
                ",".join(rule["destinations"]),
                str(rule["open_alerts"]),
                _minute(rule["announced_at"]),
                "file" if rule["is_read_only"] else "API",
            )
            for rule in rules
        ],
    )
    if found:
        click.echo()
    for alert in found[:_SHOWN_ALERTS]:
        muted = " (muted)" if alert["is_muted"] else ""
        title = printable(alert["title"])
        click.echo(f"[{alert['severity']}] {title}{muted}, since {_minute(alert['opened_at'])}, rule {alert['rule']}")
    if len(found) > _SHOWN_ALERTS:
        click.echo(f"and {len(found) - _SHOWN_ALERTS} more; --json has all", err=True)


@alerts.command("deliveries")
@asks_the_api(migrate)
@_project_option
@click.option("--rule", "rules", multiple=True, help="Only of this rule.")
@click.option("--destination", "destinations", multiple=True, help="Only to this destination.")
@click.option("--status", "statuses", type=click.Choice(_STATUSES), multiple=True, help="Only those that are so far.")
@click.option("--since", default="7d", show_default=True, help="From then on: 24h, 7d, or 2027-01-01.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many are printed.")
@JSON_OPTION
def list_deliveries(
    api: Api,
    *,
    project: str | None,
    rules: tuple[str, ...],
    destinations: tuple[str, ...],
    statuses: tuple[str, ...],
    since: str,
    limit: int,
    as_json: bool,
) -> None:
    """List notices and what became of each, the newest first.

    \b
    agentvigil alerts deliveries
    agentvigil alerts deliveries --destination ops --status failed --since 30d
    """
    said = {"rule": rules, "destination": destinations, "status": statuses}
    params: dict[str, Any] = {name: list(values) for name, values in said.items() if values}
    params |= {"since": since, **({"project": project} if project else {})}
    found, has_more = api.items("/v1/alerts/deliveries", params, limit)
    if as_json:
        print_json(found)
        return
    print_table(
        ("MADE", "STATUS", "TRIES", "CODE", "TO", "RULE", "WHAT"),
        [
            (
                _minute(delivery["created_at"]),
                delivery["status"],
                str(delivery["attempts"]),
                str(delivery["code"] or "-"),
                delivery["destination"],
                delivery["rule"] or "-",
                printable(f"{delivery['transition']}: {delivery['title']}"[:_MOST_TITLE])
                + (f" ({printable(delivery['error'])})" if delivery["error"] else ""),
            )
            for delivery in found
        ],
    )
    if not found:
        click.echo(f"nothing was to be sent since {since}", err=True)
    if has_more:
        click.echo(f"these are the newest {len(found)}; --limit prints more", err=True)


@alerts.command("test")
@asks_the_api(migrate)
@click.argument("destination")
@_project_option
@JSON_OPTION
def try_destination(api: Api, destination: str, *, project: str | None, as_json: bool) -> None:
    """Send a test to DESTINATION now, and say what became of it. Exits with 1 if it was not delivered.

    \b
    agentvigil alerts test ops
    """
    of_project = {"project": project} if project else {}
    told = api.call("POST", f"/v1/alerts/destinations/{segment(destination)}/test", of_project)
    if as_json:
        print_json(told)
    code = f" ({told['code']})" if told["code"] else ""
    if not told["is_delivered"]:
        raise click.ClickException(f"{destination} did not take it{code}: {printable(told['error'] or '')}")
    more = f"; {printable(told['error'])}" if told["error"] else ""
    click.echo(f"{destination} took it{code}{more}", err=True)


@alerts.command("check")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def check_file(file: Path) -> None:
    """Say whether FILE can be used with --alerts, secrets and all; every place that is wrong is named.

    Nothing is sent. Exits with 1 if it can not be used.

    \b
    agentvigil alerts check alerts.toml
    """
    from agentvigil.analysis.alerts.configuration import AlertsUnusable, Configuration

    try:
        found = Configuration.load(file)
    except AlertsUnusable as exc:
        raise click.ClickException(printable(str(exc), kept="\n")) from exc
    used = Counter(name for rule in found.rules for name in rule.destinations)
    for destination in found.destinations:
        if not used[destination.name]:
            click.echo(f"no rule of the file goes to {destination.name}", err=True)
    click.echo(f"{file}: {len(found.destinations)} destinations, {len(found.rules)} rules", err=True)


def _when(rule: dict[str, Any]) -> str:
    """Return what a rule looks at, in a few words."""
    if rule["findings"]:
        said = rule["findings"]
        kinds = "/".join(said["kinds"]) or "findings"
        of = f" of {', '.join(said['agents'])}" if said["agents"] else ""
        return f"{kinds}{of}, {said['min_severity']} and worse"
    said = rule["metric"] or rule["budget"]
    per = f" per {said['per']}" if said["per"] else ""
    if rule["metric"]:
        bound = f"> {said['above']:g}" if said["above"] is not None else f"< {said['below']:g}"
        return f"{said['measure']}{per} {bound} over {said['window']}"
    return f"{said['measure']}{per} of {said['limit']:g} a {said['period']}"


def _minute(time: str | None) -> str:
    return "never" if time is None else f"{time[:16].replace('T', ' ')} UTC"
