"""One finding: what moved, since when, what else changed then, what shows it, and what to do."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from rich.text import Text

from agentvigil.cli.printable import printable
from agentvigil.cli.views.amounts import UNKNOWN, ago, counted, time_of
from agentvigil.cli.views.findings import (
    SEVERITY_STYLES,
    STATE_STYLES,
    amount,
    beginnings,
    dollars_more,
    moved,
    severity,
    subject_of,
)
from agentvigil.cli.views.paper import Paper
from agentvigil.cli.views.paragraphs import labelled, wrapped
from agentvigil.cli.views.plot import Point, plot
from agentvigil.cli.views.runs import Json
from agentvigil.cli.views.tables import Cell, Column, Words, draw, words

_MOST_OTHERS: Final = 8
_BAR_WIDTH: Final = 30
_MOST_PARTS: Final = 12
_PARTS: Final = (
    Column("part", 0, least=16),
    Column("share of the shift", 0, is_number=True),
    Column("", 1, least=10),
    Column("from where to where", 2),
)
_OTHERS: Final = (
    Column("severity", 0),
    Column("id", 0),
    Column("subject", 1, least=14),
    Column("what", 1, least=20),
    Column("state", 2),
)


def finding_page(finding: Json, now: datetime, paper: Paper) -> Iterator[Text]:
    """Yield all of ``finding`` as lines; ``now`` is in the zone whose clock is shown."""
    yield from _header(finding, now, paper)
    yield from _series(finding, now, paper)
    yield from _parts(finding, paper)
    yield from _changes(finding, now, paper)
    yield from _runs(finding)
    yield from _others(finding, paper)
    yield from _history(finding, now, paper)
    yield from _what_to_do(finding, paper)


def _header(finding: Json, now: datetime, paper: Paper) -> Iterator[Text]:
    kind = finding["kind"].replace("_", " ")
    yield Text.assemble(
        (finding["severity"], SEVERITY_STYLES.get(finding["severity"], "")),
        (printable(f" {kind}: {subject_of(finding)}"), "bold"),
        "  ",
        (_state(finding), STATE_STYLES.get(finding["state"], "")),
    )
    yield from wrapped(finding["explanation"], paper)
    yield Text()
    facts = [
        ("id", finding["id"]),
        ("since", _since(finding, now)),
        ("found", _time(finding["found_at"], now) + f", last seen {_time(finding['last_seen_at'], now)}"),
        ("where", ", ".join(filter(None, (finding["agent"], finding["environment"])))),
        ("what", moved(finding, paper) + _interval(finding) + _effect(finding)),
        ("runs", f"{finding['runs']:,} since it began" if finding["runs"] else ""),
        ("costs", _exposure(finding)),
        ("evidence", _evidence(finding)),
        ("baseline", _from_to(finding["baseline_start"], finding["baseline_end"], "to", now)),
        ("muted", _mute(finding, now)),
    ]
    for label, fact in facts:
        if fact:
            yield from labelled(label, printable(fact), paper)
    yield Text()


def _series(finding: Json, now: datetime, paper: Paper) -> Iterator[Text]:
    points = [
        Point(time_of(one["at"]).astimezone(now.tzinfo), one["value"], 1.0 if one["n"] is None else one["n"])
        for one in finding["series"]
    ]
    changed_at = None if finding["changed_at"] is None else time_of(finding["changed_at"])
    lines = list(plot(points, changed_at, lambda value: amount(value, finding["unit"]), paper))
    if lines:
        yield Text(printable(" ".join(filter(None, (finding["feature"], finding["stream"])))), "bold")
        yield from lines
        yield Text()


def _parts(finding: Json, paper: Paper) -> Iterator[Text]:
    parts = finding["parts"]
    if not parts:
        return
    mark = "█" if paper.draws else "#"
    rows: list[list[Cell]] = [
        [
            words(f"{part['dimension']} {part['key']}"),
            Words(UNKNOWN if part["share"] is None else f"{part['share']:.0%}"),
            _bar(part["share"], mark),
            words(_from_where(part, finding["unit"], paper), "dim"),
        ]
        for part in parts[:_MOST_PARTS]
    ]
    yield from draw(_PARTS, rows, paper)
    yield Text()


def _bar(share: float | None, mark: str) -> Words:
    length = min(_BAR_WIDTH, round(abs(share or 0.0) * _BAR_WIDTH))
    return Words(mark * length, "green" if (share or 0.0) < 0 else "red")


def _from_where(part: Json, unit: str | None, paper: Paper) -> str:
    if part["after"] is None:
        return ""
    before, after = amount(part["before"], unit), amount(part["after"], unit)
    return f"{before} {'→' if paper.draws else '->'} {after}"


def _changes(finding: Json, now: datetime, paper: Paper) -> Iterator[Text]:
    if not finding["changes"]:
        return
    yield Text("what else changed then", "bold")
    for change in finding["changes"]:
        said = f"{change['what'].replace('_', ' ')} {change['name']}".strip()
        said += f", first seen {_time(change['at'], now)}" if change["at"] else ""
        said += f", {counted(change['runs'], 'run')} since" if change["runs"] else ""
        yield from wrapped(said, paper, first="- ", other="  ")
    yield Text()


def _runs(finding: Json) -> Iterator[Text]:
    for title, name in (("runs that show it", "example_runs"), ("runs as they were before", "typical_runs")):
        if finding[name]:
            yield Text(title, "bold")
            # Whole, for `agentvigil run`.
            yield from (Text(f"  {printable(run['id'])}") for run in finding[name])
    if finding["example_runs"] or finding["typical_runs"]:
        yield Text("agentvigil run ID shows one", "dim")
        yield Text()


def _others(finding: Json, paper: Paper) -> Iterator[Text]:
    others = finding["same_incident"]
    if not others:
        return
    yield Text(f"{counted(len(others), 'other finding')} of the same incident", "bold")
    ids = beginnings([finding["id"], *(other["id"] for other in others)])
    rows: list[list[Cell]] = [
        [
            severity(other["severity"]),
            words(ids[other["id"]]),
            words(subject_of(other)),
            words(moved(other, paper)),
            words(other["state"], STATE_STYLES.get(other["state"], "")),
        ]
        for other in others[:_MOST_OTHERS]
    ]
    yield from draw(_OTHERS, rows, paper)
    if len(others) > _MOST_OTHERS:
        yield Text(f"{paper.cut} agentvigil findings --incident {printable(finding['incident_id'])}", "dim")
    yield Text()


def _history(finding: Json, now: datetime, paper: Paper) -> Iterator[Text]:
    if len(finding["history"]) < 2:
        return
    yield Text("history", "bold")
    for step in finding["history"]:
        by = "" if step["by"] in (None, "agentvigil") else f" by {step['by']}"
        value = step["value"] if step["what"] != "muted" else _until(step["value"], now)
        said = " ".join(filter(None, (_time(step["at"], now), step["what"], value)))
        yield from wrapped(said + by, paper, first="  ", other="    ")
    yield Text()


def _what_to_do(finding: Json, paper: Paper) -> Iterator[Text]:
    yield Text("what to do", "bold")
    for action in finding["next_actions"]:
        yield from wrapped(action, paper, first="- ", other="  ")
    command, short = "agentvigil findings", printable(finding["id"][:8])
    if finding["state"] == "resolved":
        yield Text(f"- {command} reopen {short}", "dim")
        return
    if finding["state"] == "open":
        yield Text(f"- {command} ack {short}", "dim")
    yield Text(f"- {command} resolve {short} --as fixed", "dim")
    yield Text("  or new_normal, if it shall be so; or false_alarm, if it is nothing", "dim")


def _state(finding: Json) -> str:
    resolution = (finding["resolution"] or "").replace("_", " ")
    return f"{finding['state']}: {resolution}" if resolution else str(finding["state"])


def _since(finding: Json, now: datetime) -> str:
    if finding["changed_at"] is None:
        return ""
    between = _from_to(finding["changed_from"], finding["changed_to"], "and", now)
    return _time(finding["changed_at"], now) + (f", between {between}" if between else "")


def _from_to(begin: str | None, end: str | None, word: str, now: datetime) -> str:
    if begin is None or end is None:
        return ""
    return f" {word} ".join(f"{time_of(time).astimezone(now.tzinfo):%Y-%m-%d %H:%M}" for time in (begin, end))


def _interval(finding: Json) -> str:
    low, high = (amount(finding[name], finding["unit"]) for name in ("window_low", "window_high"))
    return "" if UNKNOWN in (low, high) else f" ({low} to {high})"


def _effect(finding: Json) -> str:
    return "" if finding["effect_size"] is None else f", {finding['effect_size']:+.0%}"


def _exposure(finding: Json) -> str:
    parts = []
    if finding["usd_per_day"] is not None:
        parts.append(f"{dollars_more(finding['usd_per_day'])} more a day")
    if finding["failed_runs_per_day"] is not None:
        parts.append(f"{finding['failed_runs_per_day']:,.1f} more failed runs a day")
    return ", ".join(parts)


def _evidence(finding: Json) -> str:
    if finding["statistic"] is None:
        return ""
    enough = "" if finding["threshold"] is None else f", where {finding['threshold']:,.4g} is enough"
    return f"{finding['statistic']:,.4g}{enough} ({finding['detector']})"


def _mute(finding: Json, now: datetime) -> str:
    return _until(finding["muted_until"], now) if finding["is_muted"] else ""


def _until(until: str | None, now: datetime) -> str:
    return f"until {time_of(until).astimezone(now.tzinfo):%Y-%m-%d %H:%M}" if until else "for ever"


def _time(text: str, now: datetime) -> str:
    time = time_of(text)
    return f"{time.astimezone(now.tzinfo):%Y-%m-%d %H:%M} ({ago(time, now)})"
