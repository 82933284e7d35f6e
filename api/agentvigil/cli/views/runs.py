"""Runs as a table."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich.text import Text

from agentvigil.cli.views.amounts import ago, clock, count, dollars, duration, second, time_of
from agentvigil.cli.views.paper import Paper
from agentvigil.cli.views.tables import Cell, Column, Words, draw, tab_separated, words

Json = Mapping[str, Any]

STATUS_STYLES: Final = {"success": "green", "failure": "bold red", "partial": "yellow", "open": "cyan"}

_COLUMNS: Final = (
    Column("ago", 2),
    Column("started", 9),
    Column("id", 0),
    Column("agent", 1, least=16),
    Column("version", 8, least=7),
    Column("status", 0),
    Column("took", 4, is_number=True),
    Column("steps", 7, is_number=True),
    Column("cost", 5, is_number=True),
    Column("root cause", 3, least=18),
)
_PIPED: Final = ("started_at", "id", "agent", "version", "status", "duration_ms", "steps", "cost_usd", "root_cause")
_ID_LENGTHS: Final = ((8, 0), (8, 4), (12, 4), (16, 8), (32, 16))


def run_table(runs: Sequence[Json], now: datetime, paper: Paper) -> Iterator[Text]:
    """Yield ``runs`` as the lines of a table that fits ``paper``; ``now`` is in the zone whose clock is shown."""
    ids = short_ids([run["id"] for run in runs])
    return draw(_COLUMNS, [_cells(run, ids[run["id"]], now) for run in runs], paper)


def run_lines(runs: Sequence[Json]) -> Iterator[str]:
    """Yield ``runs`` with tabs between their values, which are whole, with times to the second."""
    return tab_separated(
        _PIPED,
        (
            (
                second(run["started_at"]),
                run["id"],
                run["agent"],
                run["version"],
                run["status"],
                run["duration_ms"],
                run["steps"],
                run["cost"]["billed_usd"],
                cause and f"{cause['type']} {cause['code']}",
            )
            for run in runs
            for cause in [run["root_cause"]]
        ),
    )


def short_ids(ids: Sequence[str]) -> dict[str, str]:
    """Return a short form of each id, by which `agentvigil run` finds it again: the beginning of the trace's id, and of
    the top span's id where that is not one alone among ``ids``."""
    short: dict[str, str] = {}
    for trace_length, span_length in _ID_LENGTHS:
        forms = {run_id: _shortened(run_id, trace_length, span_length) for run_id in ids if run_id not in short}
        of_one = Counter(forms.values())
        short |= {run_id: form for run_id, form in forms.items() if of_one[form] == 1}
    return {run_id: short.get(run_id, run_id) for run_id in ids}


def _shortened(run_id: str, trace_length: int, span_length: int) -> str:
    trace, _, span = run_id.partition("-")
    return trace[:trace_length] + (f"-{span[:span_length]}" if span and span_length else "")


def _cells(run: Json, short_id: str, now: datetime) -> list[Cell]:
    started = time_of(run["started_at"]).astimezone(now.tzinfo)
    return [
        Words(ago(started, now).removesuffix(" ago"), "dim"),
        Words(clock(started, now), "dim"),
        words(short_id),
        words(run["agent"]),
        words(run["version"]),
        words(run["status"], STATUS_STYLES.get(run["status"], "")),
        Words(duration(run["duration_ms"])),
        Words(count(run["steps"])),
        Words(dollars(run["cost"]["billed_usd"])),
        _cause(run["root_cause"]),
    ]


def _cause(cause: Json | None) -> Cell:
    if cause is None:
        return Words("")
    message = f": {cause['message']}" if cause["message"] else ""
    return words(f"{cause['type']} {cause['code']}{message}")
