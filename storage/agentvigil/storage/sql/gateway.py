"""Runs one client's query on a chDB handle of its own, within limits.

A handle on which a query raised gave that query's rows in front of the next answer, and settings stick to a handle;
so every query gets fresh ones and nobody sees them again. Opening one costs about a millisecond.

A running query is known by its ``log_comment``, a random token that its handle carries; no client may set one.
"""

import json
import logging
import re
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from agentvigil.storage.project_tables import ProjectTables
from agentvigil.storage.sql.admission import Admitted, Handle, read_filters
from agentvigil.storage.sql.answer import Answer, Cost, Pipe
from agentvigil.storage.sql.errors import (
    BAD_QUERY_PARAMETER,
    QUERY_IS_TOO_LARGE,
    QUERY_WAS_CANCELLED,
    SYNTAX_ERROR,
    EngineError,
    GatewayBusy,
    QueryRefused,
)
from agentvigil.storage.sql.formats import CONTENT_TYPES, empty_native_block, format_named
from agentvigil.storage.sql.settings import Limits, admit_settings, limit_settings, set_statement
from agentvigil.storage.sql.tokens import quote, quote_name
from agentvigil.storage.sql.visible import Visible

_log = logging.getLogger("agentvigil.storage.sql")

_FILTERS: Final = "additional_table_filters"
_CHECKING: Final = {"max_result_rows": "0", "max_result_bytes": "0"}
"""A syntax tree has as many rows as the query has parts; max_ast_elements bounds it, not the client's limits."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The answer to one query, whole. ``elapsed_s`` is the engine's time in seconds."""

    body: bytes
    format: str
    content_type: str
    rows_read: int
    elapsed_s: float
    query_id: str


@dataclass(frozen=True, slots=True)
class OpenAnswer:
    """An answer under way, and what is known of it beforehand. ``answer`` must be closed."""

    answer: Answer
    format: str
    content_type: str
    query_id: str
    progress: Callable[[], Cost]
    """Asks the engine what the query cost so far."""


class SqlGateway:
    """The one way in for SQL that somebody else wrote. Blocking; any number of threads may call it.

    Args:
        open_handle: opens a new chDB connection; the gateway closes it.
        database: where unqualified names live; must exist.
        allowed_tables: names of the tables and views of it that queries may read, asked anew for every query. It must
            name only what exists, see `admission.Admission`.
        project_tables: what of these shows who is bound to a project that project alone, asked anew for every query.
        limits: what one query may cost.
    """

    def __init__(
        self,
        open_handle: Callable[[], Handle],
        *,
        database: str,
        allowed_tables: Callable[[], frozenset[str]],
        project_tables: Callable[[], ProjectTables] = ProjectTables,
        limits: Limits | None = None,
    ) -> None:
        self.database = database
        self.limits = limits or Limits()
        self._open_handle = open_handle
        self._allowed_tables, self._project_tables = allowed_tables, project_tables
        self._slots = threading.BoundedSemaphore(self.limits.max_concurrent)
        self._facts: tuple[str, str] | None = None

    def engine_facts(self) -> tuple[str, str]:
        """Version and time zone of the engine; asked once.

        Raises:
            EngineError: if the engine does not answer.
        """
        if self._facts is None:
            with self._handle(_CHECKING) as handle:
                answer = bytes(_query(handle, "SELECT version(), timezone()", "TSV", {}).bytes())
            version, timezone = answer.decode().rstrip("\n").split("\t")
            self._facts = version, timezone
        return self._facts

    def execute(
        self,
        text: str,
        *,
        settings: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        default_format: str = "TabSeparated",
        project: str | None = None,
        query_id: str | None = None,
    ) -> QueryResult:
        """Admit and run one query, and return its answer whole. Arguments and errors are those of `open`."""
        opened = self.open(
            text,
            settings=settings,
            parameters=parameters,
            default_format=default_format,
            project=project,
            query_id=query_id,
        )
        with opened.answer as answer:
            body = b"".join(iter(answer.read, b""))
        cost = answer.cost or Cost()
        return QueryResult(body, opened.format, opened.content_type, cost.rows_read, cost.elapsed_s, opened.query_id)

    def open(
        self,
        text: str,
        *,
        settings: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        default_format: str = "TabSeparated",
        project: str | None = None,
        query_id: str | None = None,
        asked_to_stop: threading.Event | None = None,
    ) -> OpenAnswer:
        """Admit one query and set it going; its slot is taken until the answer is closed.

        ``parameters`` are values of ``{name:Type}``, written as ClickHouse takes them in ``param_name``: TSV-escaped.
        A FORMAT or SETTINGS in the query wins over ``default_format`` and ``settings``. With a ``project`` the query
        sees that one alone. Setting ``asked_to_stop`` ends the wait for a slot, or the query.

        Raises:
            QueryRefused: the query is not allowed, or it was asked to stop before it ran.
            GatewayBusy: no slot came free in time.
            EngineError: the engine refused it.
        """
        parameters = dict(parameters or {})
        self._check_text(text, parameters)
        asked_to_stop = asked_to_stop or threading.Event()
        self._take_slot(asked_to_stop)
        try:
            return self._open(
                text,
                dict(settings or {}),
                parameters,
                default_format,
                project,
                query_id or str(uuid.uuid4()),
                asked_to_stop,
            )
        except BaseException:
            self._slots.release()
            raise

    def _check_text(self, text: str, parameters: Mapping[str, str]) -> None:
        for name in parameters:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                raise QueryRefused(BAD_QUERY_PARAMETER, f"Parameter name {name[:80]!r} is no identifier")
        if len(text) > self.limits.max_query_bytes:
            raise QueryRefused(
                QUERY_IS_TOO_LARGE, f"The query has {len(text)} characters, the limit is {self.limits.max_query_bytes}"
            )
        if "\0" in text or not text.strip():
            raise QueryRefused(SYNTAX_ERROR, "Empty query" if not text.strip() else "The query has a zero byte in it")
        try:
            text.encode()
            "".join(parameters.values()).encode()
        except UnicodeEncodeError as exc:
            raise QueryRefused(SYNTAX_ERROR, "The query is not valid UTF-8") from exc

    def _take_slot(self, asked_to_stop: threading.Event) -> None:
        give_up = time.monotonic() + self.limits.max_wait_s
        while not self._slots.acquire(timeout=min(0.1, max(give_up - time.monotonic(), 0.001))):
            if asked_to_stop.is_set():
                raise _stopped()
            if time.monotonic() >= give_up:
                raise GatewayBusy(self.limits.max_concurrent, self.limits.max_wait_s)

    def _open(
        self,
        text: str,
        settings: dict[str, str],
        parameters: dict[str, str],
        default_format: str,
        project: str | None,
        query_id: str,
        asked_to_stop: threading.Event,
    ) -> OpenAnswer:
        # Asked once: what is filtered and what may be named must be the same tables.
        visible = Visible.to(
            project,
            database=self.database,
            allowed_tables=self._allowed_tables,
            project_tables=self._project_tables,
        )
        admission = visible.admission()
        with self._handle(_CHECKING) as checking:
            statement = admission.read(checking, text)
            output = format_named(statement.format or default_format)
            wanted = {**settings, **statement.settings}
            filters = visible.filters()
            for table, condition in read_filters(wanted.pop(_FILTERS, "{}")).items():
                name, canonical = admission.admit_filter(checking, table, condition)
                filters[name] = f"({filters[name]}) AND ({canonical})" if name in filters else canonical
            engine_settings = {**admit_settings(wanted, self.limits), **visible.settings()}
            admitted = admission.admit(checking, statement, parameters)
        if asked_to_stop.is_set():
            raise _stopped()
        engine_settings[_FILTERS] = (
            "{" + ", ".join(f"{quote(table)}: {quote(text)}" for table, text in filters.items()) + "}"
        )
        # The engine's clock does not stop for a slow client, the answer's does: that one holds the limit.
        max_time_s = float(engine_settings.get("max_execution_time", self.limits.max_execution_time_s))
        engine_settings["max_execution_time"] = f"{self.limits.max_answer_time_s:g}"
        token = secrets.token_hex(16)
        engine_settings["log_comment"] = token

        def run(pipe: Pipe) -> Cost:
            return self._run(pipe, admitted, output, engine_settings, parameters)

        answer = Answer(
            run,
            lambda: self._kill(token),
            asked_to_stop=asked_to_stop,
            max_time_s=max_time_s,
            max_bytes=self.limits.max_answer_bytes,
            on_close=self._slots.release,
        )
        return OpenAnswer(answer, output, CONTENT_TYPES[output], query_id, lambda: self._progress(token))

    def _run(
        self,
        pipe: Pipe,
        admitted: Admitted,
        output: str,
        settings: Mapping[str, str],
        parameters: Mapping[str, str],
    ) -> Cost:
        # Under readonly = 1 system.settings calls every setting unchangeable, and clickhouse-connect then refuses to
        # send any. 2 forbids the same but for SET and SETTINGS, of which nothing is left in the text by now.
        with self._handle(settings, readonly=2 if "system.settings" in admitted.text else 1) as handle:
            if admitted.select:
                outfile = f"INTO OUTFILE {quote(pipe.path)} TRUNCATE FORMAT {output}"
                result = _query(handle, f"{admitted.text} {outfile}", "Null", parameters)
            else:  # chDB loses the rows of SHOW and EXPLAIN AST on their way to an OUTFILE; these are short
                result = _query(handle, admitted.text, output, parameters)
                pipe.write(bytes(result.bytes()))
            if output == "Native" and pipe.untouched():
                pipe.write(empty_native_block(_columns(handle, admitted, parameters)))
            return Cost(int(result.storage_rows_read()), int(result.storage_bytes_read()), float(result.elapsed()))

    def _kill(self, token: str) -> None:
        self._ask(f"KILL QUERY WHERE Settings['log_comment'] = {quote(token)} ASYNC")

    def _progress(self, token: str) -> Cost:
        answer = self._ask(
            "SELECT read_rows, read_bytes, elapsed FROM system.processes "  # noqa: S608 - a token of our own
            f"WHERE Settings['log_comment'] = {quote(token)}"
        )
        rows, size, elapsed = (answer.split() or [b"0", b"0", b"0"])[:3]
        return Cost(int(rows), int(size), float(elapsed))

    def _ask(self, text: str) -> bytes:
        """Run a statement of our own, without limits."""
        handle = self._open_handle()
        try:
            return bytes(_query(handle, text, "TSV", {}).bytes())
        finally:
            handle.close()

    @contextmanager
    def _handle(self, settings: Mapping[str, str], *, readonly: int = 1) -> Iterator[Handle]:
        """Yield a handle that is set up for one query and cannot be set up otherwise: ``readonly`` comes last."""
        handle = self._open_handle()
        try:
            _query(handle, f"USE {quote_name(self.database)}", "Null", {})
            _query(handle, set_statement(limit_settings(self.limits)), "Null", {})
            if settings:
                _query(handle, set_statement(settings), "Null", {})
            _query(handle, f"SET readonly = {readonly}", "Null", {})
            yield handle
        finally:
            try:
                handle.close()
            except RuntimeError:
                _log.warning("a chDB handle did not close", exc_info=True)


def _stopped() -> QueryRefused:
    return QueryRefused(QUERY_WAS_CANCELLED, "The client left before its query ran")


def _query(handle: Handle, text: str, output: str, parameters: Mapping[str, str]) -> Any:
    try:
        return handle.query(text, output, params=dict(parameters))
    except RuntimeError as exc:  # chdb.ChdbError is one
        raise EngineError.from_text(str(exc)) from exc


def _columns(handle: Handle, admitted: Admitted, parameters: Mapping[str, str]) -> list[tuple[str, str]]:
    """Names and types of a result that came back empty."""
    if not admitted.select:  # of the other statements only SHOW has an empty answer
        return [("name", "String")]
    described = _query(handle, f"DESCRIBE TABLE ({admitted.text})", "JSONCompactEachRow", parameters)
    rows = (json.loads(line) for line in bytes(described.bytes()).splitlines() if line)
    return [(str(row[0]), str(row[1])) for row in rows]
