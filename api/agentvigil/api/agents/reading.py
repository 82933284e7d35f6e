"""Sums up agents and their versions."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from agentvigil.api.agents.asked import AgentList, DiffAsked, VersionList
from agentvigil.api.agents.diff import Compared, diff_of
from agentvigil.api.agents.diff_models import VersionDiff
from agentvigil.api.agents.models import (
    Agent,
    AgentDetail,
    AgentLinks,
    AgentPage,
    Version,
    VersionPage,
    VersionSeen,
)
from agentvigil.api.amounts import time_of
from agentvigil.api.conditions import put_together
from agentvigil.api.cursors import cursor_of, position_of
from agentvigil.api.problems import NotFound
from agentvigil.api.ranges import TimeRange
from agentvigil.api.reading import Reader
from agentvigil.api.runs.filters import AgentRunFilters, RunFilters
from agentvigil.api.totals.measures import STATEMENTS as TOTALS
from agentvigil.api.totals.measures import Source, measures, run_rows
from agentvigil.api.totals.models import MEASURES, NOTHING, FailureCount
from agentvigil.storage.named_queries import load_queries

_STATEMENTS: Final = load_queries("agentvigil.api.agents", "queries.sql")
_USUAL: Final = timedelta(days=30)
_VERSIONS_OF_DETAIL: Final = 100


class Agents:
    """The agents that ``reader`` has."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def page(self, project: str, asked: AgentList) -> AgentPage:
        """Return one page of agents that ran in a time, by default of 30 days.

        Raises:
            BadCursor: if the cursor is of another query.
            Invalid: if no time lies between since and until.
        """
        said = asked.model_dump(mode="json", exclude={"cursor", "limit", "since", "until"}) | {"project": project}
        after: dict[str, Any] = {}
        if asked.cursor is None:
            time = TimeRange.of(asked.since, asked.until, _USUAL)
        else:
            from_ns, to_ns, value, name = position_of(asked.cursor, said, (int, int, int, str))
            time = TimeRange.of(time_of(from_ns), time_of(to_ns), _USUAL)
            after = {"value": value, "after_agent": name}
        is_descending = asked.sort.is_descending
        records = self._agents(
            project,
            asked,
            time,
            {**after, "limit": asked.limit + 1},
            value=_STATEMENTS[f"value_{asked.sort.field}"],
            having=_STATEMENTS["after" if is_descending else "before"] if after else "",
            direction="DESC" if is_descending else "ASC",
        )
        next_cursor = None
        if len(records) > asked.limit:
            records = records[: asked.limit]
            last = records[-1]
            next_cursor = cursor_of(said, (*time.nanoseconds, last["value"], last["agent"]))
        return AgentPage(
            since=time.since,
            until=time.until,
            items=[Agent.of_record(record) for record in records],
            next_cursor=next_cursor,
        )

    def one(self, project: str, name: str, asked: AgentRunFilters) -> AgentDetail:
        """Return an agent with what it did in a time, by default of 30 days.

        Raises:
            NotFound: if the project has no run of it at all.
            Invalid: if no time lies between since and until.
        """
        filters, time = _of_agent(name, asked), TimeRange.of(asked.since, asked.until, _USUAL)
        found = self._agents(
            project,
            filters,
            time,
            {"limit": 1},
            value=_STATEMENTS["value_name"],
            having="",
            direction="ASC",
        )
        more: dict[str, Any] = {"since": time.since, "until": time.until}
        if not found:
            self.check(project, name)
            return AgentDetail.of(
                NOTHING,
                name=name,
                first_seen_at=None,
                last_seen_at=None,
                version_count=0,
                environments=[],
                models=[],
                tools=[],
                links=AgentLinks.of(name),
                top_failures=[],
                versions=[],
                **more,
            )
        rows, values = run_rows(filters)
        parameters = {**values, **time.parameters, "project": project, "limit": _VERSIONS_OF_DETAIL}
        failures = self._reader.records(put_together(TOTALS["top_failures"], rows=rows), parameters)
        versions = self._reader.records(_statement("versions_in_short", rows=rows), parameters)
        return AgentDetail.of_record(
            found[0],
            top_failures=[FailureCount.of(record) for record in failures],
            versions=[VersionSeen.of(record) for record in versions],
            **more,
        )

    def versions(self, project: str, name: str, asked: VersionList) -> VersionPage:
        """Return the versions of an agent that ran in a time, by default of 30 days.

        Raises:
            NotFound: if the project has no run of the agent at all.
            Invalid: if no time lies between since and until.
        """
        time = TimeRange.of(asked.since, asked.until, _USUAL)
        rows, values = run_rows(_of_agent(name, asked))
        parameters = {**values, **time.parameters, "project": project, "limit": asked.limit}
        records = self._reader.records(_statement("versions", rows=rows), parameters)
        if not records:
            self.check(project, name)
        return VersionPage(
            since=time.since,
            until=time.until,
            versions_total=records[0]["versions_total"] if records else 0,
            items=[Version.of_record(record) for record in records],
        )

    def diff(self, project: str, name: str, asked: DiffAsked) -> VersionDiff:
        """Return what changed between two versions of an agent, by their runs of a time, by default of 30 days.

        Raises:
            NotFound: if one of them has no run in that time, or the agent none at all.
            Invalid: if no time lies between since and until.
        """
        time = TimeRange.of(asked.since, asked.until, _USUAL)
        filters = RunFilters.model_validate(
            asked.model_dump(include={"since", "until", "environment", "service"}) | {"agent": [name]}
        )
        rows, values = run_rows(filters)
        rows += "\n" + _STATEMENTS["of_versions"]
        parameters = {
            **values,
            **time.parameters,
            "project": project,
            "versions": list({asked.before, asked.after}),
            "limit": 2,
        }

        steps = put_together(_STATEMENTS["steps_of_versions"], rows=rows)

        def records(statement: str) -> list[dict[str, Any]]:
            return self._reader.records(_statement(statement, rows=rows, steps=steps), parameters)

        versions = {record["key"]: record for record in records("versions")}
        for version in (asked.before, asked.after):
            if version not in versions:
                self.check(project, name)
                raise NotFound(
                    f"{name[:100]!r} has no run of version {version[:100]!r} from {time.since.isoformat()} on",
                    "GET /v1/agents/NAME/versions lists versions; since= looks further back",
                )
        compared = Compared(
            versions=versions,
            failures=records("failures"),
            models=records("models"),
            tools=records("tools"),
        )
        return diff_of(name, asked.before, asked.after, time, compared)

    def check(self, project: str, name: str) -> None:
        """Check that there is such an agent.

        Raises:
            NotFound: if the project has no run of it at all.
        """
        if not self._reader.records(_STATEMENTS["exists"], {"project": project, "name": name}):
            raise NotFound(
                f"agent {name[:100]!r} has no run in project {project}",
                "GET /v1/agents lists agents; one appears some seconds after its first run",
            )

    def _agents(
        self, project: str, filters: RunFilters, time: TimeRange, values: Mapping[str, Any], **parts: str
    ) -> list[dict[str, Any]]:
        rows, bound = run_rows(filters)
        sql = _statement("page", rows=rows, **parts)
        return self._reader.records(sql, {**bound, **values, **time.parameters, "project": project})


def _of_agent(name: str, filters: AgentRunFilters) -> RunFilters:
    return RunFilters.model_validate(filters.model_dump(include=set(AgentRunFilters.model_fields)) | {"agent": [name]})


def _statement(name: str, **parts: str) -> str:
    """Return a statement, all parts of which are in their places: those that hold others come first."""
    return put_together(
        _STATEMENTS[name],
        **parts,
        measures=measures(Source.RUNS, MEASURES),
        per_run=_STATEMENTS["per_run"],
        of_a_run=_STATEMENTS["of_a_run"],
        seen=_STATEMENTS["seen"],
        version=_STATEMENTS["version"],
    )
