"""Begins exports: the statement of each kind of rows, and each cell as the kind of file needs it.

How a cell is written depends on its type alone, which the engine is asked for, so that no column of text can be
forgotten where formulas are defused.
"""

import contextlib
import re
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from agentvigil.api.conditions import conditions_of, nanoseconds, put_together
from agentvigil.api.exports.filters import FileFormat, FindingExport, RunExport, SpanExport, StepExport
from agentvigil.api.findings.reading import STATEMENTS as FINDING_STATEMENTS
from agentvigil.api.problems import Unavailable
from agentvigil.api.reading import Reader
from agentvigil.api.runs.reading import STATEMENTS as RUN_STATEMENTS
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.store import Store
from agentvigil.storage.streams import RowStream

_STATEMENTS: Final = load_queries("agentvigil.api.exports", "queries.sql")

Export = RunExport | StepExport | SpanExport | FindingExport


class Rows(StrEnum):
    """What an export is of."""

    RUNS = "runs"
    STEPS = "steps"
    SPANS = "spans"
    FINDINGS = "findings"


_OUTPUT: Final = {FileFormat.CSV: "CSVWithNames", FileFormat.JSONL: "JSONEachRow", FileFormat.PARQUET: "Parquet"}
_MARGIN: Final = timedelta(days=1)
"""How far ahead of ours a sender's clock may be: no span is stored with a later start."""

_SETTINGS: Final = {
    "max_threads": 2,
    "max_memory_usage": 2 * 2**30,
    "max_block_size": 8192,
    "date_time_output_format": "iso",
    "format_csv_null_representation": "",
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_quote_decimals": 1,
    "output_format_json_escape_forward_slashes": 0,
    "output_format_json_validate_utf8": 1,
    "output_format_parquet_row_group_size": 65536,
    "output_format_parquet_row_group_size_bytes": 32 * 2**20,
    "output_format_parquet_parallel_encoding": 0,
}
_TEXT: Final = re.compile(r"(?:Nullable\()?(?:LowCardinality\()?(?:Nullable\()?(?:String|FixedString|Enum)")
_NESTED: Final = re.compile(r"(?:Array|Map|Tuple)\(")
_RUN_FILTERS_OF_STEPS: Final = ("agent", "version", "status", "environment", "service", "user", "session", "tag")


class Exports:
    """Exports of ``store``, ``most_at_once`` at a time: each reads a great part of it. Any thread may call."""

    def __init__(self, store: Store, reader: Reader, most_at_once: int = 2) -> None:
        self._store, self._reader, self._most_at_once = store, reader, most_at_once
        self._slots = threading.BoundedSemaphore(most_at_once)

    @contextlib.contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the places for exports under way.

        Raises:
            Unavailable: if all are taken.
        """
        if not self._slots.acquire(blocking=False):
            raise Unavailable(
                f"{self._most_at_once} exports are under way, and no more at a time",
                "try again when one has ended",
                headers={"Retry-After": "10"},
            )
        try:
            yield
        finally:
            self._slots.release()

    def begin(self, rows: Rows, project: str, asked: Export) -> RowStream:
        """Set the export of ``rows`` that ``asked`` describes going; the caller closes it.

        Raises:
            StorageError: if the store does not answer.
        """
        conditions, values = _conditions(asked)
        parameters = {
            **values,
            "project": project,
            "from_ns": nanoseconds(asked.since),
            "to_ns": nanoseconds(asked.until or datetime.now(UTC) + _MARGIN),
        }
        statement = put_together(_STATEMENTS[rows], conditions=conditions)
        columns = self._reader.records(f"DESCRIBE TABLE (\n{statement}\n)", parameters)
        cells = ",\n    ".join(_cell(column, asked.format) for column in columns)
        sql = put_together(_STATEMENTS["exported"], cells=cells, rows=statement)
        return self._store.stream(sql, parameters, _OUTPUT[asked.format], _SETTINGS)


def file_name(rows: Rows, project: str, asked: Export) -> str:
    """Return what the file of an export is called: what it is of, and of which time."""
    until = asked.until or datetime.now(UTC)
    times = "-".join(f"{time.astimezone(UTC):%Y%m%dT%H%M%SZ}" for time in (asked.since, until))
    safe_project = re.sub(r"[^A-Za-z0-9_.-]", "-", project)
    return f"agentvigil-{rows}-{safe_project}-{times}.{asked.format}"


def _conditions(asked: Export) -> tuple[str, dict[str, Any]]:
    match asked:
        case RunExport():
            return conditions_of(RUN_STATEMENTS, asked)
        case StepExport():
            of_runs = {f"where_{name}": RUN_STATEMENTS[f"where_{name}"] for name in _RUN_FILTERS_OF_STEPS}
            conditions, values = conditions_of(_fragments("step"), asked)
            run_conditions, run_values = conditions_of(of_runs, asked)
            if run_values:
                conditions += "\n" + put_together(_STATEMENTS["of_runs"], conditions=run_conditions)
            return conditions, values | run_values
        case SpanExport():
            return conditions_of(_fragments("span"), asked)
        case FindingExport():
            return conditions_of(FINDING_STATEMENTS, asked)


def _fragments(rows: str) -> dict[str, str]:
    prefix = f"where_{rows}_"
    return {f"where_{name.removeprefix(prefix)}": text for name, text in _STATEMENTS.items() if name.startswith(prefix)}


def _cell(column: Mapping[str, Any], file_format: FileFormat) -> str:
    name, type_ = str(column["name"]), str(column["type"])
    way = "cell"
    if _TEXT.match(type_):
        way = {FileFormat.CSV: "cell_csv_text", FileFormat.PARQUET: "cell_text"}.get(file_format, "cell")
    elif _NESTED.match(type_) and file_format is FileFormat.CSV:
        way = "cell_csv_json"
    return f"{put_together(_STATEMENTS[way], column=f'rows.{name}')} AS {name}"
