"""One finding: what moved, since when, what else changed then, what shows it, and what to do."""

from collections.abc import Iterator, Sequence
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
    Column("which runs carry it", 0, least=16),
    Column("of the shift", 0, is_number=True),
    Column("", 1, least=10),
    Column("before and since", 2),
)
_ALL_OF_IT: Final = 0.995
_PER: Final = {"share": "of runs", "s": "a run", "USD": "a run", "tokens": "a run"}
"""What the values of features are of, by their unit."""
_RULES: Final = {
    "minor": "it moved, and by less than a quarter, or costs next to nothing",
    "major": "it moved by a quarter or more, or takes somebody over a budget",
    "critical": "it moved to twice or half of what it was, or 5 more of 100 runs fail",
}
_HOURS_PER_DAY: Final = 24
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
        ("severity", f"{finding['severity']}: {_RULES[finding['severity']]}"),
        ("since", _since(finding, now)),
        ("found", f"{_time(finding['found_at'], now)}; the numbers are as of {_time(finding['last_seen_at'], now)}"),
        ("where", ", ".join(filter(None, (finding["agent"], finding["environment"])))),
        ("what", moved(finding, paper) + _per(finding) + _interval(finding) + _effect(finding)),
        ("runs", _since_it_began(finding, now)),
        ("costs", _exposure(finding)),
        ("evidence", _evidence(finding)),
        ("baseline", _from_to(finding["baseline_start"], finding["baseline_end"], "to", now)),
        ("muted", _mute(finding, now)),
        ("times", _zone(now)),
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
        name = " ".join(filter(None, (finding["feature"].replace("_", " "), finding["stream"])))
        yield Text(printable(f"{name} over time"), "bold")
        yield from lines
        yield Text()


def _parts(finding: Json, paper: Paper) -> Iterator[Text]:
    parts = [part for part in finding["parts"] if not _is_alone(part, finding["parts"])]
    if not parts:
        return
    mark = "█" if paper.draws else "#"
    rows: list[list[Cell]] = [
        [
            words(f"{part['dimension'].replace('_', ' ')} {part['key']}"),
            Words(UNKNOWN if part["share"] is None else f"{part['share']:.0%}"),
            _bar(part["share"], mark),
            words(_from_where(part, finding["unit"], paper), "dim"),
        ]
        for part in parts[:_MOST_PARTS]
    ]
    yield from draw(_PARTS, rows, paper)
    yield Text()


def _is_alone(part: Json, parts: Sequence[Json]) -> bool:
    """Say whether all runs are of one part, before and since: it carries all, which tells nothing."""
    is_only = sum(one["dimension"] == part["dimension"] for one in parts) == 1
    return is_only and part["before"] is not None and (part["share"] or 0.0) >= _ALL_OF_IT


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
    short = printable(finding["id"][:8])
    if finding["state"] == "resolved":
        said = [(f"reopen {short}", "it is not over")]
    else:
        said = [
            (f"resolve {short} --as fixed", "it is mended"),
            (f"resolve {short} --as new_normal", "it shall be so, and is compared with what is now"),
            (f"resolve {short} --as false_alarm", "it is nothing: the same is muted for 30 days"),
        ]
    if finding["state"] == "open":
        said.insert(0, (f"ack {short}", "somebody looks after it: no more reminders"))
    others = sum(one["state"] != "resolved" for one in finding["same_incident"])
    if others and finding["state"] != "resolved":
        what = "the other finding" if others == 1 else f"all {others} other findings"
        said.append((f"resolve {short} --as fixed --incident", f"so is {what} of its incident; ack takes it as well"))
    for command, meaning in said:
        yield from wrapped(f"agentvigil findings {command}", paper, "dim", first="- ", other="  ")
        yield from wrapped(meaning, paper, "dim", first="    ", other="    ")


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
    return f" {word} ".join(_moment(time, now) for time in (begin, end))


def _per(finding: Json) -> str:
    """Return what the value is of, where it is clear: of a drift and of what is compared, runs."""
    is_of_runs = finding["kind"] in ("drift", "regression") and finding["window_value"] is not None
    per = _PER.get(finding["unit"], "") if is_of_runs else ""
    return f" {per}" if per else ""


def _since_it_began(finding: Json, now: datetime) -> str:
    if not finding["runs"]:
        return ""
    since = f"{finding['runs']:,} since it began"
    if finding["changed_at"] is None or finding["kind"] != "drift":
        return since
    hours = round((time_of(finding["window_end"]) - time_of(finding["changed_at"])).total_seconds() / 3600)
    since += f", in {hours:,} h"
    if time_of(finding["window_start"]) > time_of(finding["changed_at"]):
        since += f"; the value is that from {_moment(finding['window_start'], now)} on"
    return since


def _interval(finding: Json) -> str:
    low, high = (amount(finding[name], finding["unit"]) for name in ("window_low", "window_high"))
    return "" if UNKNOWN in (low, high) else f" (it lies between {low} and {high})"


def _effect(finding: Json) -> str:
    if finding["effect_size"] is None:
        return ""
    more = "more" if finding["effect_size"] >= 0 else "less"
    return f", {abs(finding['effect_size']):.0%} {more}"


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
    said = _figure(finding["statistic"])
    if finding["threshold"] is not None:
        said += f", where {_figure(finding['threshold'])} is enough"
    hours = finding["evidence_level"]
    if finding["kind"] == "drift" and hours:
        days = f"{hours / _HOURS_PER_DAY:,.0f} days" if hours >= _HOURS_PER_DAY else f"{hours:,.0f} h"
        said += f": set to alarm falsely about an agent once in {days}"
    return f"{said} ({finding['detector']})"


def _figure(number: float) -> str:
    return f"{number:,.0f}" if 100 <= number < 1e9 else f"{number:,.4g}"


def _mute(finding: Json, now: datetime) -> str:
    return _until(finding["muted_until"], now) if finding["is_muted"] else ""


def _until(until: str | None, now: datetime) -> str:
    return f"until {_moment(until, now)}" if until else "for ever"


def _zone(now: datetime) -> str:
    """Return whose clock is shown, where it may be taken for another one: sentences say UTC."""
    offset = now.utcoffset()
    if not offset:
        return "UTC"
    return f"{now:%Z}, UTC{now:%z}: the clock of this machine; sentences say UTC"


def _time(text: str, now: datetime) -> str:
    return f"{_moment(text, now)} ({ago(time_of(text), now)})"


def _moment(text: str, now: datetime) -> str:
    return f"{time_of(text).astimezone(now.tzinfo):%Y-%m-%d %H:%M}"
