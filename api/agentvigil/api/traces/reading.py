"""Finds traces and spans in the store.

A trace stands in lists where its first root began: the earliest span without a parent. One without a root, as where
another system keeps it, stands where its first run began; without a run too it is in no list, and only told by its id.
Both are looked for in windows from the newest back. What is found there is a candidate until its trace is seen whole,
since the trace may have begun before the window.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agentvigil.api.conditions import conditions_of, put_together
from agentvigil.api.cursors import cursor_of, position_of
from agentvigil.api.problems import NotFound
from agentvigil.api.reading import Reader
from agentvigil.api.traces.filters import TraceList
from agentvigil.api.windows import HOUR_NS, newest_first, time_range
from agentvigil.storage.named_queries import load_queries

MOST_SPANS: Final = 50_000
"""That are told of one trace."""

_STATEMENTS: Final = load_queries("agentvigil.api.traces", "queries.sql")
_NEAR_NS: Final = 6 * HOUR_NS
"""How far from all runs of its trace a span is found."""

_FEWEST_CANDIDATES: Final = 20
_MOST_ROUNDS: Final = 20
"""How often candidates are looked for, for one page. It is told as it is then, with a cursor to go on from."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the spans of a trace are: near its runs, whose ids ``run_ids`` are by start; anywhere if it has none.

    ``parameters`` and the condition ``bounds`` say so to a statement.
    """

    trace_id: str
    run_ids: tuple[str, ...]
    parameters: Mapping[str, Any]
    bounds: str


class Traces:
    """The traces that ``reader`` has."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def page(self, project: str, asked: TraceList) -> tuple[list[dict[str, Any]], str | None]:
        """Return the rows of one page in its order, and the cursor of the next one."""
        said = asked.model_dump(mode="json", exclude={"cursor", "limit", "since", "until"}) | {"project": project}
        from_ns, to_ns = time_range(asked.since, asked.until)
        after: tuple[int, str] | None = None
        if asked.cursor is not None:
            from_ns, to_ns, started_ns, trace_id = position_of(asked.cursor, said, (int, int, int, str))
            after = started_ns, trace_id
        size = max(asked.limit + 1, _FEWEST_CANDIDATES)
        found: list[dict[str, Any]] = []
        rounds = 0
        for window in newest_first(from_ns, to_ns, after[0] if after is not None else None):
            is_searched = False
            while not is_searched:
                candidates = self._candidates(project, asked, window, after, size)
                is_searched = len(candidates) < size
                found += self._begun_there(project, asked, candidates)
                if len(found) > asked.limit:
                    last = found[asked.limit - 1]
                    return found[: asked.limit], cursor_of(said, (from_ns, to_ns, last["started_ns"], last["TraceId"]))
                if candidates:
                    after = candidates[-1]["started_ns"], candidates[-1]["TraceId"]
                rounds += 1
                if rounds >= _MOST_ROUNDS and after is not None and not is_searched:
                    return found, cursor_of(said, (from_ns, to_ns, *after))
        return found, None

    def place(self, project: str, trace_id: str) -> Place:
        """Return where a trace is to be looked for."""
        parameters: dict[str, Any] = {"project": project, "trace_id": trace_id}
        found = self._reader.records(_STATEMENTS["place"], parameters)[0]
        if not found["runs"]:
            return Place(trace_id, (), parameters, "")
        parameters |= {"near_from_ns": found["first_ns"] - _NEAR_NS, "near_to_ns": found["last_ns"] + _NEAR_NS}
        return Place(trace_id, tuple(found["run_ids"]), parameters, _STATEMENTS["near_its_runs"])

    def spans(self, place: Place) -> tuple[list[dict[str, Any]], int]:
        """Return the first `MOST_SPANS` rows of a trace by start, and how many it has in all.

        Raises:
            NotFound: if the project has none of that trace.
        """
        rows = self._of(place, "spans", limit=MOST_SPANS + 1)
        if not rows:
            raise NotFound(
                f"project {place.parameters['project']} has no trace {place.trace_id}",
                "GET /v1/traces lists traces; docs/sql.md finds any span",
            )
        if len(rows) <= MOST_SPANS:
            return rows, len(rows)
        return rows[:MOST_SPANS], self._of(place, "spans_total")[0]["spans"]

    def spans_with_content(self, place: Place) -> frozenset[str]:
        """Return the ids of the spans of a trace of which a text is stored."""
        return frozenset(row["SpanId"] for row in self._of(place, "spans_with_content"))

    def span(self, place: Place, span_id: str) -> dict[str, Any]:
        """Return the row of a span, as it was taken in last.

        Raises:
            NotFound: if the project has no such span.
        """
        rows = self._of(place, "span", span_id=span_id)
        if not rows:
            raise NotFound(
                f"project {place.parameters['project']} has no span {span_id} in trace {place.trace_id}",
                f"GET /v1/traces/{place.trace_id} lists the spans of the trace",
            )
        return rows[0]

    def content(self, project: str, trace_id: str, span_id: str) -> list[dict[str, Any]]:
        """Return ``Key`` and ``Text`` of what is stored of what a span says."""
        parameters = {"project": project, "trace_id": trace_id, "span_id": span_id}
        return self._reader.records(_STATEMENTS["content"], parameters)

    def _of(self, place: Place, statement: str, **more: Any) -> list[dict[str, Any]]:
        sql = put_together(_STATEMENTS[statement], bounds=place.bounds)
        return self._reader.records(sql, {**place.parameters, **more})

    def _candidates(
        self, project: str, asked: TraceList, window: tuple[int, int], after: tuple[int, str] | None, limit: int
    ) -> list[dict[str, Any]]:
        conditions, values = conditions_of(_STATEMENTS, asked)
        of_roots = {None: "", True: _STATEMENTS["root_with_runs"], False: _STATEMENTS["root_without_runs"]}
        sql = put_together(
            _STATEMENTS["candidates"],
            conditions=conditions,
            root_conditions=of_roots[asked.has_runs],
            run_conditions=_STATEMENTS["no_run"] if asked.has_runs is False else "",
            after=_STATEMENTS["after"] if after is not None else "",
        )
        if after is not None:
            values |= dict(zip(("after_ns", "after_id"), after, strict=True))
        parameters = {**values, "project": project, "from_ns": window[0], "to_ns": window[1], "limit": limit}
        return self._reader.records(sql, parameters)

    def _begun_there(
        self, project: str, asked: TraceList, candidates: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Return the rows of those traces that began where they were found, and are what is asked for."""
        if not candidates:
            return []
        conditions, values = conditions_of(_STATEMENTS, asked)
        trace_ids = [candidate["TraceId"] for candidate in candidates]
        sql = put_together(_STATEMENTS["roots"], conditions=conditions)
        parameters = {**values, "project": project, "trace_ids": trace_ids}
        roots = {row["TraceId"]: row for row in self._reader.records(sql, parameters)}
        runs = {row["TraceId"]: row for row in self._runs(project, trace_ids, values, conditions)}
        found = []
        for candidate in candidates:
            root, run = roots.get(candidate["TraceId"], _NO_SPANS), runs.get(candidate["TraceId"], _NO_RUNS)
            trace = root if root["has_root"] else {**root, **run}
            if trace["matches"] and trace["started_ns"] == candidate["started_ns"]:
                found.append({**trace, "run_ids": run["run_ids"]})
        return found

    def _runs(
        self, project: str, trace_ids: Sequence[str], values: Mapping[str, Any], conditions: str
    ) -> list[dict[str, Any]]:
        sql = put_together(_STATEMENTS["runs"], conditions=conditions)
        return self._reader.records(sql, {**values, "project": project, "trace_ids": trace_ids})


_NO_SPANS: Final = {"has_root": False, "spans": 0, "error_spans": 0}
"""Of a trace whose spans went while its run is still there."""

_NO_RUNS: Final = {"run_ids": [], "matches": False, "started_ns": None}
