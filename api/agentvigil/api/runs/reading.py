"""Finds runs and steps in the store.

The newest runs are looked for in windows that grow, from the newest back: most pages are full after the first, and no
more of the table is read than that. The keys of a page come first, all columns only for its rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from agentvigil.api.conditions import conditions_of, put_together
from agentvigil.api.cursors import cursor_of, position_of
from agentvigil.api.problems import NotFound
from agentvigil.api.reading import Reader
from agentvigil.api.runs.filters import RunFilters, RunList, RunOrder
from agentvigil.api.windows import HOUR_NS, newest_first, time_range
from agentvigil.storage.named_queries import load_queries

STATEMENTS: Final = load_queries("agentvigil.api.runs", "queries.sql")
_WINDOWS_NS: Final = (HOUR_NS, 2 * 24 * HOUR_NS)
"""Few, since each question has a price of its own; the last one has all the rest."""

_STEPS_MARGIN_NS: Final = 10 * 60 * 1_000_000_000
"""How far the clock of another machine with steps of a run may be off."""


class Runs:
    """The runs that ``reader`` has."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def page(self, project: str, asked: RunList) -> tuple[list[dict[str, Any]], str | None]:
        """Return the rows of one page in its order, and the cursor of the next one."""
        said = asked.model_dump(mode="json", exclude={"cursor", "limit", "since", "until"}) | {"project": project}
        from_ns, to_ns = time_range(asked.since, asked.until)
        after: tuple[int, int, str] | None = None
        if asked.cursor is not None:
            from_ns, to_ns, value, timestamp_ns, run_id = position_of(asked.cursor, said, (int, int, int, int, str))
            after = value, timestamp_ns, run_id
        keys = self._keys(project, asked, from_ns, to_ns, after)
        next_cursor = None
        if len(keys) > asked.limit:
            keys = keys[: asked.limit]
            last = keys[-1]
            next_cursor = cursor_of(said, (from_ns, to_ns, last["value"], last["timestamp_ns"], last["RunId"]))
        return self._rows(project, keys), next_cursor

    def one(self, project: str, run_id: str) -> dict[str, Any]:
        """Return the row of a run.

        Raises:
            NotFound: if the project has none of that id.
        """
        sql = put_together(STATEMENTS["by_id"], columns=STATEMENTS["columns"])
        trace_id = run_id.partition("-")[0]
        rows = self._reader.records(sql, {"project": project, "trace_id": trace_id, "run_id": run_id})
        if not rows:
            raise NotFound(
                f"project {project} has no run {run_id[:100]!r}",
                "GET /v1/runs lists runs; one appears some seconds after its spans",
            )
        return rows[0]

    def steps(
        self, project: str, run: Mapping[str, Any], filters: BaseModel, *, after: int = 0, limit: int
    ) -> list[dict[str, Any]]:
        """Return rows of the steps of ``run``, a row of agent_runs, in order from the one after ordinal ``after``."""
        conditions, values = conditions_of(STATEMENTS, filters)
        sql = put_together(STATEMENTS["steps"], step_columns=STATEMENTS["step_columns"], conditions=conditions)
        parameters = {
            **values,
            "project": project,
            "trace_id": run["TraceId"],
            "run_id": run["RunId"],
            "from_ns": run["timestamp_ns"] - _STEPS_MARGIN_NS,
            "to_ns": max(run["end_ns"], run["timestamp_ns"]) + _STEPS_MARGIN_NS,
            "after": after,
            "limit": limit,
        }
        return self._reader.records(sql, parameters)

    def similar(self, project: str, run_id: str, alike: RunFilters) -> dict[str, Any]:
        """Return how many runs but for this one are what ``alike`` asks for, and which are the newest."""
        conditions, values = conditions_of(STATEMENTS, alike)
        from_ns, to_ns = time_range(alike.since, alike.until)
        parameters = {**values, "project": project, "run_id": run_id, "from_ns": from_ns, "to_ns": to_ns}
        return self._reader.records(put_together(STATEMENTS["similar"], conditions=conditions), parameters)[0]

    def tags(self, project: str, run_id: str) -> list[str]:
        """Return the tags of a run, sorted."""
        rows = self._reader.records(STATEMENTS["tags"], {"project": project, "run_id": run_id})
        return [row["Tag"] for row in rows]

    def _keys(
        self, project: str, asked: RunList, from_ns: int, to_ns: int, after: tuple[int, int, str] | None
    ) -> list[dict[str, Any]]:
        order = asked.sort
        conditions, values = conditions_of(STATEMENTS, asked)
        value = STATEMENTS[f"value_{order.field}"]
        if after is not None:
            conditions += "\n" + put_together(STATEMENTS["after" if order.is_descending else "before"], value=value)
            values |= dict(zip(("value", "timestamp_ns", "run_id"), after, strict=True))
        sql = put_together(
            STATEMENTS["page"],
            value=value,
            conditions=conditions,
            first="" if order.field == RunOrder.NEWEST.field else STATEMENTS["first"],
        )
        sql = put_together(sql, direction="DESC" if order.is_descending else "ASC")
        windows = iter([(from_ns, to_ns)])
        if order is RunOrder.NEWEST:
            windows = newest_first(from_ns, to_ns, after[1] if after is not None else None, _WINDOWS_NS)
        found: list[dict[str, Any]] = []
        for window_from_ns, window_to_ns in windows:
            parameters = {
                **values,
                "project": project,
                "from_ns": window_from_ns,
                "to_ns": window_to_ns,
                "limit": asked.limit + 1 - len(found),
            }
            found += self._reader.records(sql, parameters)
            if len(found) > asked.limit:
                break
        return found

    def _rows(self, project: str, keys: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        if not keys:
            return []
        sql = put_together(STATEMENTS["by_key"], columns=STATEMENTS["columns"])
        parameters = {
            "project": project,
            "timestamps_ns": [key["timestamp_ns"] for key in keys],
            "from_ns": min(key["timestamp_ns"] for key in keys),
            "to_ns": max(key["timestamp_ns"] for key in keys),
            "run_ids": [key["RunId"] for key in keys],
        }
        rows = {(row["timestamp_ns"], row["RunId"]): row for row in self._reader.records(sql, parameters)}
        found = (rows.get((key["timestamp_ns"], key["RunId"])) for key in keys)
        # One that was settled again in between, and is void now, is not there any more.
        return [row for row in found if row is not None]
