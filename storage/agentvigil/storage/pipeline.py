"""What is made of OTLP requests, as SELECTs that build on each other: the files of ``selects/``, named by their tables.

The embedded home puts them into each other and runs the whole as one INSERT (``insert_stream``). A server has a Null
table with a view behind it for each, so that whatever is inserted there becomes the same rows: ours, and what Kafka
brings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from clickhouse_connect.driver.binding import quote_identifier

from agentvigil.storage.literals import quote
from agentvigil.storage.rendering import render, select_of

_SPANS: Final = ("otlp_spans", "otlp_spans_found", "otlp_spans_meant", "otlp_spans_counted", "otel_traces")

PIPELINES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "otlp_traces": (_SPANS,),
    "otlp_logs": (("otel_logs",),),
    "otlp_metrics_gauge": (("otel_metrics_gauge",),),
    "otlp_metrics_sum": (("otel_metrics_sum",),),
    "otlp_metrics_histogram": (("otel_metrics_histogram",),),
    "otlp_metrics_exponential_histogram": (("otel_metrics_exponential_histogram",),),
    "otlp_metrics_summary": (("otel_metrics_summary",),),
    "otlp_trace_contents": (
        ("otlp_contents", "otlp_contents_split", "content_messages"),
        ("otlp_contents", "otlp_contents_split", "span_contents"),
    ),
    "otlp_log_contents": (
        ("otlp_log_contents", "otlp_contents_split", "content_messages"),
        ("otlp_log_contents", "otlp_contents_split", "span_contents"),
    ),
}
"""By where requests arrive, the tables that rows pass through, one way after the other; the last of each is the one
that they stay in."""

_SHAPES: Final = {"otlp_trace_contents": "otlp_traces", "otlp_log_contents": "otlp_logs"}
"""Where requests arrive that have the shape of others."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way of requests from ``arrival`` through ``tables``."""

    arrival: str
    tables: tuple[str, ...]

    def insert_from(self, path: str, columns: Sequence[str], settings: Sequence[str]) -> str:
        """Return an INSERT of all that is made of the requests that stand under ``path`` in Protobuf.

        ``columns`` are those of :meth:`selected`, in any order.
        """
        names = ", ".join(map(quote_identifier, columns))
        rows = self._selected_from(f"file({quote(path)}, 'Protobuf', {quote(self._structure())})")
        words = ("INSERT INTO", quote_identifier(self.tables[-1]), f"({names})", "SELECT", names, "FROM", rows)
        return " ".join((*words, "SETTINGS", ", ".join(settings)))

    def selected(self) -> str:
        """Return the same as a query, of no requests."""
        return self._selected_from(f"null({quote(self._structure())})")

    def _selected_from(self, rows: str) -> str:
        for table in self.tables:
            rows = f"(\n{select_of(table, rows)}\n)"
        return rows

    def _structure(self) -> str:
        """Columns of requests, as ClickHouse wants a file's structure."""
        shape = _SHAPES.get(self.arrival, self.arrival)
        return " ".join(render(f"{{{{{shape}_columns}}}}").split())


def ways_of(arrival: str) -> list[Way]:
    """Return the ways that requests take from ``arrival``."""
    return [Way(arrival, tables) for tables in PIPELINES[arrival]]
