"""Finds findings and incidents in the store."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from agentvigil.analysis.findings.book import STATEMENTS as BOOK_STATEMENTS
from agentvigil.analysis.findings.finding import Finding, Mute, What
from agentvigil.analysis.findings.incidents import lead
from agentvigil.analysis.findings.model import Kind
from agentvigil.analysis.findings.precision import LOOK_BACK, precisions
from agentvigil.analysis.findings.rows import finding_of
from agentvigil.api.amounts import time_of
from agentvigil.api.conditions import conditions_of, nanoseconds, put_together
from agentvigil.api.cursors import cursor_of, position_of
from agentvigil.api.findings.asked import AgentFindings, FindingList, FindingOrder, IncidentList
from agentvigil.api.findings.models import (
    DetectorPrecision,
    FindingDetail,
    FindingPage,
    HistoryStep,
    Incident,
    IncidentDetail,
    IncidentPage,
    MutePage,
    PrecisionReport,
    ToldFinding,
    ToldMute,
)
from agentvigil.api.problems import NotFound
from agentvigil.api.reading import Reader
from agentvigil.api.windows import time_range
from agentvigil.storage.named_queries import load_queries

_BRIEF: Final = BOOK_STATEMENTS["columns"] + BOOK_STATEMENTS["without_details"]
_WHOLE: Final = BOOK_STATEMENTS["columns"] + BOOK_STATEMENTS["with_details"]
STATEMENTS: Final = load_queries("agentvigil.api.findings", "queries.sql")
"""The statements of ``queries.sql``; filters of findings are their ``where_…``."""
_INCIDENT: Final = "incident_"
_INCIDENT_CONDITIONS: Final = {
    name.removeprefix(_INCIDENT): sql for name, sql in STATEMENTS.items() if name.startswith(_INCIDENT)
}
_MOST_OTHERS: Final = 100
_MOST_MUTES: Final = 1000


class FindingsReading:
    """The findings that ``reader`` has; ``name_of`` gives the name of a key by its id, None if it has none."""

    def __init__(self, reader: Reader, name_of: Callable[[str], str | None]) -> None:
        self._reader, self._name_of = reader, name_of

    def page(self, project: str, asked: FindingList) -> FindingPage:
        """Return a page of findings."""
        said = asked.model_dump(mode="json", exclude={"cursor", "limit", "since", "until"}) | {"project": project}
        from_ns, to_ns = time_range(asked.since, asked.until)
        conditions, values = conditions_of(STATEMENTS, asked)
        is_upwards = asked.sort is FindingOrder.OLDEST
        if asked.cursor is not None:
            from_ns, to_ns, value, found_ns, finding_id = position_of(asked.cursor, said, (int, int, int, int, str))
            conditions += "\n" + STATEMENTS["before" if is_upwards else "after"]
            values |= {"value": value, "found_ns": found_ns, "finding_id": finding_id}
        sql = put_together(
            STATEMENTS["page"],
            columns=_BRIEF,
            conditions=conditions,
            value=STATEMENTS["value_urgent" if asked.sort is FindingOrder.URGENT else "value_time"],
            direction="ASC" if is_upwards else "DESC",
        )
        parameters = {**values, "project": project, "from_ns": from_ns, "to_ns": to_ns, "limit": asked.limit + 1}
        rows = self._reader.records(sql, parameters)
        next_cursor = None
        if len(rows) > asked.limit:
            rows = rows[: asked.limit]
            last = rows[-1]
            next_cursor = cursor_of(said, (from_ns, to_ns, last["value"], last["found_ns"], last["FindingId"]))
        findings = [finding_of(row) for row in rows]
        mutes = self.mutes_of(project, findings)
        return FindingPage(
            items=[ToldFinding.of(one, mutes.get(one.stable_key)) for one in findings], next_cursor=next_cursor
        )

    def of_agent(self, project: str, name: str, kind: Kind, asked: AgentFindings) -> FindingPage:
        """Return a page of the findings of one kind of an agent."""
        return self.page(project, FindingList(**asked.model_dump(), kind=[kind], agent=[name]))

    def one(self, project: str, finding_id: str) -> FindingDetail:
        """Return a finding whole.

        Raises:
            NotFound: if the project has none of that id.
        """
        asked = {"project": project, "finding_id": finding_id}
        found = self._findings("one", _WHOLE, **asked)
        if not found:
            raise NotFound(
                f"project {project} has no finding {finding_id[:100]!r}",
                "GET /v1/findings lists findings; one goes some time after it was found, as --keep-days says",
            )
        finding = found[0]
        others = self._findings("others", _BRIEF, **asked, incident_id=finding.incident_id, limit=_MOST_OTHERS)
        history = self._reader.records(STATEMENTS["history"], asked)
        return FindingDetail.told(
            finding,
            self.mutes_of(project, [finding, *others]),
            [
                HistoryStep(
                    what=What(step["what"]),
                    at=time_of(step["at_ns"]),
                    value=step["value"] or None,
                    by=self._who(step["key_id"]),
                )
                for step in history
            ],
            others,
        )

    def incidents(self, project: str, asked: IncidentList) -> IncidentPage:
        """Return a page of incidents, the newest first."""
        said = asked.model_dump(mode="json", exclude={"cursor", "limit", "since", "until"}) | {"project": project}
        from_ns, to_ns = time_range(asked.since, asked.until)
        conditions, values = conditions_of(_INCIDENT_CONDITIONS, asked)
        after = ""
        if asked.cursor is not None:
            from_ns, to_ns, first_ns, incident_id = position_of(asked.cursor, said, (int, int, int, str))
            after = STATEMENTS["after_incident"]
            values |= {"first_ns": first_ns, "incident_id": incident_id}
        sql = put_together(STATEMENTS["incidents"], conditions=conditions, after=after)
        parameters = {**values, "project": project, "from_ns": from_ns, "to_ns": to_ns, "limit": asked.limit + 1}
        rows = self._reader.records(sql, parameters)
        next_cursor = None
        if len(rows) > asked.limit:
            rows = rows[: asked.limit]
            next_cursor = cursor_of(said, (from_ns, to_ns, rows[-1]["first_ns"], rows[-1]["incident_id"]))
        ids = [row["incident_id"] for row in rows]
        of_incident: dict[str, list[Finding]] = {incident_id: [] for incident_id in ids}
        for finding in self._findings("of_incidents", _BRIEF, project=project, incident_ids=ids) if ids else []:
            of_incident[finding.incident_id].append(finding)
        mutes = self.mutes_of(project, [one for findings in of_incident.values() for one in findings])
        # One whose findings went to another incident in between is not there any more.
        items = [Incident(**Incident.fields_of(findings, mutes)) for findings in of_incident.values() if findings]
        return IncidentPage(items=items, next_cursor=next_cursor)

    def incident(self, project: str, incident_id: str) -> IncidentDetail:
        """Return an incident with its findings.

        Raises:
            NotFound: if the project has none of that id.
        """
        findings = self._findings("of_incidents", _BRIEF, project=project, incident_ids=[incident_id])
        if not findings:
            raise NotFound(
                f"project {project} has no incident {incident_id[:100]!r}",
                "GET /v1/incidents lists incidents; the findings of one may have gone to that of a model",
            )
        first, mutes = lead(findings), self.mutes_of(project, findings)
        ordered = [first, *(one for one in findings if one is not first)]
        items = [ToldFinding.of(one, mutes.get(one.stable_key)) for one in ordered]
        return IncidentDetail(**Incident.fields_of(findings, mutes), items=items)

    def precision(self, project: str) -> PrecisionReport:
        """Return the precision of each detector that found something in the last 90 days."""
        since = datetime.now(UTC) - LOOK_BACK
        rows = self._reader.records(BOOK_STATEMENTS["judgements"], {"project": project, "since_ns": nanoseconds(since)})
        found = precisions((row["kind"], row["detector"], row["judgement"], row["findings"]) for row in rows)
        return PrecisionReport(since=since, items=[DetectorPrecision.of(one) for one in found])

    def mutes(self, project: str) -> MutePage:
        """Return the mutes that hold now, the newest first."""
        rows = self._reader.records(STATEMENTS["mutes"], {"project": project, "limit": _MOST_MUTES})
        return MutePage(items=[ToldMute.of(row, self._who(row["key_id"])) for row in rows])

    def mutes_of(self, project: str, findings: Collection[Finding]) -> Mapping[str, Mute]:
        """Return the mutes of ``findings`` that hold now, by their stable keys."""
        if not findings:
            return {}
        parameters = {"project": project, "keys": sorted({finding.stable_key for finding in findings})}
        return {
            row["StableKey"]: Mute(
                project, row["StableKey"], None if row["until_ns"] is None else time_of(row["until_ns"])
            )
            for row in self._reader.records(STATEMENTS["mutes_of"], parameters)
        }

    def _findings(self, statement: str, columns: str, **parameters: Any) -> list[Finding]:
        sql = put_together(STATEMENTS[statement], columns=columns)
        return [finding_of(row) for row in self._reader.records(sql, parameters)]

    def _who(self, key_id: str) -> str | None:
        if not key_id:
            return "agentvigil"
        return None if key_id == NO_KEY else self._name_of(key_id) or key_id


NO_KEY: Final = "none"
"""Stands in a finding's history for who did something where no key is needed."""
