"""Answers that are too large to hold: formatted by ClickHouse, read while it still works on them.

Both homes answer alike: complete in their format, heads and tails included, or with an error. An answer that ended in
an error has no end: whoever hands it on must not let it look like a whole one.
"""

import logging
import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from typing import Any, Final, Protocol, Self, cast

import urllib3
from clickhouse_connect.driver.binding import bind_query
from clickhouse_connect.driver.client import Client

from agentvigil.storage.errors import QueryFailed
from agentvigil.storage.literals import quote
from agentvigil.storage.sql.admission import Handle
from agentvigil.storage.sql.answer import Answer, Cost, Pipe
from agentvigil.storage.sql.errors import EngineError, SqlError

_LOG: Final = logging.getLogger("agentvigil.storage")
_MOST_S: Final = 3600.0
"""Of the engine's time, in which a reader does not keep it waiting: an answer that needs more will not end."""

_PIECE_BYTES: Final = 2**20
_MARK: Final = b"__exception__\r\n"
_TAIL_BYTES: Final = 32 * 1024
"""How much a server's report of an error may take at the end of an answer; ClickHouse cuts it to 16 KiB."""


class RowStream(ABC):
    """One answer under way. One thread at a time may read and close it; any may stop it."""

    @abstractmethod
    def read(self) -> bytes:
        """Return the next bytes; none at the end.

        Raises:
            QueryFailed: if the query failed or was stopped. What was read before is not the whole answer then.
        """

    @abstractmethod
    def stop(self) -> None:
        """End the query; a read that waits raises."""

    @abstractmethod
    def close(self) -> None:
        """End the query if it still runs, and give back what it holds. Safe to call twice."""

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.read, b"")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class EngineStream(RowStream):
    """An answer of the engine in this process, through a pipe, see ``sql.answer``."""

    def __init__(
        self,
        open_handle: Callable[[], Handle],
        database: str,
        sql: str,
        parameters: Mapping[str, Any],
        output_format: str,
        settings: Mapping[str, Any],
    ) -> None:
        self._open_handle = open_handle
        text, bound = bind_query(sql, dict(parameters))
        token = secrets.token_hex(16)
        prepared = (
            f"USE {_name(database)}",
            *(f"SET {name} = {quote(str(value))}" for name, value in settings.items()),
            f"SET log_comment = {quote(token)}",
        )
        values = {name.removeprefix("param_"): value for name, value in bound.items()}

        def run(pipe: Pipe) -> Cost:
            handle = self._open_handle()
            try:
                for statement in prepared:
                    _query(handle, statement, {})
                outfile = f"INTO OUTFILE {quote(pipe.path)} TRUNCATE FORMAT {output_format}"
                result = _query(handle, f"{text!s} {outfile}", values)
                return Cost(int(result.storage_rows_read()), int(result.storage_bytes_read()), float(result.elapsed()))
            finally:
                handle.close()

        self._stopped = threading.Event()
        self._answer = Answer(
            run,
            lambda: self._kill(token),
            asked_to_stop=self._stopped,
            max_time_s=_MOST_S,
            max_bytes=2**63,
            on_close=lambda: None,
        )

    def read(self) -> bytes:
        try:
            return self._answer.read()
        except SqlError as exc:
            raise QueryFailed(exc.code, exc.name, exc.message) from exc

    def stop(self) -> None:
        self._stopped.set()

    def close(self) -> None:
        self._answer.close()

    def _kill(self, token: str) -> None:
        handle = self._open_handle()
        try:
            _query(handle, f"KILL QUERY WHERE Settings['log_comment'] = {quote(token)} ASYNC", {})
        finally:
            handle.close()


class _Response(Protocol):
    """What clickhouse-connect gives for an answer that is read in pieces."""

    @property
    def headers(self) -> Mapping[str, str]: ...

    def read(self, size: int) -> bytes: ...

    def close(self) -> None: ...


class ServerStream(RowStream):
    """An answer of a server, over a connection of its own.

    A server that fails after it began writes the error behind what it sent, marked by a tag that it said at the
    beginning. So the end of what has come is held back until more comes: either it is the error, or the end.
    """

    def __init__(
        self,
        connect: Callable[[], Client],
        sql: str,
        parameters: Mapping[str, Any],
        output_format: str,
        settings: Mapping[str, Any],
    ) -> None:
        self._connect = connect
        self._query_id = f"agentvigil-{secrets.token_hex(16)}"
        self._client: Client | None = connect()
        try:
            response = self._client.raw_stream(
                sql,
                parameters=dict(parameters),
                settings={**settings, "query_id": self._query_id, "cancel_http_readonly_queries_on_client_close": 1},
                fmt=output_format,
            )
        except BaseException:
            self._client.close()
            raise
        # Of a client over HTTP it is urllib3's response, which clickhouse-connect declares as less.
        self._response = cast("_Response", response)
        tag = self._response.headers.get("X-ClickHouse-Exception-Tag", "")
        self._mark = _MARK + tag.encode() if tag else b""
        self._held = b""
        self._ended = False

    def read(self) -> bytes:
        while not self._ended:
            try:
                piece = self._response.read(_PIECE_BYTES)
            except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as exc:
                raise QueryFailed(0, type(exc).__name__, str(exc)) from exc
            self._held += piece
            self._ended = not piece
            if self._ended and self._mark and self._mark in self._held[-_TAIL_BYTES:]:
                text = self._held[self._held.rindex(self._mark) + len(self._mark) :].decode("utf-8", "replace")
                error = EngineError.from_text(text)
                raise QueryFailed(error.code, error.name, error.message)
            if self._mark and not self._ended:
                ready, self._held = self._held[:-_TAIL_BYTES], self._held[-_TAIL_BYTES:]
            else:
                ready, self._held = self._held, b""
            if ready:
                return ready
        return b""

    def stop(self) -> None:
        client = self._connect()
        try:
            client.command("KILL QUERY WHERE query_id = {id:String} ASYNC", parameters={"id": self._query_id})
        finally:
            client.close()

    def close(self) -> None:
        if self._client is not None:
            self._response.close()
            self._client.close()
            self._client = None


def _query(handle: Handle, text: str, parameters: Mapping[str, str]) -> Any:
    try:
        return handle.query(text, "Null", params=dict(parameters))
    except RuntimeError as exc:  # chdb.ChdbError is one
        raise EngineError.from_text(str(exc)) from exc


def _name(text: str) -> str:
    return "`" + text.replace("\\", "\\\\").replace("`", "\\`") + "`"
