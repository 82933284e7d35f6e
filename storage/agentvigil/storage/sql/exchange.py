"""One query over HTTP, from its text to the last byte of its answer. Blocking; runs in a thread of the pool.

An answer that ends within `HOLD_BYTES` is sent whole: an error then still has its status, and the slot is free before
a slow client has taken anything. A longer one is sent as it comes. If that fails midway, status and headers are gone
already, so the error goes into the body, behind a mark which the headers announced and data can not hold, and the
connection is broken off, so that a client which knows no marks does not take half an answer for a whole one:
https://clickhouse.com/docs/interfaces/http#http_response_codes_caveats
"""

import json
import logging
import re
import secrets
import string
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from agentvigil.storage.sql.answer import Answer, Cost
from agentvigil.storage.sql.encodings import ENCODERS, Encoder, Identity, accepted_coding
from agentvigil.storage.sql.errors import (
    TOO_MANY_ROWS_OR_BYTES,
    UNKNOWN_DATABASE,
    UNKNOWN_EXCEPTION,
    GatewayBusy,
    QueryRefused,
    SqlError,
)
from agentvigil.storage.sql.formats import native_string
from agentvigil.storage.sql.gateway import SqlGateway
from agentvigil.storage.sql.http_status import http_status
from agentvigil.storage.sql.native_blocks import BlockEncoder
from agentvigil.storage.sql.request import Request
from agentvigil.storage.varint import varint

_log = logging.getLogger("agentvigil.storage.sql")

HOLD_BYTES: Final = 2**20
"""ClickHouse's own default of http_response_buffer_size."""

DISPLAY_NAME: Final = "agentvigil"
_HELLO: Final = re.compile(r"\s*SELECT\s+displayName\(\),\s*version\(\),\s*revision\(\),\s*timezone\(\)\s*;?\s*")
_EXCEPTION_BYTES: Final = 16 * 1024 - 256
"""Of an error within a body: clients look at the last 16 KiB, frame included."""


class ClientLeft(Exception):
    """Nobody takes the answer any more, or too slowly."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response in one piece."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where a response goes; each call blocks until the client took it, or raises `ClientLeft`."""

    whole: Callable[[Response], None]
    start: Callable[[Mapping[str, str]], None]
    """Begins a response of status 200 whose length is not known."""
    piece: Callable[[bytes], None]
    end: Callable[[], None]
    """Not called for a response that must not look complete."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request whose query may run, and where its answer goes."""

    gateway: SqlGateway
    request: Request
    text: str
    project: str | None
    """The one that may be seen, None for every one."""
    query_id: str
    outlet: Outlet
    asked_to_stop: threading.Event
    """Set by the outlet's side when the client has left or the server stops."""

    def run(self) -> None:
        """Run the query and send the answer or the error. Raises nothing."""
        try:
            response = self._respond()
        except ClientLeft:
            return
        except SqlError as exc:
            response = failure(exc, self.query_id)
        except Exception:  # noqa: BLE001 - the last frame of this thread: logged, and told in the client's dialect
            response = unforeseen(self.query_id)
        if response is not None:
            try:
                self.outlet.whole(response)
            except ClientLeft:
                return

    def _respond(self) -> Response | None:
        """Return the response, or None if it was sent as it came."""
        version, timezone = self.gateway.engine_facts()
        headers = {
            "X-ClickHouse-Query-Id": self.query_id,
            "X-ClickHouse-Timezone": timezone,
            "X-ClickHouse-Server-Display-Name": DISPLAY_NAME,
        }
        encoder, coding = self._encoder()
        if "client_protocol_version" in self.request.parameters and _HELLO.fullmatch(self.text):
            headers |= {"X-ClickHouse-Format": "Native", "Content-Type": "application/octet-stream"}
            body = _hello(version, timezone)
            return Response(200, headers | coding, encoder.encode(body) + encoder.finish())
        self._check_database()
        opened = self.gateway.open(
            self.text,
            settings=self.request.settings,
            parameters=self.request.query_parameters,
            default_format=self.request.default_format,
            project=self.project,
            query_id=self.query_id,
            asked_to_stop=self.asked_to_stop,
        )
        with opened.answer as answer:
            held, ended = self._hold(answer)
            cost = (answer.cost or Cost()) if ended else opened.progress()
            headers |= {
                "Content-Type": opened.content_type,
                "X-ClickHouse-Format": opened.format,
                "X-ClickHouse-Summary": _summary(cost, len(held) if ended else None),
            }
            if not ended:
                self._stream(answer, held, headers | coding, encoder)
                return None
        if not held:
            return Response(200, headers, b"")
        return Response(200, headers | coding, encoder.encode(held) + encoder.finish())

    def _check_database(self) -> None:
        database = self.request.database
        if database not in ("", "default", self.gateway.database):
            raise QueryRefused(
                UNKNOWN_DATABASE, f"Database {database[:80]} does not exist; the one here is {self.gateway.database}"
            )

    def _encoder(self) -> tuple[Encoder, dict[str, str]]:
        if self.request.is_on("compress"):
            return BlockEncoder(), {}
        if self.request.is_on("enable_http_compression"):
            name = accepted_coding(self.request.headers.get("accept-encoding", ""))
            if name is not None:
                return ENCODERS[name](), {"Content-Encoding": name, "Vary": "Accept-Encoding"}
        return Identity(), {}

    def _hold(self, answer: Answer) -> tuple[bytes, bool]:
        """Read the beginning of an answer, or all of it if the client wants to wait; tell whether it ended."""
        wait = self.request.is_on("wait_end_of_query")
        limit = self.gateway.limits.max_held_bytes if wait else HOLD_BYTES
        held = bytearray()
        while len(held) < limit:
            piece = answer.read()
            if not piece:
                return bytes(held), True
            held += piece
        if wait:
            raise QueryRefused(
                TOO_MANY_ROWS_OR_BYTES,
                f"The answer has more than {limit} bytes, the most that wait_end_of_query can hold back; leave it out",
            )
        return bytes(held), False

    def _stream(self, answer: Answer, held: bytes, headers: Mapping[str, str], encoder: Encoder) -> None:
        tag = "".join(secrets.choice(string.ascii_lowercase) for _ in range(16))
        self.outlet.start({**headers, "X-ClickHouse-Exception-Tag": tag})
        if self.request.method == "HEAD":
            self.outlet.end()
            return
        piece = held
        try:
            while piece:
                self.outlet.piece(encoder.encode(piece))
                piece = answer.read()
        except SqlError as exc:
            _log.warning("query %s failed after a part of its answer was sent: %s", self.query_id, exc)
            self.outlet.piece(encoder.encode(_exception_block(str(exc), tag)) + encoder.finish())
        else:
            self.outlet.piece(encoder.finish())
            self.outlet.end()


def failure(error: SqlError, query_id: str) -> Response:
    """Write an error as ClickHouse does."""
    headers = {
        "Content-Type": "text/plain; charset=UTF-8",
        "X-ClickHouse-Exception-Code": str(error.code),
        "X-ClickHouse-Query-Id": query_id,
        "X-ClickHouse-Server-Display-Name": DISPLAY_NAME,
    }
    if isinstance(error, GatewayBusy):
        headers["Retry-After"] = "1"
    return Response(http_status(error.code), headers, f"{error}\n".encode("utf-8", "replace"))


def unforeseen(query_id: str) -> Response:
    """Log the exception being handled and write the error for it."""
    _log.exception("query %s failed inside the SQL interface", query_id)
    message = "The SQL interface failed on this query; the server's log has the details"
    return failure(QueryRefused(UNKNOWN_EXCEPTION, message), query_id)


def _summary(cost: Cost, result_bytes: int | None) -> str:
    """Write what is known so far; of an answer that is sent as it comes that is not its size."""
    known = {
        "read_rows": cost.rows_read,
        "read_bytes": cost.bytes_read,
        "written_rows": 0,
        "written_bytes": 0,
        "total_rows_to_read": 0,
        **({} if result_bytes is None else {"result_bytes": result_bytes}),
        "elapsed_ns": int(cost.elapsed_s * 1e9),
    }
    return json.dumps({name: str(value) for name, value in known.items()})


def _exception_block(message: str, tag: str) -> bytes:
    text = message.encode("utf-8", "replace")[:_EXCEPTION_BYTES] + b"\n"
    mark = tag.encode()
    return b"\r\n__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n" % (mark, text, len(text), mark)


def _hello(version: str, timezone: str) -> bytes:
    """Answer clickhouse-go's first question in the one framing it decodes by then (revision 54460).

    It takes ``revision() = 0`` for the server's revision and from then on decodes plain Native, which is all that the
    engine writes: https://github.com/ClickHouse/clickhouse-go conn_http.go, lib/proto/block.go.
    """
    columns = (
        ("displayName()", "String", native_string(DISPLAY_NAME)),
        ("version()", "String", native_string(version)),
        ("revision()", "UInt32", bytes(4)),
        ("timezone()", "String", native_string(timezone)),
    )
    block = bytearray(b"\x01\x00\x02\xff\xff\xff\xff\x00")  # BlockInfo: no overflow, bucket -1, end
    block += varint(len(columns)) + varint(1)
    for name, type_name, value in columns:
        block += native_string(name) + native_string(type_name) + b"\x00" + value  # 00: no custom serialization
    return bytes(block)
