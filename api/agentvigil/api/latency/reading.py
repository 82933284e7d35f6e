"""Reads how long the runs of an agent take, and what of.

Percentiles and critical paths by kind are of all runs. Steps are several times as many and lie among those of all
agents, so where there are many they are read of some hours only, with a thousand runs or so in them.
"""

from datetime import timedelta
from typing import Any, Final

from agentvigil.analysis.latency import Doing, PathSum, WindowSums, contributors, sampled_hours, with_agent
from agentvigil.api.agents.reading import Agents
from agentvigil.api.conditions import put_together
from agentvigil.api.latency.asked import LatencyAsked
from agentvigil.api.latency.models import Latency, LatencyOfTime, StepLatency
from agentvigil.api.ranges import TimeRange
from agentvigil.api.reading import Reader
from agentvigil.api.runs.filters import AgentRunFilters, RunFilters
from agentvigil.api.totals.measures import run_rows
from agentvigil.semconv.failures import TYPE_OF_OPERATION
from agentvigil.storage.named_queries import load_queries

_STATEMENTS: Final = load_queries("agentvigil.api.latency", "queries.sql")
_USUAL: Final = timedelta(days=7)
_MOST_RUNS: Final = 1_000
_MOST_HOURS: Final = 40
_KINDS: Final = {
    "operations": [str(operation) for operation in TYPE_OF_OPERATION],
    "kinds": [str(kind) for kind in TYPE_OF_OPERATION.values()],
}


class LatencyReading:
    """Latency of the agents that ``reader`` has."""

    def __init__(self, reader: Reader, agents: Agents) -> None:
        self._reader, self._agents = reader, agents

    def of(self, project: str, name: str, asked: LatencyAsked) -> Latency:
        """Return the latency of an agent in a time, by default of 7 days, and in the one to compare with.

        Raises:
            NotFound: if the project has no run of the agent at all.
            Invalid: if nothing lies between two times.
        """
        time = TimeRange.of(asked.since, asked.until, _USUAL)
        before_until = asked.before_until or time.since
        before = TimeRange.of(asked.before_since, before_until, time.until - time.since)
        filters = RunFilters.model_validate(
            asked.model_dump(include=set(AgentRunFilters.model_fields)) | {"agent": [name]}
        )
        now_told, now_sums = self._window(project, filters, time)
        before_told, before_sums = self._window(project, filters, before)
        if not now_told.runs:
            self._agents.check(project, name)
        told = contributors(now_sums, before_sums)
        grew = sorted((one for one in told if (one.growth_ns or 0) > 0), key=lambda one: -(one.growth_ns or 0))
        return Latency(
            agent=name,
            now=now_told,
            before=before_told,
            slowest=[StepLatency.of(one, now_sums.runs, before_sums.runs) for one in told if one.now][: asked.limit],
            grew_most=[StepLatency.of(one, now_sums.runs, before_sums.runs) for one in grew[: asked.limit]],
        )

    def _window(self, project: str, filters: RunFilters, time: TimeRange) -> tuple[LatencyOfTime, WindowSums]:
        rows, values = run_rows(filters)
        bound: dict[str, Any] = {**values, **time.parameters, **_KINDS, "project": project}
        window = self._reader.records(put_together(_STATEMENTS["window"], rows=rows), bound)[0]
        bound["hours"] = sampled_hours(window["runs_by_hour"], _MOST_RUNS, _MOST_HOURS)
        if not bound["hours"]:
            return LatencyOfTime.of(window, 0, time.since, time.until), WindowSums(0, 0, [])

        def records(statement: str) -> list[dict[str, Any]]:
            sampled = put_together(_STATEMENTS["sampled"], rows=rows)
            return self._reader.records(put_together(_STATEMENTS[statement], sampled=sampled), bound)

        runs = records("sampled_runs")[0]
        sums = WindowSums(runs["runs"], float(runs["duration_ns"]), [_path_sum(row) for row in records("steps")])
        return LatencyOfTime.of(window, sums.runs, time.since, time.until), with_agent(sums)


def _path_sum(row: dict[str, Any]) -> PathSum:
    p50_ns, p95_ns = row["durations"]
    doing = Doing(row["kind"], row["name"])
    return PathSum(doing, row["steps"], row["runs"], row["path_ns"], row["path_squares"], p50_ns, p95_ns)
