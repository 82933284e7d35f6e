"""What is spent, on a terminal."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from rich.text import Text

from agentvigil.cli.printable import printable
from agentvigil.cli.views.amounts import dollars
from agentvigil.cli.views.paper import Paper
from agentvigil.cli.views.runs import Json
from agentvigil.cli.views.tables import tab_separated

_KINDS: Final = (("by_agent", "agents"), ("by_model", "models"), ("by_user", "users"))
_BAR_WIDTH: Final = 20


def spending_view(spending: Json, paper: Paper) -> Iterator[Text]:
    """Yield what was spent, what it will come to, and by whom, as lines."""
    day = f"{spending['since'][:10]} to {spending['ends_at'][:10]}"
    yield Text.assemble(("spent ", "bold"), (dollars(spending["usd"]), "bold"), f"  this {spending['period']}, {day}")
    forecast, budget = spending["forecast"], spending["budget"]
    if forecast is not None:
        yield Text(
            f"      {dollars(forecast['usd'])}  when it is over, {forecast['level']:.0%} between "
            f"{dollars(forecast['low_usd'])} and {dollars(forecast['high_usd'])}"
        )
    if budget is not None:
        style = "red" if budget["is_over"] or (budget["probability_over"] or 0) >= 0.5 else ""
        yield Text(f"budget {dollars(budget['usd'])}: {budget['used']:.0%} used{_outlook(budget)}", style)
    for name, label in _KINDS:
        if not spending[name]:
            continue
        yield Text()
        yield Text(label, "bold")
        for part in spending[name]:
            share = part["share"] or 0.0
            bar = ("█" if paper.draws else "#") * max(1, round(share * _BAR_WIDTH))
            name_of = printable(part["name"] or "-")[:40]
            yield Text(f"  {dollars(part['usd']):>12}  {share:>6.1%}  {bar:<{_BAR_WIDTH}}  {name_of}")


def spending_lines(spending: Json) -> Iterator[str]:
    """Yield the parts with tabs between their values, as the API tells them."""
    rows = (
        (name.removeprefix("by_"), part["name"], part["usd"], part["share"])
        for name, _ in _KINDS
        for part in spending[name]
    )
    return tab_separated(("by", "name", "usd", "share"), rows)


def in_words(spending: Json) -> Iterator[str]:
    """Yield what is to be said to people who see no table."""
    forecast, budget = spending["forecast"], spending["budget"]
    told = f"{dollars(spending['usd'])} since {spending['since'][:10]}"
    if forecast is not None:
        low, high = dollars(forecast["low_usd"]), dollars(forecast["high_usd"])
        told += f"; {dollars(forecast['usd'])} expected by {spending['ends_at'][:10]} ({low} to {high})"
    yield told
    if budget is not None:
        yield f"budget {dollars(budget['usd'])}: {budget['used']:.0%} used{_outlook(budget)}"
    if spending["unpriced_calls"]:
        yield (
            f"{spending['unpriced_calls']:,} calls have no price and are missing; `agentvigil prices unpriced` lists "
            "their models"
        )


def _outlook(budget: Json) -> str:
    if budget["is_over"]:
        return f", {dollars(str(Decimal(str(budget['used'] - 1)) * Decimal(budget['usd'])))} over"
    if budget["probability_over"] is None:
        return ""
    words = f", {budget['probability_over']:.0%} likely to be over"
    return words + (f", used up about {budget['used_up_at'][:10]}" if budget["used_up_at"] else "")
