"""Agents, and the versions of one, as tables."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.text import Text

from agentvigil.cli.printable import printable
from agentvigil.cli.views.amounts import UNKNOWN, ago, clock, count, counted, dollars, duration, second, time_of
from agentvigil.cli.views.paper import Paper
from agentvigil.cli.views.runs import Json
from agentvigil.cli.views.sessions import failed
from agentvigil.cli.views.tables import Cell, Column, Words, draw, tab_separated, words

_TOTALS: Final = (
    Column("runs", 0, is_number=True),
    Column("failed", 0, is_number=True),
    Column("rate", 2, is_number=True),
    Column("p50", 5, is_number=True),
    Column("p95", 3, is_number=True),
)
_AGENTS: Final = (
    Column("agent", 0, least=16),
    *_TOTALS,
    Column("cost", 1, is_number=True),
    Column("versions", 7, is_number=True),
    Column("last", 4),
    Column("models", 8, least=12),
)
_VERSIONS: Final = (
    Column("version", 0, least=10),
    *_TOTALS,
    Column("cost a run", 1, is_number=True),
    Column("tokens a run", 6, is_number=True),
    Column("steps a run", 7, is_number=True),
    Column("first", 9),
    Column("last", 4),
    Column("models", 8, least=12),
)
_PIPED: Final = ("runs", "failures", "failure_rate", "duration_p50_ms", "duration_p95_ms", "cost_usd")


def agent_table(agents: Sequence[Json], now: datetime, paper: Paper) -> Iterator[Text]:
    """Yield ``agents`` as the lines of a table that fits ``paper``."""
    rows: list[list[Cell]] = [
        [
            words(agent["name"]),
            *_totals(agent),
            Words(dollars(agent["cost"]["billed_usd"])),
            Words(count(agent["version_count"])),
            Words(ago(time_of(agent["last_seen_at"]), now), "dim"),
            words(", ".join(agent["models"])),
        ]
        for agent in agents
    ]
    return draw(_AGENTS, rows, paper)


def agent_lines(agents: Sequence[Json]) -> Iterator[str]:
    """Yield ``agents`` with tabs between their values, with times to the second."""
    rows = (
        (
            agent["name"],
            *_values(agent),
            agent["cost"]["billed_usd"],
            agent["version_count"],
            second(agent["last_seen_at"]),
        )
        for agent in agents
    )
    return tab_separated(("agent", *_PIPED, "versions", "last_seen_at"), rows)


def agent_header(agent: Json, paper: Paper) -> Iterator[Text]:
    """Yield what an agent is and what its runs fail of, as lines."""
    runs = f"{counted(agent['runs'], 'run')}, {counted(agent['statuses']['failure'], 'failure')}"
    cost = dollars(agent["cost"]["billed_usd"])
    yield Text.assemble((printable(agent["name"]), "bold"), f"  {runs}, {cost}")
    for label, names in (("models", agent["models"]), ("tools", agent["tools"])):
        if names:
            yield Words(printable(f"{label:<8}{', '.join(names)}")).fitted(paper.width, paper)
    for failure in agent["top_failures"]:
        said = f"{count(failure['runs']):>6}  {failure['type']} {failure['code']}"
        yield Words(printable(said), "red").fitted(paper.width, paper)
    yield Text()


def version_table(versions: Sequence[Json], now: datetime, paper: Paper) -> Iterator[Text]:
    """Yield the versions of one agent as the lines of a table that fits ``paper``."""
    rows: list[list[Cell]] = [
        [
            words(version["version"] or version["key"]),
            *_totals(version),
            Words(dollars(version["cost_per_run_usd"])),
            Words(UNKNOWN if version["tokens_per_run"] is None else count(round(version["tokens_per_run"]))),
            Words(f"{version['steps_per_run']:.1f}"),
            Words(clock(time_of(version["first_seen_at"]).astimezone(now.tzinfo), now), "dim"),
            Words(ago(time_of(version["last_seen_at"]), now), "dim"),
            words(", ".join(version["models"])),
        ]
        for version in versions
    ]
    return draw(_VERSIONS, rows, paper)


def version_lines(versions: Sequence[Json]) -> Iterator[str]:
    """Yield the versions of one agent with tabs between their values, with times to the second."""
    rows = (
        (
            version["version"] or version["key"],
            *_values(version),
            version["cost"]["billed_usd"],
            second(version["first_seen_at"]),
            second(version["last_seen_at"]),
        )
        for version in versions
    )
    return tab_separated(("version", *_PIPED, "first_seen_at", "last_seen_at"), rows)


def _totals(totals: Json) -> list[Cell]:
    rate = totals["failure_rate"]
    return [
        Words(count(totals["runs"])),
        failed(totals["statuses"]["failure"]),
        Words(UNKNOWN if rate is None else f"{rate:.1%}"),
        Words(duration(totals["duration"]["p50_ms"])),
        Words(duration(totals["duration"]["p95_ms"])),
    ]


def _values(totals: Json) -> tuple[object, ...]:
    return (
        totals["runs"],
        totals["statuses"]["failure"],
        totals["failure_rate"],
        totals["duration"]["p50_ms"],
        totals["duration"]["p95_ms"],
    )
