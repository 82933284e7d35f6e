"""A comparison as a table: what got worse first."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.text import Text

from agentvigil.cli.printable import printable
from agentvigil.cli.views.amounts import counted
from agentvigil.cli.views.paper import Paper
from agentvigil.cli.views.runs import Json
from agentvigil.cli.views.tables import Cell, Column, Words, draw, tab_separated, words

_CHANGES: Final = (
    Column("verdict", 0),
    Column("what", 1, least=16),
    Column("before", 2, is_number=True),
    Column("after", 2, is_number=True),
    Column("change", 0, is_number=True),
    Column("95 % interval", 4),
    Column("other work", 6, is_number=True),
    Column("evidence", 5, is_number=True),
    Column("more runs", 3),
)
_PIPED: Final = (
    *("verdict", "severity", "feature", "key", "measure", "unit", "before", "after", "within", "low", "high", "mix"),
    *("e_value", "threshold", "more_runs_before", "more_runs_after"),
)
_STYLES: Final = {"worse": "red", "changed": "yellow", "better": "green", "too_few_runs": "dim", "same": ""}
_NO_NUMBER: Final = "-"


def shown(comparison: Json, *, show_all: bool) -> list[tuple[Json, Json]]:
    """Return the features' changes that are shown, what got worse first: all, or all that moved and of each other
    feature the first."""
    return [
        (feature, change)
        for feature in comparison["features"]
        for place, change in enumerate(feature["changes"])
        if show_all or place == 0 or change["verdict"] in ("worse", "changed", "better")
    ]


def comparison_header(comparison: Json) -> Iterator[Text]:
    """Yield what is compared with what, as lines."""
    where = f" in {comparison['environment']}" if comparison["environment"] else ""
    yield Text(printable(f"{comparison['agent']}{where}"), "bold")
    for name in ("before", "after"):
        side = comparison[name]
        hours = f"{side['since'][:16].replace('T', ' ')} to {side['until'][:16].replace('T', ' ')} UTC"
        # What is a time and nothing else is called by its hours.
        label = "" if side["label"].startswith("the time ") else f"{side['label']}: "
        yield Text(printable(f"  {name:<7}{label}{counted(side['runs'], 'run')}, {hours}"))
    yield Text()


def comparison_table(changes: Sequence[tuple[Json, Json]], _now: datetime, paper: Paper) -> Iterator[Text]:
    """Yield ``changes`` as the lines of a table that fits ``paper``."""
    rows: list[list[Cell]] = [
        [
            Words(change["severity"] or change["verdict"].replace("_", " "), _STYLES[change["verdict"]]),
            words(change["what"]),
            Words(_value(change, change["before"])),
            Words(_value(change, change["after"])),
            Words(_difference(change, change["within"]), _STYLES[change["verdict"]]),
            Words(_interval(change), "dim"),
            Words(_difference(change, change["mix"]), "dim"),
            Words(f"{change['e_value']:.2g}", "dim"),
            Words(_more(change), "dim"),
        ]
        for _, change in changes
    ]
    return draw(_CHANGES, rows, paper)


def comparison_lines(changes: Sequence[tuple[Json, Json]]) -> Iterator[str]:
    """Yield ``changes`` with tabs between their values, as the API tells them."""
    return tab_separated(_PIPED, ([{**feature, **change}[name] for name in _PIPED] for feature, change in changes))


def _value(change: Json, value: float) -> str:
    unit = change["unit"]
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit == "USD":
        return f"${value:.3g}"
    if unit == "s":
        return f"{1000 * value:.0f} ms" if value < 0.9995 else f"{value:.3g} s"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _difference(change: Json, value: float | None) -> str:
    if value is None:
        return _NO_NUMBER
    number = f"{100 * value:+.1f}"
    return f"{number} points" if change["unit"] == "share" else f"{number} %"


def _interval(change: Json) -> str:
    if change["low"] is None:
        return _NO_NUMBER
    return f"{100 * change['low']:+.1f} to {100 * change['high']:+.1f}"


def _more(change: Json) -> str:
    sides = [f"{change[f'more_runs_{side}']:,} {side}" for side in ("before", "after") if change[f"more_runs_{side}"]]
    return ", ".join(sides)
