"""Sums up a time."""

from datetime import timedelta
from typing import Any, Final

from agentvigil.api.conditions import put_together
from agentvigil.api.ranges import TimeRange
from agentvigil.api.reading import Reader
from agentvigil.api.runs.filters import RunFilters
from agentvigil.api.stats.models import Stats, TopAgent, TopModel, TopTool
from agentvigil.api.totals.measures import STATEMENTS, Calls, Source, measures, run_rows, step_rows
from agentvigil.api.totals.models import MEASURES, FailureCount
from agentvigil.storage.named_queries import load_queries

_STATEMENTS: Final = load_queries("agentvigil.api.stats", "queries.sql")
_USUAL: Final = timedelta(hours=24)


class StatsReading:
    """Totals of what ``reader`` has."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of(self, project: str, filters: RunFilters) -> Stats:
        """Return what the runs that ``filters`` let through are together, by default those of a day.

        Raises:
            Invalid: if no time lies between since and until.
        """
        time = TimeRange.of(filters.since, filters.until, _USUAL)
        runs, values = run_rows(filters)
        calls, _ = step_rows(filters, Calls)
        parameters = {**values, **time.parameters, "project": project}

        def records(statement: str, rows: str) -> list[dict[str, Any]]:
            sql = put_together(statement, measures=measures(Source.RUNS, MEASURES), rows=rows)
            return self._reader.records(sql, parameters)

        totals = records(_STATEMENTS["totals"], runs)[0]
        top_calls = records(_STATEMENTS["top_calls"], calls)
        return Stats.of(
            totals,
            since=time.since,
            until=time.until,
            sessions=totals["sessions"],
            users=totals["users"],
            agents=totals["agents"],
            top_agents=[TopAgent.of(record) for record in records(_STATEMENTS["top_agents"], runs)],
            top_failures=[FailureCount.of(record) for record in records(STATEMENTS["top_failures"], runs)],
            top_models=[TopModel.of(record) for record in top_calls if record["kind"] == "model"],
            top_tools=[TopTool.of(record) for record in top_calls if record["kind"] == "tool"],
        )
