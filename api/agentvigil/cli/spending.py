"""``agentvigil spending``: what agents cost, what the month will come to, and whether a budget will do."""

import sys
from decimal import Decimal, InvalidOperation
from typing import Final

import click

from agentvigil.cli.api_access import Api
from agentvigil.cli.asking import JSON_OPTION, asks_the_api, print_json
from agentvigil.cli.views.paper import Paper
from agentvigil.cli.views.spending import in_words, spending_lines, spending_view

_FILTERS: Final = ("agent", "environment", "user", "model")


def _amount(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    try:
        if text is None or Decimal(text) > 0:
            return text
    except InvalidOperation:
        pass
    raise click.BadParameter(f"{text!r} is no amount of US dollars above 0, such as 250 or 12.50")


@click.command()
@asks_the_api()
@click.option("--agent", multiple=True, help="Only of this agent.")
@click.option("--environment", multiple=True, help="Only there.")
@click.option("--user", multiple=True, help="Only for this user.")
@click.option("--model", multiple=True, help="Only calls of this model.")
@click.option("--period", type=click.Choice(["day", "month"]), default="month", show_default=True, help="In UTC.")
@click.option("--at", help="As of this time: 2026-11-30, 7d.  [default: now]")
@click.option("--budget", callback=_amount, help="US dollars that may be spent in the period.")
@click.option(
    "--fail-on",
    type=click.Choice(["over", "likely", "never"]),
    default="over",
    show_default=True,
    help="Exit with 1 if the budget is used up, or `likely` will be.",
)
@click.option("--top", type=click.IntRange(1, 100), default=10, show_default=True, help="How many of each are printed.")
@click.option("--project", help="For keys of every project: which one is meant, `default` if none is said.")
@JSON_OPTION
def spending(
    api: Api,
    *,
    period: str,
    at: str | None,
    budget: str | None,
    fail_on: str,
    top: int,
    project: str | None,
    as_json: bool,
    **filters: tuple[str, ...],
) -> None:
    """Tell what was spent since the month began, what it will come to, and by which agents, models and users.

    A filter given several times matches any of its values.

    \b
    agentvigil spending
    agentvigil spending --agent support-agent --budget 500 --fail-on likely
    agentvigil spending --period day --user u-17 --json
    """
    said = {"period": period, "at": at, "budget_usd": budget, "top": str(top), "project": project}
    params: dict[str, str | list[str]] = {name: value for name, value in said.items() if value is not None}
    params |= {name: list(filters[name]) for name in _FILTERS if filters[name]}
    found = api.get("/v1/spending", params)
    paper = Paper.of_stdout()
    if as_json:
        print_json(found)
    elif paper.is_terminal:
        paper.write(spending_view(found, paper))
    else:
        sys.stdout.writelines(f"{line}\n" for line in spending_lines(found))
    if as_json or not paper.is_terminal:
        for line in in_words(found):
            click.echo(line, err=True)
    if found["budget"] is not None and _fails(found["budget"]["is_over"], found["budget"]["probability_over"], fail_on):
        raise click.exceptions.Exit(1)


def _fails(is_over: bool, probability_over: float | None, fail_on: str) -> bool:
    if fail_on == "likely":
        return is_over or (probability_over or 0.0) >= 0.5
    return is_over and fail_on == "over"
