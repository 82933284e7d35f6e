"""``agentvigil baseline``: which runs of an agent others are compared with."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import click

from agentvigil.cli.api_access import Api, segment
from agentvigil.cli.asking import JSON_OPTION, asks_the_api, print_json
from agentvigil.cli.keys import print_table
from agentvigil.cli.printable import printable
from agentvigil.storage.migrations import migrate

_KNOWN_SINCE: Final = "90d"
_NAMED: Final = 10
_project_option = click.option(
    "--project", help="For keys of every project: which one is meant, `default` if none is said."
)
_environment_option = click.option("--environment", help="Where it runs; needed where it runs in several.")


@click.group()
def baseline() -> None:
    """Baselines: pin runs of an agent as what is normal for it, list, drop.

    Without one, an agent is compared with its own version's last 28 days, a new version with the one before. What
    trails follows slow creep: only against a pinned baseline is it seen.

    \b
    agentvigil baseline pin support-agent --version 1.3
    agentvigil baseline list
    agentvigil compare support-agent --baseline 1.3
    """


@baseline.command("pin")
@asks_the_api(migrate)
@click.argument("agent")
@click.option("--name", help="A label to know it by.  [default: the version, else the day]")
@click.option("--version", "of_version", metavar="V", help="Only runs of this version.")
@click.option("--from", "since", help="Runs from this time on: 14d, 2026-11-01.  [default: all of V, else 28 days]")
@click.option("--to", "until", help="Runs before this time.  [default: now]")
@_environment_option
@_project_option
@JSON_OPTION
def pin_baseline(
    api: Api,
    *,
    agent: str,
    name: str | None,
    of_version: str | None,
    since: str | None,
    until: str | None,
    environment: str | None,
    project: str | None,
    as_json: bool,
) -> None:
    """Pin runs of AGENT: those of a time, of a version, or of a version in a time.

    What is pinned last holds. A name that is there already is pinned anew.

    \b
    agentvigil baseline pin support-agent --version 1.3 --environment production
    agentvigil baseline pin support-agent --name before-launch --from 2026-11-01 --to 2026-11-15
    """
    of_project = {"project": project} if project else {}
    versions: set[str] | None = None
    if environment is None:
        known = api.get(f"/v1/agents/{segment(agent)}", {**of_project, "since": _KNOWN_SINCE})
        environment = _the_only([name or "" for name in known["environments"]] or [""], f"{agent} runs")
        versions = {one["key"] for one in known["versions"]}
    wanted: dict[str, Any] = {
        "agent": agent,
        "environment": environment,
        "version": of_version,
        "since": since,
        "until": until,
    }
    body = {key: value for key, value in wanted.items() if value is not None}
    path = f"/v1/baselines/{segment(name or of_version or f'{datetime.now(UTC):%Y-%m-%d}')}"
    pinned = api.call("PUT", path, of_project, body)
    if as_json:
        print_json(pinned)
    click.echo(printable(f"{pinned['name']}: {_runs(pinned)} of {_whose(pinned)}"), err=True)
    if versions is not None and of_version is not None and of_version not in versions:
        named = ", ".join(sorted(versions)[:_NAMED]) or "none"
        click.echo(printable(f"no run of version {of_version} is known; versions that ran: {named}"), err=True)


@baseline.command("list")
@asks_the_api()
@click.argument("agent", required=False)
@_project_option
@JSON_OPTION
def list_baselines(api: Api, *, agent: str | None, project: str | None, as_json: bool) -> None:
    """List what is pinned, of AGENT or of all, the newest first: of each agent it is the one that holds.

    \b
    agentvigil baseline list
    agentvigil baseline list support-agent --json
    """
    params = {"agent": agent, "project": project}
    found = api.get("/v1/baselines", {key: value for key, value in params.items() if value})["items"]
    if as_json:
        print_json(found)
        return
    if not found:
        click.echo(f"nothing is pinned for {printable(agent)}" if agent else "nothing is pinned", err=True)
    print_table(
        ("NAME", "AGENT", "ENVIRONMENT", "VERSION", "FROM", "TO", "PINNED", "BY"),
        [
            tuple(
                printable(text)
                for text in (
                    one["name"],
                    one["agent"],
                    one["environment"] or "-",
                    one["version"] or "(all)",
                    _minute(one["since"]) if one["since"] else "(its first)",
                    _minute(one["until"]),
                    one["pinned_at"][:10],
                    one["pinned_by"] or "-",
                )
            )
            for one in found
        ],
    )


@baseline.command("drop")
@asks_the_api()
@click.argument("agent")
@click.argument("name")
@_environment_option
@_project_option
@JSON_OPTION
def drop_baseline(
    api: Api, *, agent: str, name: str, environment: str | None, project: str | None, as_json: bool
) -> None:
    """Drop what is pinned for AGENT as NAME. Exits with 1 if nothing is.

    \b
    agentvigil baseline drop support-agent before-launch
    """
    of_project = {"project": project} if project else {}
    if environment is None:
        pinned = api.get("/v1/baselines", {"agent": agent, **of_project})["items"]
        where = [one["environment"] for one in pinned if one["name"] == name]
        environment = _the_only(where or [""], f"{name} of {agent} is pinned")
    params = {"agent": agent, "environment": environment, **of_project}
    dropped = api.call("DELETE", f"/v1/baselines/{segment(name)}", params)
    if as_json:
        print_json(dropped)
    click.echo(printable(f"{name} of {_whose(dropped)} is dropped"), err=True)


def _the_only(environments: Sequence[str], what: str) -> str:
    """Return the one environment.

    Raises:
        click.UsageError: if they are several.
    """
    if len(environments) > 1:
        named = ", ".join(name or "(none)" for name in environments[:_NAMED])
        raise click.UsageError(printable(f"{what} in several environments: {named}; say which with --environment"))
    return environments[0]


def _runs(pinned: dict[str, Any]) -> str:
    hours = (
        f"{_minute(pinned['since'])} to {_minute(pinned['until'])}"
        if pinned["since"]
        else (f"up to {_minute(pinned['until'])}")
    )
    version = f"runs of version {pinned['version']}" if pinned["version"] else "all runs"
    return f"{version}, {hours},"


def _whose(pinned: dict[str, Any]) -> str:
    return f"{pinned['agent']} in {pinned['environment']}" if pinned["environment"] else str(pinned["agent"])


def _minute(time: str) -> str:
    return f"{time[:16].replace('T', ' ')} UTC"
