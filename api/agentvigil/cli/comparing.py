"""``agentvigil compare``: did a version get worse? Made for CI as well: exit code 1 says that it did."""

from collections.abc import Sequence
from typing import Any, Final

import click

from agentvigil.cli.api_access import Api, Refused
from agentvigil.cli.asking import JSON_OPTION, asks_the_api, print_json
from agentvigil.cli.exit_codes import CannotRun
from agentvigil.cli.printable import printable
from agentvigil.cli.reading import print_list
from agentvigil.cli.views.comparing import comparison_header, comparison_lines, comparison_table, shown
from agentvigil.cli.views.paper import Paper

_LEVELS: Final = ("minor", "major", "critical")
_MOST_SENTENCES: Final = 5


@click.command()
@asks_the_api()
@click.argument("agent")
@click.argument("a", required=False)
@click.argument("b", required=False)
@click.option(
    "--baseline", metavar="NAME", help="Compare with what is pinned by this name; A is then what is compared."
)
@click.option("--environment", help="Where it runs; needed where it runs in several.")
@click.option("--since", default="30d", show_default=True, help="Runs from this time on: 30d, 12h, 2026-11-30.")
@click.option("--until", help="Runs before this time.  [default: now]")
@click.option("--before-since", help="Runs before: from this time on, if other than --since.")
@click.option("--before-until", help="Runs before: before this time.")
@click.option(
    "--fail-on",
    type=click.Choice([*_LEVELS, "change", "never"]),
    default="major",
    show_default=True,
    help="Exit with 1 from regressions of this severity on; `change` is whatever moved, for better or worse.",
)
@click.option("--all", "show_all", is_flag=True, help="Show every tool, failure and other key, not only what moved.")
@click.option("--project", help="For keys of every project: which one is meant, `default` if none is said.")
@JSON_OPTION
def compare(
    api: Api,
    *,
    agent: str,
    a: str | None,
    b: str | None,
    baseline: str | None,
    fail_on: str,
    show_all: bool,
    as_json: bool,
    **options: str | None,
) -> None:
    """Compare version A of AGENT with version B: what got worse, how much, and on what evidence.

    Without B it is the newest version; without A what was pinned last, else the version before. With --baseline, A is
    the version that is compared, or all runs since if it is left out. Runs are compared within their input class, so
    that other work is no regression. Exits with 1 if one is as severe as --fail-on says, 2 if it could not compare.

    \b
    agentvigil compare support-agent 1.3 1.4
    agentvigil compare support-agent --fail-on minor        # the newest version with the one before
    agentvigil compare support-agent 1.4 --baseline before-launch
    agentvigil compare support-agent --since 7d --before-since 14d --json
    """
    if baseline is not None and b is not None:
        raise click.UsageError("--baseline stands for one of the versions: give the other one alone")
    if baseline is not None:
        a, b = None, a
    said = {"agent": agent, "a": a, "b": b, "baseline": baseline, **options}
    try:
        found = api.get("/v1/compare", {name: value for name, value in said.items() if value is not None})
    except Refused as exc:
        # 1 would say that it got worse.
        raise CannotRun(printable(str(exc), kept="\n")) from exc
    if as_json:
        print_json(found)
    else:
        paper = Paper.of_stdout()
        if paper.is_terminal:
            paper.write(comparison_header(found))
        changes = shown(found, show_all=show_all)
        print_list(changes, as_json=False, table=comparison_table, lines=comparison_lines)
    for line in _words(found):
        click.echo(printable(line), err=True)
    if _fails(found, fail_on):
        raise click.exceptions.Exit(1)


def _fails(found: Any, fail_on: str) -> bool:
    if fail_on == "change":
        return found["verdict"] in ("worse", "changed", "better")
    if fail_on == "never" or found["severity"] is None:
        return False
    return _LEVELS.index(found["severity"]) >= _LEVELS.index(fail_on)


def _words(found: Any) -> Sequence[str]:
    """Return what is to be said in words: what moved, and what nobody can say."""
    lines = list(found["summary"][:_MOST_SENTENCES])
    if more := len(found["summary"]) - len(lines):
        lines.append(f"and {more} more")
    if not found["summary"]:
        lines.append("nothing moved")
    few = [feature for feature in found["features"] if feature["verdict"] == "too_few_runs"]
    if few:
        most = {side: max((one[f"more_runs_{side}"] or 0 for one in few), default=0) for side in ("before", "after")}
        wanted = " and ".join(f"{number:,} more runs {side}" for side, number in most.items() if number)
        named = ", ".join(feature["feature"] for feature in few)
        lines.append(f"too few runs to tell of {named}" + (f": about {wanted} would do" if wanted else ""))
    if found["share_compared"] < 0.9:
        lines.append(
            f"only {found['share_compared']:.0%} of the runs are of input classes that both sides have; "
            "nothing is said of the others"
        )
    if found["hours_not_counted"]:
        lines.append(f"{found['hours_not_counted']} hours are not counted yet and are missing; try again in a minute")
    return lines
