"""``agentvigil runs``, ``run``, ``sessions``, ``agents``: what agents did, for people who live in a terminal."""

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import click

from agentvigil.api.agents.asked import AgentList
from agentvigil.api.runs.filters import RunList
from agentvigil.api.sessions.filters import SessionList
from agentvigil.cli.api_access import Api, Params, segment
from agentvigil.cli.asking import JSON_OPTION, asks_the_api, print_json
from agentvigil.cli.filter_options import filter_options
from agentvigil.cli.views.agents import agent_header, agent_lines, agent_table, version_lines, version_table
from agentvigil.cli.views.paper import Paper
from agentvigil.cli.views.run import run_header, step_lines, why
from agentvigil.cli.views.runs import run_lines, run_table
from agentvigil.cli.views.sessions import session_lines, session_table

_WHOLE_ID: Final = re.compile(r"[0-9a-f]{32}-[0-9a-f]{16}")
_BEGINNING: Final = re.compile(r"([0-9a-f]{4,32})(?:-([0-9a-f]{1,16}))?")
_MOST_ALIKE: Final = 1000
_NAMED: Final = 10

_limit_option = click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many are printed."
)
_all_option = click.option("--all", "show_all", is_flag=True, help="Print all, however many they are.")


@click.command()
@asks_the_api()
@filter_options(RunList, defaults={"since": "24h"})
@_limit_option
@_all_option
@JSON_OPTION
def runs(api: Api, params: Params, *, limit: int, show_all: bool, as_json: bool) -> None:
    """List runs, the newest first: a table on a terminal, tabs and a line of names elsewhere.

    A filter given several times matches any of its values. `agentvigil run ID` shows one run, by the ID in the table.

    \b
    agentvigil runs
    agentvigil runs --status failure --agent support-agent --since 7d
    agentvigil runs --sort -cost_usd --limit 10
    agentvigil runs --failure-code timeout --all --json
    AGENTVIGIL_KEY=vgl_... agentvigil runs --url https://vigil.example.org:8787
    """
    found, has_more = api.items("/v1/runs", params, None if show_all else limit)
    print_list(found, as_json=as_json, table=run_table, lines=run_lines)
    _say_what_is_missing("runs", found, has_more, params)


@click.command()
@asks_the_api()
@click.argument("run_id", metavar="ID")
@click.option("--project", help="For keys of every project: which one is meant, `default` if none is said.")
@click.option("--all", "show_all", is_flag=True, help="Show every step of a long run.")
@JSON_OPTION
def run(api: Api, run_id: str, *, project: str | None, show_all: bool, as_json: bool) -> None:
    """Show one run: what happened, why it failed, and its steps as a tree with bars of when they ran.

    ID is the id of a run or how it begins, as `agentvigil runs` prints it; `last` is the newest run, `last-failed` the
    newest one that failed.

    \b
    agentvigil run last-failed
    agentvigil run 4bf92f35
    agentvigil run 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7 --json
    """
    of_project = {"project": project} if project else {}
    path = f"/v1/runs/{segment(_whole_id(api, run_id, of_project))}"
    one = api.get(path, of_project)
    steps, _ = api.items(f"{path}/steps", of_project, None)
    failures = api.get(f"{path}/failures", of_project)
    if as_json:
        print_json({"run": one, "steps": steps, "failures": failures})
        return
    paper, now = Paper.of_stdout(), datetime.now(UTC).astimezone()
    parts = (run_header(one, now, paper), why(failures, now, paper), step_lines(one, steps, paper, show_all=show_all))
    for part in parts:
        paper.write(part)


@click.command()
@asks_the_api()
@filter_options(SessionList, defaults={"since": "30d"})
@_limit_option
@_all_option
@JSON_OPTION
def sessions(api: Api, params: Params, *, limit: int, show_all: bool, as_json: bool) -> None:
    """List sessions (conversations), the latest first, with sums over their runs.

    `agentvigil runs --session ID` lists the runs of one.

    \b
    agentvigil sessions
    agentvigil sessions --status failure --sort -cost_usd
    agentvigil sessions --user u-17 --json
    """
    found, has_more = api.items("/v1/sessions", params, None if show_all else limit)
    print_list(found, as_json=as_json, table=session_table, lines=session_lines)
    _say_what_is_missing("sessions", found, has_more, params)


@click.command()
@asks_the_api()
@click.argument("name", required=False)
@filter_options(AgentList, defaults={"since": "30d"})
@_limit_option
@_all_option
@JSON_OPTION
def agents(api: Api, params: Params, *, name: str | None, limit: int, show_all: bool, as_json: bool) -> None:
    """List agents with sums over their runs, or the versions of the one called NAME.

    \b
    agentvigil agents
    agentvigil agents --sort -failure_rate --since 7d
    agentvigil agents support-agent
    """
    if name is None:
        found, has_more = api.items("/v1/agents", params, None if show_all else limit)
        print_list(found, as_json=as_json, table=agent_table, lines=agent_lines)
        _say_what_is_missing("agents", found, has_more, params)
        return
    if unfit := [f"--{option}" for option in ("agent", "sort") if option in params]:
        raise click.UsageError(f"{unfit[0]} is for the list of agents, not for one")
    path = f"/v1/agents/{segment(name)}"
    one = api.get(path, params)
    versions = api.get(f"{path}/versions", {**params, "limit": str(1000 if show_all else min(limit, 1000))})
    if as_json:
        print_json({"agent": one, "versions": versions["items"]})
        return
    paper = Paper.of_stdout()
    if paper.is_terminal:
        paper.write(agent_header(one, paper))
    print_list(versions["items"], as_json=False, table=version_table, lines=version_lines)


def print_list(
    found: Sequence[Any],
    *,
    as_json: bool,
    table: Callable[[Sequence[Any], datetime, Paper], Iterable[Any]],
    lines: Callable[[Sequence[Any]], Iterable[str]],
) -> None:
    """Print what was found as JSON, as a ``table`` on a terminal, or as ``lines``."""
    paper = Paper.of_stdout()
    if as_json:
        print_json(found)
    elif not paper.is_terminal:
        sys.stdout.writelines(f"{line}\n" for line in lines(found))
    elif found:
        paper.write(table(found, datetime.now(UTC).astimezone(), paper))


def _say_what_is_missing(what: str, found: Sequence[Any], has_more: bool, params: Params) -> None:
    if not found:
        click.echo(f"no {what} match, since {params['since']}; an earlier --since looks further back", err=True)
    elif has_more:
        click.echo("there are more; --limit or --all print them", err=True)


def _whole_id(api: Api, said: str, of_project: Params) -> str:
    """Return the id of the run that ``said`` means.

    Raises:
        click.ClickException: if it means none, or several.
    """
    if said in ("last", "last-failed"):
        status = {"status": "failure"} if said == "last-failed" else {}
        newest, _ = api.items("/v1/runs", {**of_project, **status}, 1)
        if not newest:
            raise click.ClickException(f"there is no run{' that failed' if status else ''} yet")
        return str(newest[0]["id"])
    if _WHOLE_ID.fullmatch(said):
        return said
    beginning = _BEGINNING.fullmatch(said.lower())
    if beginning is None:
        raise click.UsageError(
            f"{said!r} is no id of a run: give at least 4 of its hex digits, or `last`, or `last-failed`"
        )
    trace, span = beginning[1], beginning[2] or ""
    alike, has_more = api.items("/v1/runs", {**of_project, "id_prefix": trace}, _MOST_ALIKE)
    ids = [found["id"] for found in alike if (found["top_span_id"] or "").startswith(span)]
    if len(ids) == 1 and not has_more:
        return str(ids[0])
    if not ids:
        raise click.ClickException(f"there is no run whose id begins with {said}; `agentvigil runs` lists runs")
    more = ["..."] if has_more or len(ids) > _NAMED else []
    raise click.ClickException("\n".join([f"several runs' ids begin with {said}:", *ids[:_NAMED], *more]))
