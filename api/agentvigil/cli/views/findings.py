"""Findings, incidents and the precision of detectors as tables."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.text import Text

from agentvigil.analysis.findings.model import Severity, SubjectType
from agentvigil.analysis.findings.severity import rank
from agentvigil.cli.views.amounts import UNKNOWN, ago, clock, count, dollars, duration, second, short_count, time_of
from agentvigil.cli.views.paper import Paper
from agentvigil.cli.views.runs import Json
from agentvigil.cli.views.tables import Cell, Column, Words, draw, tab_separated, words

SEVERITY_STYLES: Final = {"critical": "bold red", "major": "red", "minor": "yellow"}
STATE_STYLES: Final = {"open": "bold", "acknowledged": "cyan", "resolved": "green"}
_FEWEST_DIGITS: Final = 8
_BENEATH: Final = "  "
_MOST_NAMED: Final = 12

_FINDINGS: Final = (
    Column("severity", 0),
    Column("since", 2),
    Column("id", 0),
    Column("subject", 1, least=14),
    Column("what", 1, least=20),
    Column("state", 3),
    Column("kind", 5),
    Column("a day", 6, is_number=True),
    Column("found", 7),
    Column("detector", 8, least=8),
)
_INCIDENTS: Final = (
    Column("severity", 0),
    Column("since", 2),
    Column("id", 0),
    Column("agents", 1, least=14),
    Column("what", 1, least=20),
    Column("state", 3),
    Column("findings", 4, is_number=True),
    Column("unresolved", 5, is_number=True),
)
_PRECISION: Final = (
    Column("detector", 0, least=12),
    Column("kind", 3),
    Column("real", 1, is_number=True),
    Column("false alarms", 1, is_number=True),
    Column("not judged", 4, is_number=True),
    Column("precision", 0, is_number=True),
    Column("95 %", 2, is_number=True),
)
_PIPED: Final = (
    "found_at",
    "id",
    "severity",
    "state",
    "kind",
    "detector",
    "environment",
    "agent",
    "subject",
    "feature",
    "stream",
    "changed_at",
    "baseline_value",
    "window_value",
    "unit",
    "usd_per_day",
    "failed_runs_per_day",
    "incident_id",
    "explanation",
)
_PIPED_INCIDENTS: Final = (
    "found_at",
    "id",
    "severity",
    "state",
    "agents",
    "environments",
    "features",
    "changed_at",
    "findings",
    "unresolved_findings",
)
_PIPED_PRECISION: Final = ("kind", "detector", "real", "false_alarms", "not_judged", "precision", "low", "high")


def by_incident(findings: Sequence[Json]) -> dict[str, list[Json]]:
    """Return what leads each incident, by its id, with the others of the incident, where the first of them stands.

    The most severe leads, then what began first, as everywhere where an incident is told.
    """
    together: dict[str, list[Json]] = {}
    for finding in findings:
        together.setdefault(finding["incident_id"], []).append(finding)
    return {group[0]["id"]: group for group in (sorted(found, key=_importance) for found in together.values())}


def symptoms(features: Sequence[str]) -> str:
    """Return in words that findings of ``features`` are of the incident of another one."""
    what = "symptom" if len(features) == 1 else "symptoms"
    return f"{len(features)} {what} of the same incident: {named(features)}"


def named(features: Sequence[str]) -> str:
    """Return the names of ``features``, each once, the first of them if they are many."""
    names = list(dict.fromkeys(feature.replace("_", " ") for feature in features))
    more = [f"{len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
    return ", ".join([*names[:_MOST_NAMED], *more])


def incidents_of_findings(findings: Sequence[Json], now: datetime, paper: Paper) -> Iterator[Text]:
    """Yield ``findings`` as the lines of a table, a row for each incident, and beneath it what else is of it."""
    groups = by_incident(findings)
    header, *lines = finding_table([group[0] for group in groups.values()], now, paper)
    yield header
    for line, (_, *others) in zip(lines, groups.values(), strict=True):
        yield line
        if others:
            said = f"{_BENEATH}and {symptoms([one['feature'] for one in others])}"
            yield words(said, "dim").fitted(paper.width, paper)


def finding_table(findings: Sequence[Json], now: datetime, paper: Paper) -> Iterator[Text]:
    """Yield ``findings`` as the lines of a table that fits ``paper``; ``now`` is in the zone whose clock is shown."""
    ids = beginnings([finding["id"] for finding in findings])
    rows: list[list[Cell]] = [
        [
            severity(finding["severity"]),
            Words(_since(finding, now), "dim"),
            words(ids[finding["id"]]),
            words(subject_of(finding)),
            words(moved(finding, paper)),
            words(
                finding["state"] + (", muted" if finding["is_muted"] else ""), STATE_STYLES.get(finding["state"], "")
            ),
            words(finding["kind"].replace("_", " "), "dim"),
            Words(dollars_more(finding["usd_per_day"])),
            Words(clock(time_of(finding["found_at"]).astimezone(now.tzinfo), now), "dim"),
            words(finding["detector"], "dim"),
        ]
        for finding in findings
    ]
    return draw(_FINDINGS, rows, paper)


def finding_lines(findings: Sequence[Json]) -> Iterator[str]:
    """Yield ``findings`` with tabs between their values, which are whole, with times to the second."""
    return tab_separated(_PIPED, ([_piped(finding, name) for name in _PIPED] for finding in findings))


def incident_table(incidents: Sequence[Json], now: datetime, paper: Paper) -> Iterator[Text]:
    """Yield ``incidents`` as the lines of a table that fits ``paper``."""
    ids = beginnings([incident["id"] for incident in incidents])
    rows: list[list[Cell]] = [
        [
            severity(incident["severity"]),
            Words(_since(incident, now), "dim"),
            words(ids[incident["id"]]),
            words(", ".join(incident["agents"]) or subject_of(incident["lead"])),
            words(moved(incident["lead"], paper)),
            words(incident["state"], STATE_STYLES.get(incident["state"], "")),
            Words(count(incident["findings"])),
            Words(count(incident["unresolved_findings"])),
        ]
        for incident in incidents
    ]
    return draw(_INCIDENTS, rows, paper)


def incident_lines(incidents: Sequence[Json]) -> Iterator[str]:
    """Yield ``incidents`` with tabs between their values; times are to the second, and lists have commas."""
    rows = ([_piped(incident, name) for name in _PIPED_INCIDENTS] for incident in incidents)
    return tab_separated(_PIPED_INCIDENTS, rows)


def precision_table(detectors: Sequence[Json], _now: datetime, paper: Paper) -> Iterator[Text]:
    """Yield how often ``detectors`` were right as the lines of a table that fits ``paper``."""
    rows: list[list[Cell]] = [
        [
            words(one["detector"]),
            words(one["kind"].replace("_", " "), "dim"),
            Words(count(one["real"])),
            Words(count(one["false_alarms"])),
            Words(count(one["not_judged"])),
            Words(_percent(one["precision"]), "bold"),
            Words(UNKNOWN if one["low"] is None else f"{_percent(one['low'])} to {_percent(one['high'])}", "dim"),
        ]
        for one in detectors
    ]
    return draw(_PRECISION, rows, paper)


def precision_lines(detectors: Sequence[Json]) -> Iterator[str]:
    """Yield how often ``detectors`` were right with tabs between the values."""
    return tab_separated(_PIPED_PRECISION, ([one[name] for name in _PIPED_PRECISION] for one in detectors))


def beginnings(ids: Sequence[str]) -> dict[str, str]:
    """Return how each id begins, with as many digits, eight at least, as tell it from the others."""
    for length in range(_FEWEST_DIGITS, max(map(len, ids), default=0)):
        if len({one[:length] for one in ids}) == len(set(ids)):
            return {one: one[:length] for one in ids}
    return {one: one for one in ids}


def severity(name: str) -> Words:
    """Return a severity in its colour."""
    return words(name, SEVERITY_STYLES.get(name, ""))


def subject_of(finding: Json) -> str:
    """Return what a finding is about, and whose it is."""
    of = f" of {finding['agent']}" if finding["agent"] and finding["agent"] != finding["subject"] else ""
    kind = "" if finding["subject_type"] == "agent" else f"{finding['subject_type']} "
    return f"{kind}{finding['subject']}{of}"


def moved(finding: Json, paper: Paper) -> str:
    """Return what moved, from where to where."""
    name = " ".join(filter(None, (finding["feature"].replace("_", " "), finding["stream"])))
    before, after = (amount(finding[f"{which}_value"], finding["unit"]) for which in ("baseline", "window"))
    if after == UNKNOWN:
        return f"{name} {finding['direction'] or ''}".strip()
    arrow = "→" if paper.draws else "->"
    return f"{name} {after}" if before == UNKNOWN else f"{name} {before} {arrow} {after}"


def amount(value: float | None, unit: str | None) -> str:
    """Return a value of a feature in its unit: ``31.0%``, ``4.5 s``, ``$0.0130``, ``1.2k``, ``3.4``."""
    if value is None:
        return UNKNOWN
    match unit:
        case "share":
            return f"{value:.1%}" if abs(value) >= 0.01 or not value else f"{value:.2%}"
        case "s":
            return duration(value * 1000)
        case "USD":
            return dollars_more(str(value))
        case "tokens":
            return short_count(round(value))
        case _:
            return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def dollars_more(amount_usd: str | None) -> str:
    """Return an amount that may be less than nothing."""
    if amount_usd is None:
        return UNKNOWN
    return f"-{dollars(amount_usd[1:])}" if amount_usd.startswith("-") else dollars(amount_usd)


def _importance(finding: Json) -> tuple[int, int, datetime, datetime, str]:
    began, found = (time_of(at) for at in (finding["changed_at"] or finding["found_at"], finding["found_at"]))
    is_of_model = finding["subject_type"] == SubjectType.MODEL
    return (-rank(Severity(finding["severity"])), 0 if is_of_model else 1, began, found, finding["id"])


def _piped(told: Json, name: str) -> object:
    value = told[name]
    if name.endswith("_at"):
        return second(value)
    return ",".join(value) if isinstance(value, list) else value


def _since(told: Json, now: datetime) -> str:
    return ago(time_of(told["changed_at"] or told["found_at"]), now).removesuffix(" ago")


def _percent(share: float | None) -> str:
    return UNKNOWN if share is None else f"{share:.0%}"
