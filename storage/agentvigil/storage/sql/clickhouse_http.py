"""ClickHouse's HTTP dialect over a `SqlGateway`, as a plain ASGI application.

Enough of it for curl, clickhouse-connect, Grafana's datasource (clickhouse-go) and DBeaver: a query in the URL or the
body, settings and parameters in the URL, an answer in one piece. Queries block, so they run in a pool of named
threads. What keeps strangers out: the key, or, without one, the rule that a browser which was talked into calling
this machine by another name (DNS rebinding) or from another page is turned away.
"""

import asyncio
import base64
import binascii
import hmac
import ipaddress
import json
import logging
import re
import uuid
import zlib
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from agentvigil.storage.sql.errors import (
    ACCESS_DENIED,
    AUTHENTICATION_FAILED,
    BAD_REQUEST_PARAMETER,
    QUERY_IS_TOO_LARGE,
    SYNTAX_ERROR,
    UNKNOWN_DATABASE,
    UNKNOWN_EXCEPTION,
    GatewayBusy,
    QueryRefused,
    SqlError,
)
from agentvigil.storage.sql.formats import native_string
from agentvigil.storage.sql.gateway import QueryResult, SqlGateway
from agentvigil.storage.sql.http_status import http_status
from agentvigil.storage.varint import varint

_log = logging.getLogger("agentvigil.storage.sql")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

TRANSPORT: Final = frozenset(
    {
        "add_http_cors_header",
        "buffer_size",
        "client_protocol_version",
        "close_session",
        "compress",
        "database",
        "decompress",
        "default_format",
        "password",
        "query",
        "query_id",
        "quota_key",
        "role",
        "session_check",
        "session_id",
        "session_timeout",
        "stacktrace",
        "user",
    }
)
"""URL parameters that are about the request, not settings of the engine."""

DISPLAY_NAME: Final = "agentvigil"
_HELLO: Final = re.compile(r"\s*SELECT\s+displayName\(\),\s*version\(\),\s*revision\(\),\s*timezone\(\)\s*;?\s*")
_QUERY_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_WAITING_PER_SLOT: Final = 4
"""Requests that may wait for each running query; one more is refused at once."""


def clickhouse_http_app(
    gateway: SqlGateway, *, key: str | None = None, allowed_hosts: Collection[str] = ()
) -> "ClickHouseHttp":
    """Make the ASGI application.

    With a ``key`` every request but ``/ping`` must carry it. Without one (bind to loopback only), the Host header must
    be localhost, an IP address or one of ``allowed_hosts``.
    """
    return ClickHouseHttp(gateway, key=key, allowed_hosts=allowed_hosts)


@dataclass(frozen=True, slots=True)
class _Request:
    """What is used of an HTTP request. Header names are in lower case; of repeated ones the last counts."""

    method: str
    path: str
    headers: Mapping[str, str]
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    headers: Mapping[str, str]
    body: bytes


class ClickHouseHttp:
    """The application; `clickhouse_http_app` makes it. ``close()`` ends its threads."""

    def __init__(self, gateway: SqlGateway, *, key: str | None, allowed_hosts: Collection[str]) -> None:
        if key is not None and not key:
            raise ValueError("key is empty; give a key, or None for none")
        self._gateway = gateway
        self._key = key.encode() if key is not None else None
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts) | {"localhost"}
        slots = gateway.limits.max_concurrent
        self._most_open = slots * (1 + _WAITING_PER_SLOT)
        self._open = 0  # only touched on the event loop
        self._pool = ThreadPoolExecutor(max_workers=self._most_open, thread_name_prefix="agentvigil-sql")

    def close(self) -> None:
        """Take no more queries; those that run are let finish. Safe to call twice."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            response = await self._respond(_request(scope), receive)
            headers = [
                (name.lower().encode(), value.encode("latin-1", "replace")) for name, value in response.headers.items()
            ]
            headers.append((b"content-length", str(len(response.body)).encode()))
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else response.body})
        else:
            raise RuntimeError(f"{scope['type']} connections are not served here")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                self.close()
                return

    async def _respond(self, request: _Request, receive: Receive) -> _Response:
        query_id = request.parameters.get("query_id", "")
        if not _QUERY_ID.fullmatch(query_id):
            query_id = str(uuid.uuid4())
        try:
            if request.path == "/ping":
                return _plain(200, "Ok.\n")
            self._check_caller(request)
            if request.path != "/":
                return _plain(404, f"There is no handle {request.path[:200]}; queries go to /\n")
            if request.method not in ("GET", "POST", "HEAD"):
                return _Response(
                    405, {"Allow": "GET, HEAD, POST", "Content-Type": "text/plain; charset=UTF-8"}, b"Use GET or POST\n"
                )
            body = await self._body(request, receive)
            text = "\n".join(part for part in (request.parameters.get("query", ""), body) if part)
            if not text and request.method != "POST":
                return _plain(200, "Ok.\n")
            return await self._in_pool(request, text, query_id)
        except SqlError as exc:
            return _failure(exc, query_id)
        except Exception:  # noqa: BLE001 - the last frame before the socket: logged, and told in the client's dialect
            _log.exception("query %s failed inside the SQL interface", query_id)
            message = "The SQL interface failed on this query; the server's log has the details"
            return _failure(QueryRefused(UNKNOWN_EXCEPTION, message), query_id)

    async def _in_pool(self, request: _Request, text: str, query_id: str) -> _Response:
        if self._open >= self._most_open:
            raise GatewayBusy(self._gateway.limits.max_concurrent, 0)
        self._open += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._answer, request, text, query_id)
        finally:
            self._open -= 1

    def _answer(self, request: _Request, text: str, query_id: str) -> _Response:
        """Run the query and write the response; blocking, called in the pool."""
        version, timezone = self._gateway.engine_facts()
        headers = {
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Timezone": timezone,
            "X-ClickHouse-Server-Display-Name": DISPLAY_NAME,
        }
        if "client_protocol_version" in request.parameters and _HELLO.fullmatch(text):
            headers |= {"X-ClickHouse-Format": "Native", "Content-Type": "application/octet-stream"}
            return _Response(200, headers, _hello(version, timezone))
        result = self._run(request, text, query_id)
        headers |= {
            "Content-Type": result.content_type,
            "X-ClickHouse-Format": result.format,
            "X-ClickHouse-Summary": json.dumps(
                {
                    "read_rows": str(result.rows_read),
                    "read_bytes": "0",
                    "written_rows": "0",
                    "written_bytes": "0",
                    "total_rows_to_read": "0",
                    "result_bytes": str(len(result.body)),
                    "elapsed_ns": str(int(result.elapsed_s * 1e9)),
                }
            ),
        }
        body = result.body
        if _wants_gzip(request) and body:
            compressor = zlib.compressobj(level=3, wbits=31)  # 31: a gzip header and trailer
            body = compressor.compress(body) + compressor.flush()
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return _Response(200, headers, body)

    def _run(self, request: _Request, text: str, query_id: str) -> QueryResult:
        given = request.parameters
        database = given.get("database") or request.headers.get("x-clickhouse-database", "")
        if database not in ("", "default", self._gateway.database):
            raise QueryRefused(
                UNKNOWN_DATABASE,
                f"Database {database[:80]} does not exist; the one here is {self._gateway.database}",
            )
        if given.get("compress", "0") not in ("", "0") or given.get("decompress", "0") not in ("", "0"):
            raise QueryRefused(
                BAD_REQUEST_PARAMETER,
                "compress and decompress (ClickHouse's own block compression) are not spoken here; "
                "ask for gzip with Accept-Encoding and enable_http_compression=1",
            )
        return self._gateway.execute(
            text,
            settings={
                name: value for name, value in given.items() if name not in TRANSPORT and not name.startswith("param_")
            },
            parameters={
                name.removeprefix("param_"): value for name, value in given.items() if name.startswith("param_")
            },
            default_format=given.get("default_format") or request.headers.get("x-clickhouse-format") or "TabSeparated",
            query_id=query_id,
        )

    async def _body(self, request: _Request, receive: Receive) -> str:
        if request.headers.get("content-type", "").startswith("multipart/"):
            raise QueryRefused(
                BAD_REQUEST_PARAMETER, "External tables and multipart bodies are not taken; send the query as the body"
            )
        if request.headers.get("content-encoding", "identity") not in ("", "identity"):
            raise QueryRefused(BAD_REQUEST_PARAMETER, "Compressed queries are not taken; send the query as plain text")
        limit = self._gateway.limits.max_query_bytes
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise QueryRefused(BAD_REQUEST_PARAMETER, "The client left before its query had arrived")
            body += message.get("body", b"")
            if len(body) > limit:
                raise QueryRefused(QUERY_IS_TOO_LARGE, f"The query is longer than {limit} bytes; make it shorter")
            if not message.get("more_body", False):
                break
        try:
            return body.decode()
        except UnicodeDecodeError as exc:
            raise QueryRefused(SYNTAX_ERROR, f"The query is not UTF-8 at byte {exc.start}") from exc

    def _check_caller(self, request: _Request) -> None:
        """Let in who has the key or, where there is no key, who plainly means this machine."""
        if self._key is not None:
            offered = _offered_keys(request)
            # Every candidate is compared, so that time does not tell which place held it.
            if not any([hmac.compare_digest(self._key, candidate) for candidate in offered]):  # noqa: C419 - see above
                raise QueryRefused(
                    AUTHENTICATION_FAILED,
                    "Authentication failed: send the key as a Bearer token, as the password or in X-ClickHouse-Key",
                )
            return
        host = request.headers.get("host", "")
        name = _host_name(host)
        if name not in self._allowed_hosts and not _is_address(name):
            raise QueryRefused(
                ACCESS_DENIED, f"Host {host[:80]!r} is not this machine; call it localhost or by its address"
            )
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            raise QueryRefused(
                ACCESS_DENIED, f"Pages of {origin[:80]!r} may not ask here; set a key to serve other machines"
            )


def _request(scope: Scope) -> _Request:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True, errors="replace")
    path, root = scope["path"], scope.get("root_path", "").rstrip("/")
    if root and path.startswith(root):
        path = path.removeprefix(root)
    return _Request(scope["method"], path or "/", headers, dict(pairs))


def _offered_keys(request: _Request) -> list[bytes]:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    offered = [request.headers.get("x-clickhouse-key", ""), request.parameters.get("password", "")]
    if scheme.lower() == "bearer":
        offered.append(credentials.strip())
    elif scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(credentials, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            decoded = ""
        offered.append(decoded.partition(":")[2])
    return [candidate.encode() for candidate in offered if candidate]


def _host_name(host: str) -> str:
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if re.search(r":[0-9]*$", host) else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _wants_gzip(request: _Request) -> bool:
    if request.parameters.get("enable_http_compression", "0") not in ("1", "true"):
        return False
    offers = [offer.replace(" ", "").lower() for offer in request.headers.get("accept-encoding", "").split(",")]
    return any(re.fullmatch(r"(?:gzip|\*)(?:;q=(?!0(?:\.0*)?$).+)?", offer) for offer in offers)


def _plain(status: int, text: str, **headers: str) -> _Response:
    return _Response(status, {"Content-Type": "text/plain; charset=UTF-8", **headers}, text.encode("utf-8", "replace"))


def _failure(error: SqlError, query_id: str) -> _Response:
    headers = {
        "Content-Type": "text/plain; charset=UTF-8",
        "X-ClickHouse-Exception-Code": str(error.code),
        "X-ClickHouse-Query-Id": query_id,
        "X-ClickHouse-Server-Display-Name": DISPLAY_NAME,
    }
    if isinstance(error, GatewayBusy):
        headers["Retry-After"] = "1"
    return _Response(http_status(error.code), headers, f"{error}\n".encode("utf-8", "replace"))


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
