"""One run: what it was, what happened, why it failed, and its steps."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.text import Text

from agentvigil.cli.printable import printable
from agentvigil.cli.views.amounts import ago, count, counted, dollars, duration, short_count, time_of
from agentvigil.cli.views.paper import Paper
from agentvigil.cli.views.paragraphs import labelled, wrapped
from agentvigil.cli.views.runs import STATUS_STYLES, Json, short_ids
from agentvigil.cli.views.step_tree import Placed, folded, placed
from agentvigil.cli.views.tables import Cell, Column, Words, draw, words
from agentvigil.cli.views.timeline import Bar, mark

MOST_STEPS: Final = 200
"""Steps that are shown of a run that has more, unless all are wanted."""

_RECOVERED, _VICTIM, _FAILED = "yellow", "red", "bold red"


def run_header(run: Json, now: datetime, paper: Paper) -> Iterator[Text]:
    """Yield what the run was, as lines, and the account of it."""
    version = f" {run['version']}" if run["version"] else ""
    yield Text.assemble(
        (printable(run["agent"] + version), "bold"), "  ", (run["status"], STATUS_STYLES.get(run["status"], ""))
    )
    started = time_of(run["started_at"]).astimezone(now.tzinfo)
    facts = [
        ("id", run["id"]),
        ("started", f"{started:%Y-%m-%d %H:%M:%S}, {ago(started, now)}, took {duration(run['duration_ms'])}"),
        ("service", ", ".join(filter(None, (run["service"], run["environment"])))),
        ("session", ", ".join(filter(None, (run["session"], run["user"] and f"user {run['user']}")))),
        ("models", ", ".join(run["models"])),
        ("tools", ", ".join(run["tools"])),
        ("tokens", _tokens(run["tokens"])),
        ("cost", _cost(run["cost"])),
        ("time", _critical_path(run["critical_path"])),
        ("tags", ", ".join(run["tags"])),
    ]
    for label, fact in facts:
        if fact:
            yield from labelled(label, printable(fact), paper)
    if run["account"]:
        yield Text()
        yield from wrapped(run["account"], paper)
    yield Text()


def why(failures: Json, now: datetime, paper: Paper) -> Iterator[Text]:
    """Yield why the run failed and what to do about it, nothing where nothing did."""
    cause, similar = failures["root_cause"], failures["similar"]
    if cause is None:
        return
    failed = {"failure": "why it failed", "partial": "what failed"}.get(failures["status"], "what went wrong")
    yield Text(failed, "bold")
    yield from wrapped(cause["summary"], paper, _RECOVERED if cause["is_recovered"] else _FAILED)
    if cause["message"]:
        yield from wrapped(f"{cause['type']} {cause['code']}: {cause['message']}", paper)
    for action in failures["next_actions"]:
        yield from wrapped(action, paper, first="- ", other="  ")
    if similar and similar["runs"]:
        versions = f" in {counted(similar['versions'], 'version')}" if similar["versions"] else ""
        last = ago(time_of(similar["last_at"]), now)
        said = f"{counted(similar['runs'], 'other run')}{versions} failed the same way, the last one {last}: "
        yield from wrapped(said + ", ".join(short_ids([run["id"] for run in similar["newest"]]).values()), paper)
    yield Text()


def step_lines(run: Json, steps: Sequence[Json], paper: Paper, *, show_all: bool) -> Iterator[Text]:
    """Yield the steps as a tree with bars of when they ran, those that failed with the reason below them."""
    if not steps:
        return
    total_ms = max(run["duration_ms"], *(step["offset_ms"] + step["duration_ms"] for step in steps))
    number_width = len(str(len(steps)))
    columns = (
        Column("#".rjust(number_width), 0, is_number=True),
        Column("step", 0, least=24),
        Column(f"within {duration(total_ms)}", 1, least=20),
        Column("took", 2, is_number=True),
        Column("tokens", 4, is_number=True),
        Column("cost", 5, is_number=True),
    )
    shown = list(folded(placed(steps), len(steps) if show_all else MOST_STEPS))
    lines = draw(columns, [_cells(one, total_ms, paper) for one in shown], paper)
    yield next(lines)
    for one, line in zip(shown, lines, strict=True):
        yield line
        if isinstance(one, Placed) and one.step["failure"] is not None:
            yield _reason(one, number_width, paper)
    yield Text(f"{mark(paper, is_critical=True)} critical path  {mark(paper, is_critical=False)} beside it", "dim")
    if hidden := sum(len(one) for one in shown if isinstance(one, list)):
        yield Text(f"{counted(hidden, 'step')} folded; --all shows them", "dim")


def _cells(one: Placed | list[Placed], total_ms: float, paper: Paper) -> list[Cell]:
    if isinstance(one, list):
        begin_ms = min(place.step["offset_ms"] for place in one)
        length_ms = max(place.step["offset_ms"] + place.step["duration_ms"] for place in one) - begin_ms
        return [
            Words(""),
            Words(f"{paper.cut} {counted(len(one), 'step')}", "dim"),
            Bar(begin_ms, length_ms, total_ms, is_critical=False, style="dim"),
            Words(duration(length_ms), "dim"),
            Words(""),
            Words(""),
        ]
    step = one.step
    style = _style(step)
    tokens, cost = step["tokens"], step["cost"]["billed_usd"]
    known = tokens["input"] is not None or tokens["output"] is not None
    failed = ("✗ " if paper.draws else "x ") if step["failure"] is not None else ""
    return [
        Words(str(step["ordinal"]), "dim"),
        Words(one.drawn(paper) + failed + printable(_label(step)), style),
        Bar(step["offset_ms"], step["duration_ms"], total_ms, step["is_on_critical_path"], style or "blue"),
        Words(duration(step["duration_ms"])),
        Words(f"{short_count(tokens['input'])}+{short_count(tokens['output'])}" if known else ""),
        words(dollars(cost)) if cost is not None else Words(""),
    ]


def _label(step: Json) -> str:
    """Return what a step was: its type, and the model, tool or name."""
    kind = "" if step["type"] == "other" else f"{step['type']} "
    is_call = step["type"] in ("plan", "respond") and step["model"]
    label = f"{kind}{step['model'] if is_call else step['tool'] or step['name']}"
    if step["retrieved_documents"] is not None:
        label += f" ({counted(step['retrieved_documents'], 'document')})"
    return label + (f", try {step['attempt']}" if step["attempt"] > 1 else "")


def _style(step: Json) -> str:
    failure = step["failure"]
    if failure is None:
        return ""
    if failure["is_recovered"]:
        return _RECOVERED
    return _FAILED if failure["is_root_cause"] else _VICTIM


def _reason(place: Placed, number_width: int, paper: Paper) -> Text:
    """Return a line that says why a step failed, below its name."""
    failure = place.step["failure"]
    said = f"{failure['type']} {failure['code']}"
    if failure["is_victim"]:
        said += ", because of a step inside it"
    else:
        said += f" ({failure['error_type']})" if failure["error_type"] else ""
        said += f": {failure['message']}" if failure["message"] else ""
    said += ", mended by a retry" if failure["is_recovered"] else ""
    indent = " " * (number_width + 2 + len(place.drawn(paper)) + 2)
    return Text(indent).append_text(Words(printable(said), _style(place.step)).fitted(paper.width - len(indent), paper))


def _tokens(tokens: Json) -> str:
    if tokens["input"] is None and tokens["output"] is None and not tokens["calls_without"]:
        return ""
    parts = [f"{count(tokens['input'])} in", f"{count(tokens['output'])} out"]
    parts += [f"{count(tokens['cache_read'])} of them from a cache"] if tokens["cache_read"] else []
    parts += [f"{count(tokens['reasoning'])} reasoning"] if tokens["reasoning"] else []
    parts += [f"{counted(tokens['calls_without'], 'call')} without"] if tokens["calls_without"] else []
    return ", ".join(parts)


def _cost(cost: Json) -> str:
    if cost["billed_usd"] is None and not cost["unpriced_calls"]:
        return ""
    unpriced = f", {counted(cost['unpriced_calls'], 'call')} without a price" if cost["unpriced_calls"] else ""
    return dollars(cost["billed_usd"]) + unpriced


def _critical_path(path: Json) -> str:
    parts = [(path[f"{name}_ms"], name) for name in ("model", "tool", "retrieval", "other")]
    return ", ".join(f"{name} {duration(spent)}" for spent, name in parts if spent > 0)
