"""``agentvigil findings``: what moved or goes wrong, and what is to become of it."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import click

from agentvigil.analysis.findings.model import Kind, Resolution, Severity
from agentvigil.api.findings.asked import FindingList, FindingOrder, IncidentList
from agentvigil.cli.api_access import Api, Params, segment
from agentvigil.cli.asking import JSON_OPTION, asks_the_api, print_json
from agentvigil.cli.filter_options import filter_options
from agentvigil.cli.printable import printable
from agentvigil.cli.reading import print_list
from agentvigil.cli.views.amounts import second
from agentvigil.cli.views.finding import finding_page
from agentvigil.cli.views.findings import (
    by_incident,
    finding_lines,
    finding_table,
    incident_lines,
    incident_table,
    incidents_of_findings,
    precision_lines,
    precision_table,
)
from agentvigil.cli.views.paper import Paper
from agentvigil.cli.views.runs import Json

_WHOLE_ID: Final = re.compile(r"[0-9a-f]{32}")
_BEGINNING: Final = re.compile(r"[0-9a-f]{4,32}")
_MOST_ALIKE: Final = 10
_UNRESOLVED: Final = ("open", "acknowledged")
_MINOR_ANOMALIES: Final = {"kind": [Kind.ANOMALY.value], "severity": [Severity.MINOR.value]}
_MOST_COUNTED: Final = 1000
_NAMES_THEM: Final = frozenset({"kind", "severity", "sort", "subject", "detector", "incident", "id_prefix"})
"""Options of somebody who wants them one by one, or all in another order."""

_limit_option = click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many are printed."
)
_all_option = click.option("--all", "show_all", is_flag=True, help="Print all, however many they are.")
_incident_option = click.option(
    "--incident", "of_incident", is_flag=True, help="And all others of its incident that are not resolved."
)
_project_option = click.option(
    "--project", help="For keys of every project: which one is meant, `default` if none is said."
)


class _ListByDefault(click.Group):
    """A group that lists where no other command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListByDefault)
def findings() -> None:
    """List what was found, explain one finding, and say what became of it.

    Without a command it lists; `agentvigil findings list --help` has the filters.

    \b
    agentvigil findings                          # what is open, the most urgent first
    agentvigil findings --agent support-agent --severity critical
    agentvigil findings show 9f86d081            # one, with a plot and what to do
    agentvigil findings ack 9f86d081             # I look after it
    agentvigil findings resolve 9f86d081 --as fixed --incident   # and its symptoms
    agentvigil findings mute 9f86d081 --for 30d
    agentvigil findings precision                # how often each detector was right
    """


@findings.command("list")
@asks_the_api()
@filter_options(FindingList)
@_limit_option
@_all_option
@JSON_OPTION
def list_findings(api: Api, params: Params, *, limit: int, show_all: bool, as_json: bool) -> None:
    """List findings that are not resolved, the most urgent first: a table on a terminal, else tabs and a line of names.

    Critical comes before major and minor, the newest of each first; --sort newest goes by time alone. On a terminal
    findings of one incident are one row, the most severe, with the others counted beneath, and minor anomalies of
    single runs are counted in a last line; --all, or an option that asks for them, lists each. A filter given several
    times matches any of its values; --state resolved lists what is over.

    \b
    agentvigil findings
    agentvigil findings --sort newest --kind drift --kind regression
    agentvigil findings --state resolved --since 30d --json
    """
    asked = {"state": list(_UNRESOLVED), **params}
    is_table = not as_json and Paper.of_stdout().is_terminal
    if is_table and not show_all and _NAMES_THEM.isdisjoint(params):
        found, has_more = _print_incidents(api, asked, limit)
    else:
        found, has_more = api.items("/v1/findings", asked, None if show_all else limit)
        print_list(found, as_json=as_json, table=finding_table, lines=finding_lines)
    if not found:
        click.echo(f"no finding is {' or '.join(asked['state'])} and matches", err=True)
    elif has_more:
        click.echo("there are more; --limit or --all print them", err=True)


def _print_incidents(api: Api, asked: Params, limit: int) -> tuple[Sequence[Json], bool]:
    """Print what is ``asked``, a row for each incident, and return what was found, and if there are more."""
    found, has_more = api.items("/v1/findings", asked, max(limit, _MOST_COUNTED))
    told = [one for one in found if not _is_minor_anomaly(one)]
    groups = list(by_incident(told).values())
    shown = [one for group in groups[:limit] for one in group]
    print_list(shown, as_json=False, table=incidents_of_findings, lines=finding_lines)
    if len(groups) > limit:
        has_more = True
    elif len(told) < len(found):
        click.echo(_minor_anomalies(api, asked, beside=bool(shown)))
        # They come last of those of one state: nothing else is left then.
        has_more = has_more and not (_is_minor_anomaly(found[-1]) and _are_of_one_end(asked["state"]))
    if len(shown) > limit or len(shown) > len(groups):
        click.echo("`agentvigil findings show ID` lists the others of an incident; --all prints each", err=True)
    return found, has_more


def _is_minor_anomaly(finding: Mapping[str, Any]) -> bool:
    return all(finding[name] in values for name, values in _MINOR_ANOMALIES.items())


def _minor_anomalies(api: Api, asked: Params, *, beside: bool) -> str:
    """Return in a line how many minor anomalies of single runs match what is ``asked``."""
    counted, has_more = api.items("/v1/findings", {**asked, **_MINOR_ANOMALIES}, _MOST_COUNTED)
    number = f"{len(counted):,}{' or more' if has_more else ''}"
    what = "minor anomaly of a single run" if len(counted) == 1 else "minor anomalies of single runs"
    shows = "shows it" if len(counted) == 1 else "shows them"
    return f"{'and ' if beside else ''}{number} {what}: --kind anomaly {shows}"


def _are_of_one_end(states: Sequence[str]) -> bool:
    """Say whether ``states`` are all of findings that are over, or all of others."""
    return len({state in _UNRESOLVED for state in states}) == 1


@findings.command("incidents")
@asks_the_api()
@filter_options(IncidentList)
@_limit_option
@_all_option
@JSON_OPTION
def list_incidents(api: Api, params: Params, *, limit: int, show_all: bool, as_json: bool) -> None:
    """List incidents, the newest first: findings that are of one thing, told once.

    `agentvigil findings --incident ID` lists the findings of one.

    \b
    agentvigil findings incidents --state unresolved
    """
    found, has_more = api.items("/v1/incidents", params, None if show_all else limit)
    print_list(found, as_json=as_json, table=incident_table, lines=incident_lines)
    if not found:
        click.echo("no incident matches", err=True)
    elif has_more:
        click.echo("there are more; --limit or --all print them", err=True)


@findings.command("precision")
@asks_the_api()
@_project_option
@JSON_OPTION
def show_precision(api: Api, *, project: str | None, as_json: bool) -> None:
    """Say how often each detector was right in the last 90 days, as people judged its findings.

    \b
    agentvigil findings precision
    """
    told = api.get("/v1/findings/precision", _of(project))
    if as_json:
        print_json(told)
        return
    print_list(told["items"], as_json=False, table=precision_table, lines=precision_lines)
    if not told["items"]:
        click.echo("nothing was found in the last 90 days", err=True)


@findings.command("show")
@asks_the_api()
@click.argument("finding_id", metavar="ID")
@_project_option
@JSON_OPTION
def show(api: Api, finding_id: str, *, project: str | None, as_json: bool) -> None:
    """Explain one finding: what moved, since when, what else changed then, which runs show it, what to do.

    ID is the id of a finding or how it begins, as `agentvigil findings` prints it; `last` is the newest one.

    \b
    agentvigil findings show last
    agentvigil findings show 9f86d081 --json
    """
    told = api.get(_path(api, finding_id, project), _of(project))
    if as_json:
        print_json(told)
        return
    paper = Paper.of_stdout()
    paper.write(finding_page(told, datetime.now(UTC).astimezone(), paper))


@findings.command("ack")
@asks_the_api()
@click.argument("finding_id", metavar="ID")
@_incident_option
@_project_option
@JSON_OPTION
def acknowledge(api: Api, finding_id: str, *, of_incident: bool, project: str | None, as_json: bool) -> None:
    """Say that somebody looks after a finding, or with --incident after all of its incident.

    \b
    agentvigil findings ack 9f86d081
    agentvigil findings ack 9f86d081 --incident
    """
    act = _act_on_incident if of_incident else _act
    act(api, finding_id, project, "acknowledge", None, as_json=as_json)


@findings.command("resolve")
@asks_the_api()
@click.argument("finding_id", metavar="ID")
@click.option(
    "--as",
    "resolution",
    type=click.Choice([resolution.value for resolution in Resolution]),
    required=True,
    help="fixed; new_normal: it is compared with what is now; false_alarm: the same is muted for 30 days, and counted "
    "against the detector; back_to_normal: nothing is known.",
)
@_incident_option
@_project_option
@JSON_OPTION
def resolve(
    api: Api, finding_id: str, *, resolution: str, of_incident: bool, project: str | None, as_json: bool
) -> None:
    """Say what a finding was, and that it is over, or with --incident what all of its incident were.

    \b
    agentvigil findings resolve 9f86d081 --as new_normal
    agentvigil findings resolve 9f86d081 --as fixed --incident
    """
    act = _act_on_incident if of_incident else _act
    act(api, finding_id, project, "resolve", {"resolution": resolution}, as_json=as_json)


@findings.command("reopen")
@asks_the_api()
@click.argument("finding_id", metavar="ID")
@_project_option
@JSON_OPTION
def reopen(api: Api, finding_id: str, *, project: str | None, as_json: bool) -> None:
    """Say that a finding was resolved too early.

    \b
    agentvigil findings reopen 9f86d081
    """
    _act(api, finding_id, project, "reopen", None, as_json=as_json)


@findings.command("mute")
@asks_the_api()
@click.argument("finding_id", metavar="ID")
@click.option(
    "--for",
    "until",
    metavar="TIME",
    required=True,
    help="How long, as 12h or 30d, or up to when, as 2027-01-31; `ever` for always.",
)
@_project_option
@JSON_OPTION
def mute(api: Api, finding_id: str, *, until: str, project: str | None, as_json: bool) -> None:
    """Let nobody hear of the same thing for some time, also if it is found again.

    \b
    agentvigil findings mute 9f86d081 --for 30d
    agentvigil findings mute 9f86d081 --for ever
    """
    _act(api, finding_id, project, "mute", {"until": None if until == "ever" else until}, as_json=as_json)


@findings.command("unmute")
@asks_the_api()
@click.argument("finding_id", metavar="ID")
@_project_option
@JSON_OPTION
def unmute(api: Api, finding_id: str, *, project: str | None, as_json: bool) -> None:
    """Take a mute back.

    \b
    agentvigil findings unmute 9f86d081
    """
    _act(api, finding_id, project, "unmute", None, as_json=as_json)


def _act(api: Api, said: str, project: str | None, act: str, body: object, *, as_json: bool) -> None:
    told: Any = api.call("POST", f"{_path(api, said, project)}/{act}", _of(project), body)
    if as_json:
        print_json(told)
    else:
        _print_state(told)


def _act_on_incident(api: Api, said: str, project: str | None, act: str, body: object, *, as_json: bool) -> None:
    incident_id = api.get(_path(api, said, project), _of(project))["incident_id"]
    told: Any = api.call("POST", f"/v1/incidents/{segment(incident_id)}/{act}", _of(project), body)
    if as_json:
        print_json(told)
        return
    for finding in told["items"]:
        _print_state(finding)


def _print_state(told: Mapping[str, Any]) -> None:
    resolution = f" as {told['resolution'].replace('_', ' ')}" if told["resolution"] else ""
    until = f" until {second(told['muted_until'])}" if told["muted_until"] else " for ever"
    muted = f", muted{until}" if told["is_muted"] else ""
    what = f"{told['severity']} {told['kind'].replace('_', ' ')} of {told['subject']}"
    click.echo(printable(f"{told['id'][:8]}  {told['state']}{resolution}{muted}  {what}"))


def _path(api: Api, said: str, project: str | None) -> str:
    return f"/v1/findings/{segment(_whole_id(api, said, project))}"


def _of(project: str | None) -> dict[str, str]:
    return {"project": project} if project else {}


def _whole_id(api: Api, said: str, project: str | None) -> str:
    """Return the id of the finding that ``said`` means.

    Raises:
        click.ClickException: if it means none, or several.
    """
    if said == "last":
        newest, _ = api.items("/v1/findings", {**_of(project), "sort": FindingOrder.NEWEST.value}, 1)
        if not newest:
            raise click.ClickException("there is no finding yet")
        return str(newest[0]["id"])
    said = said.lower()
    if _WHOLE_ID.fullmatch(said):
        return said
    if not _BEGINNING.fullmatch(said):
        raise click.UsageError(
            f"{said!r} is no id of a finding: give at least 4 of its hex digits, or `last` for the newest"
        )
    alike, has_more = api.items("/v1/findings", {**_of(project), "id_prefix": said}, _MOST_ALIKE)
    ids = [str(found["id"]) for found in alike]
    if len(ids) == 1:
        return ids[0]
    if not ids:
        raise click.ClickException(
            f"there is no finding whose id begins with {said}; `agentvigil findings` lists findings"
        )
    raise click.ClickException(
        "\n".join([f"several findings' ids begin with {said}:", *ids, *(["..."] if has_more else [])])
    )
