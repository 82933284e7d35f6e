"""What rules on findings find: one situation for each incident, however many symptoms it has."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from agentvigil.analysis.alerts.moments import milliseconds
from agentvigil.analysis.alerts.notices import RANKS, Fact
from agentvigil.analysis.alerts.rules import FindingCondition
from agentvigil.analysis.alerts.situations import Look, Situation, level_of
from agentvigil.analysis.findings.model import Severity, State, SubjectType
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store

_STATEMENTS: Final = load_queries("agentvigil.analysis.alerts", "findings.sql")
_MOST_FINDINGS: Final = 10_000
_WORDS: Final = {
    "back_to_normal": "back to normal",
    "fixed": "fixed",
    "false_alarm": "a false alarm",
    "new_normal": "the new normal",
}


class OpenFindings:
    """The unresolved findings of a project at a moment, read once for all of its rules.

    Raises:
        StorageError: if the store does not answer.
    """

    def __init__(self, store: Store, project: str, now: datetime) -> None:
        parameters = {"project": project, "now_ms": milliseconds(now), "limit": _MOST_FINDINGS}
        self._records = store.records(_STATEMENTS["unresolved"], parameters)

    def look(self, condition: FindingCondition) -> Look:
        """Return what ``condition`` finds among them."""
        incidents: dict[str, list[Mapping[str, Any]]] = {}
        for record in self._records:
            if _is_meant(condition, record):
                incidents.setdefault(record["incident_id"], []).append(record)
        is_complete = len(self._records) < _MOST_FINDINGS
        return Look([_situation(incident, found) for incident, found in incidents.items()], is_complete)


def endings(store: Store, project: str, incidents: Iterable[str]) -> dict[str, str]:
    """Return how ``incidents`` that are over ended, in words; one that only went into another one did not end.

    Raises:
        StorageError: if the store does not answer.
    """
    asked = sorted(incidents)
    if not asked:
        return {}
    found = store.records(_STATEMENTS["resolutions"], {"project": project, "incidents": asked})
    return {str(record["incident_id"]): _ending(record["resolutions"]) for record in found}


def open_by_kind(store: Store) -> dict[tuple[str, str], int]:
    """Return how many findings are open, by kind and severity, of all projects.

    Raises:
        StorageError: if the store does not answer.
    """
    return {
        (record["kind"], record["severity"]): int(record["findings"])
        for record in store.records(_STATEMENTS["open_by_kind"])
    }


def _ending(resolutions: Iterable[str]) -> str:
    return " and ".join(_WORDS.get(word, word) for word in resolutions if word) or "resolved"


def _is_meant(condition: FindingCondition, record: Mapping[str, Any]) -> bool:
    severity = _severity(record)
    of_agent = (
        {record["agent"], record["subject"]} if record["subject_type"] == SubjectType.AGENT else {record["agent"]}
    )
    return (
        RANKS[severity] >= RANKS[condition.min_severity]
        and (not condition.kinds or record["kind"] in condition.kinds)
        and (not condition.agents or not of_agent.isdisjoint(condition.agents))
        and (not condition.environments or record["environment"] in condition.environments)
        and (not condition.detectors or record["detector"] in condition.detectors)
    )


def _severity(record: Mapping[str, Any]) -> Severity:
    try:
        return Severity(record["severity"])
    except ValueError:
        return Severity.MINOR


def _situation(incident: str, found: Sequence[Mapping[str, Any]]) -> Situation:
    """Return the situation of ``found``, the findings of one incident, the worst and oldest first."""
    first = found[0]
    severity = _severity(first)
    subject = first["agent"] or first["subject"]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    facts = [Fact("Detector", first["detector"])]
    facts += [Fact("Environment", first["environment"])] if first["environment"] else []
    if first["subject"] != subject:
        facts.append(Fact(str(first["subject_type"]).capitalize() or "Subject", first["subject"]))
    facts += [Fact("Runs since", f"{first['runs']:,}")] if first["runs"] else []
    facts += [Fact("Costs more", f"${first['usd_per_day']:,.2f} a day")] if first["usd_per_day"] else []
    if first["failed_runs_per_day"]:
        facts.append(Fact("Fails more", f"{first['failed_runs_per_day']:,.1f} runs a day"))
    if len(found) > 1:
        others = sorted({record["feature"] for record in found[1:]} - {first["feature"]})
        facts.append(Fact("Also", ", ".join(others) or f"{len(found) - 1} more of the same"))
    is_run = first["subject_type"] == SubjectType.RUN
    return Situation(
        key=incident,
        level=level_of(severity),
        severity=severity,
        subject=subject,
        title=f"{str(first['kind']).replace('_', ' ')} of {subject or 'everything'}: {first['feature']}{more}",
        text=first["explanation"],
        facts=facts,
        link=f"/v1/findings/{first['finding_id']}",
        is_muted=all(record["is_muted"] for record in found),
        is_looked_after=all(record["state"] == State.ACKNOWLEDGED for record in found),
        is_repeated=not is_run,
        is_end_told=not is_run,
    )
