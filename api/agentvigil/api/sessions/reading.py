"""Finds sessions in the store: runs of one project with one conversation id.

A session is as its runs are, so it may change while pages are asked for: one that gets a run moves, by ``-last_at`` to
the front, and may then be missed by who is past that. Those that do not change are on one page each.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from agentvigil.api.conditions import conditions_of, put_together
from agentvigil.api.cursors import cursor_of, position_of
from agentvigil.api.problems import NotFound
from agentvigil.api.reading import Reader
from agentvigil.api.sessions.filters import SessionList
from agentvigil.api.windows import time_range
from agentvigil.storage.named_queries import load_queries

_STATEMENTS: Final = load_queries("agentvigil.api.sessions", "queries.sql")
_UNLESS_SAID: Final = timedelta(days=30)


class Sessions:
    """The sessions that ``reader`` has."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def page(self, project: str, asked: SessionList) -> tuple[list[dict[str, Any]], str | None]:
        """Return the rows of one page in its order, and the cursor of the next one."""
        said = asked.model_dump(mode="json", exclude={"cursor", "limit", "since", "until"}) | {"project": project}
        from_ns, to_ns = time_range(asked.since, asked.until, _UNLESS_SAID)
        conditions, values = conditions_of(_STATEMENTS, asked)
        after = ""
        if asked.cursor is not None:
            from_ns, to_ns, value, session_hash = position_of(asked.cursor, said, (int, int, int, str))
            after = _STATEMENTS["after"]
            values |= {"value": value, "hash": session_hash}
        sql = put_together(
            _STATEMENTS["page"],
            value=_STATEMENTS[f"value_{asked.sort.field}"],
            conditions=conditions,
            after=after,
        )
        parameters = {**values, "project": project, "from_ns": from_ns, "to_ns": to_ns, "limit": asked.limit + 1}
        keys = self._reader.records(sql, parameters)
        next_cursor = None
        if len(keys) > asked.limit:
            keys = keys[: asked.limit]
            next_cursor = cursor_of(said, (from_ns, to_ns, keys[-1]["value"], keys[-1]["hash"]))
        return self._rows(project, [key["ConversationId"] for key in keys], from_ns, to_ns), next_cursor

    def one(self, project: str, session_id: str) -> dict[str, Any]:
        """Return the row of a session, of all its runs.

        Raises:
            NotFound: if the project has no run of it.
        """
        rows = self._rows(project, [session_id], *time_range(None, None))
        if not rows:
            raise NotFound(f"project {project} has no session {session_id[:100]!r}", "GET /v1/sessions lists sessions")
        return rows[0]

    def _rows(self, project: str, session_ids: Sequence[str], from_ns: int, to_ns: int) -> list[dict[str, Any]]:
        if not session_ids:
            return []
        sql = put_together(_STATEMENTS["by_id"], columns=_STATEMENTS["columns"])
        parameters: Mapping[str, Any] = {
            "project": project,
            "session_ids": session_ids,
            "from_ns": from_ns,
            "to_ns": to_ns,
        }
        rows = {row["ConversationId"]: row for row in self._reader.records(sql, parameters)}
        # One whose runs were settled again in between, and are void now, is not there any more.
        return [rows[session_id] for session_id in session_ids if session_id in rows]
