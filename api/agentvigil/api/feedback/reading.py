"""Finds feedback in the store."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from agentvigil.api.conditions import conditions_of, nanoseconds, put_together
from agentvigil.api.cursors import cursor_of, position_of
from agentvigil.api.feedback.models import FeedbackFilters, FeedbackList, FeedbackPage, ToldFeedback
from agentvigil.api.problems import NotFound
from agentvigil.api.reading import Reader
from agentvigil.storage.named_queries import load_queries

_STATEMENTS: Final = load_queries("agentvigil.api.feedback", "queries.sql")
_LOOK_BACK: Final = timedelta(days=30)
_MARGIN: Final = timedelta(days=1)
"""How far ahead of ours a sender's clock may be."""


class FeedbackReader:
    """The feedback that ``reader`` has."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def page(self, project: str, asked: FeedbackList) -> FeedbackPage:
        """Return a page of feedback."""
        now = datetime.now(UTC)
        since = nanoseconds(asked.since or now - _LOOK_BACK)
        return self._page(project, asked, since, nanoseconds(asked.until or now + _MARGIN))

    def of_run(self, project: str, run: Mapping[str, Any], asked: FeedbackFilters) -> FeedbackPage:
        """Return a page of the feedback for ``run``, a row of agent_runs."""
        of_run = FeedbackList(run=[run["RunId"]], **asked.model_dump())
        since = run["timestamp_ns"] - nanoseconds(datetime(1970, 1, 1, tzinfo=UTC) + _MARGIN)
        return self._page(project, of_run, since, nanoseconds(datetime.now(UTC) + _MARGIN))

    def run_of_span(self, project: str, trace_id: str, span_id: str) -> str:
        """Return the id of the run that a span is in.

        Raises:
            NotFound: if it is in none.
        """
        parameters = {"project": project, "trace_id": trace_id, "span_id": span_id}
        rows = self._reader.records(_STATEMENTS["run_of_span"], parameters)
        if not rows:
            raise NotFound(
                f"project {project} has no run with span {span_id} of trace {trace_id}",
                "a run appears some seconds after its spans: try again then, or name the run by run_id",
            )
        return str(rows[0]["RunId"])

    def _page(self, project: str, asked: FeedbackList, from_ns: int, to_ns: int) -> FeedbackPage:
        said = asked.model_dump(mode="json", exclude={"cursor", "limit", "since", "until"}) | {"project": project}
        conditions, values = conditions_of(_STATEMENTS, asked)
        if asked.cursor is not None:
            from_ns, to_ns, timestamp_ns, feedback_id = position_of(asked.cursor, said, (int, int, int, str))
            conditions += "\n" + _STATEMENTS["after"]
            values |= {"timestamp_ns": timestamp_ns, "feedback_id": feedback_id}
        parameters = {**values, "project": project, "from_ns": from_ns, "to_ns": to_ns, "limit": asked.limit + 1}
        rows = self._reader.records(put_together(_STATEMENTS["page"], conditions=conditions), parameters)
        next_cursor = None
        if len(rows) > asked.limit:
            rows = rows[: asked.limit]
            next_cursor = cursor_of(said, (from_ns, to_ns, rows[-1]["timestamp_ns"], rows[-1]["FeedbackId"]))
        texts = self._explanations(project, rows)
        items = [
            ToldFeedback.of(row, texts.get((row["TraceId"], row["SpanId"], row["ExplanationKey"]))) for row in rows
        ]
        return FeedbackPage(items=items, next_cursor=next_cursor)

    def _explanations(self, project: str, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, str], str]:
        open_rows = [row for row in rows if not row["Comment"] and row["SpanId"]]
        if not open_rows:
            return {}
        parameters = {
            "project": project,
            "trace_ids": sorted({row["TraceId"] for row in open_rows}),
            "span_ids": sorted({row["SpanId"] for row in open_rows}),
            "keys": sorted({row["ExplanationKey"] for row in open_rows}),
        }
        found = self._reader.records(_STATEMENTS["explanations"], parameters)
        return {_place(row, "Key"): row["Text"] for row in found if row["Text"]}


def _place(row: Mapping[str, Any], key: str) -> tuple[str, str, str]:
    return row["TraceId"], row["SpanId"], row[key]
