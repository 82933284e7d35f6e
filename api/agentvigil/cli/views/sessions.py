"""Sessions as a table."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.text import Text

from agentvigil.cli.views.amounts import ago, clock, count, dollars, second, short_count, time_of
from agentvigil.cli.views.paper import Paper
from agentvigil.cli.views.runs import Json
from agentvigil.cli.views.tables import Cell, Column, Words, draw, tab_separated, words

_COLUMNS: Final = (
    Column("ago", 2),
    Column("last", 9),
    Column("session", 0, least=36),
    Column("user", 6, least=8),
    Column("agents", 4, least=12),
    Column("runs", 0, is_number=True),
    Column("failed", 1, is_number=True),
    Column("tokens", 7, is_number=True),
    Column("cost", 3, is_number=True),
)
_PIPED: Final = ("last_at", "id", "users", "agents", "runs", "failed_runs", "input_tokens", "output_tokens", "cost_usd")


def session_table(sessions: Sequence[Json], now: datetime, paper: Paper) -> Iterator[Text]:
    """Yield ``sessions`` as the lines of a table that fits ``paper``; ``now`` is in the zone whose clock is shown."""
    return draw(_COLUMNS, [_cells(session, now) for session in sessions], paper)


def session_lines(sessions: Sequence[Json]) -> Iterator[str]:
    """Yield ``sessions`` with tabs between their values, which are whole, with times to the second."""
    return tab_separated(
        _PIPED,
        (
            (
                second(session["last_at"]),
                session["id"],
                ",".join(session["users"]),
                ",".join(session["agents"]),
                session["runs"],
                session["failed_runs"],
                session["tokens"]["input"],
                session["tokens"]["output"],
                session["cost"]["billed_usd"],
            )
            for session in sessions
        ),
    )


def _cells(session: Json, now: datetime) -> list[Cell]:
    last = time_of(session["last_at"]).astimezone(now.tzinfo)
    tokens = session["tokens"]
    return [
        Words(ago(last, now).removesuffix(" ago"), "dim"),
        Words(clock(last, now), "dim"),
        words(session["id"]),
        words(", ".join(session["users"])),
        words(", ".join(session["agents"])),
        Words(count(session["runs"])),
        failed(session["failed_runs"]),
        Words(f"{short_count(tokens['input'])}+{short_count(tokens['output'])}"),
        Words(dollars(session["cost"]["billed_usd"])),
    ]


def failed(runs: int) -> Words:
    """Return how many runs failed, red if any."""
    return Words(count(runs), "bold red" if runs else "dim")
