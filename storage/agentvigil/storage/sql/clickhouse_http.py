"""ClickHouse's HTTP dialect over a `SqlGateway`, as a plain ASGI application.

Enough of it for curl, clickhouse-connect, clickhouse-go (Grafana's datasource) and DBeaver: a query in the URL or the
body, settings and parameters in the URL. This module is the side of the event loop: it reads requests, watches for
clients that leave, and sends what the threads hand over. Queries block, so each `Exchange` has a thread of a pool.
"""

import asyncio
import contextvars
import re
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, MutableMapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from typing import Any, Final

from agentvigil.storage.access import Access
from agentvigil.storage.sql.callers import Callers
from agentvigil.storage.sql.errors import (
    QUERY_IS_TOO_LARGE,
    GatewayBusy,
    QueryRefused,
    SqlError,
)
from agentvigil.storage.sql.exchange import ClientLeft, Exchange, Outlet, Response, failure, unforeseen
from agentvigil.storage.sql.gateway import SqlGateway
from agentvigil.storage.sql.request import Request

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_QUERY_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_WAITING_PER_SLOT: Final = 4
"""Requests that may wait for each running query; one more is refused at once."""

_PART_BYTES: Final = 2**18
"""What a client must take of an answer within ``Limits.max_stall_s``."""

_LAST_WORD_S: Final = 2.0
"""How long clients have, when the server stops, to take the news."""

_TICK_S: Final = 0.1
"""How often a thread that waits for its client looks whether that has left."""


def clickhouse_http_app(
    gateway: SqlGateway, access: Access, *, allowed_hosts: Collection[str] = ()
) -> "ClickHouseHttp":
    """Make the ASGI application.

    Every request but ``/ping`` must come from somebody who may read by ``access``, and sees that one's project. Where
    ``access`` is open (bind to loopback only), the Host header must be localhost, an IP address or one of
    ``allowed_hosts``.
    """
    return ClickHouseHttp(gateway, access, allowed_hosts=allowed_hosts)


class _Client:
    """One who waits for an answer. Who left takes nothing any more; who was asked to stop still hears why."""

    def __init__(self) -> None:
        self.left = threading.Event()
        self.asked_to_stop = threading.Event()

    def leave(self) -> None:
        """Stop its query and send it nothing more."""
        self.left.set()
        self.asked_to_stop.set()


class ClickHouseHttp:
    """The application; `clickhouse_http_app` makes it. ``close()`` ends its queries and threads."""

    def __init__(self, gateway: SqlGateway, access: Access, *, allowed_hosts: Collection[str]) -> None:
        self._gateway = gateway
        self._callers = Callers(access, allowed_hosts)
        most_open = gateway.limits.max_concurrent * (1 + _WAITING_PER_SLOT)
        self._room = threading.BoundedSemaphore(most_open)
        self._under_way: set[_Client] = set()  # changed on the event loop only
        self._pool = ThreadPoolExecutor(max_workers=most_open, thread_name_prefix="agentvigil-sql")

    def close(self) -> None:
        """Take no more queries, stop those that run, and return when they have stopped. Safe to call twice."""
        self._pool.shutdown(wait=False)
        for client in tuple(self._under_way):
            client.asked_to_stop.set()
        give_up = time.monotonic() + _LAST_WORD_S
        while self._under_way and time.monotonic() < give_up:
            time.sleep(_TICK_S)
        for client in tuple(self._under_way):
            client.left.set()
        self._pool.shutdown(wait=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._serve(Request.from_scope(scope), receive, send)
        else:
            raise RuntimeError(f"{scope['type']} connections are not served here")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                await asyncio.to_thread(self.close)
                return

    async def _serve(self, request: Request, receive: Receive, send: Send) -> None:
        query_id = request.parameters.get("query_id", "")
        if not _QUERY_ID.fullmatch(query_id):
            query_id = str(uuid.uuid4())
        try:
            response = await self._without_query(request, receive)
            if not isinstance(response, Response):
                await self._query(*response, query_id, receive, send)
                return
        except ClientLeft:
            return
        except SqlError as exc:
            response = failure(exc, query_id)
        except Exception:  # noqa: BLE001 - the last frame before the socket: logged, and told in the client's dialect
            response = unforeseen(query_id)
        for message in _messages(response, request.method):
            await send(message)

    async def _without_query(self, request: Request, receive: Receive) -> Response | tuple[Request, str, str | None]:
        """Answer a request that asks for no query; of any other return what its body makes of it, its query, and the
        project that it is about, None for every one."""
        if request.path in ("/ping", "/replicas_status"):
            return _plain(200, "Ok.\n")
        project = self._callers.identify(request).project
        if request.path != "/":
            return _plain(404, f"There is no handle {request.path[:200]}; queries go to /\n")
        if request.method not in ("GET", "POST", "HEAD"):
            return _plain(405, "Use GET or POST\n", Allow="GET, HEAD, POST")
        limit = self._gateway.limits.max_query_bytes
        request, text = request.with_body(await _body(receive, limit), limit)
        return (request, text, project) if text or request.method == "POST" else _plain(200, "Ok.\n")

    async def _query(
        self, request: Request, text: str, project: str | None, query_id: str, receive: Receive, send: Send
    ) -> None:
        """Run a query in the pool and send what comes of it; a client that leaves stops it."""
        client = _Client()
        outlet = _outlet(send, request.method, client.left, self._gateway.limits.max_stall_s)
        exchange = Exchange(self._gateway, request, text, project, query_id, outlet, client.asked_to_stop)
        if not self._room.acquire(blocking=False):
            raise GatewayBusy(self._gateway.limits.max_concurrent, 0)

        def run() -> None:
            try:
                exchange.run()
            finally:
                self._room.release()

        try:
            running = asyncio.wrap_future(self._pool.submit(contextvars.copy_context().run, run))
        except RuntimeError as exc:  # the pool was closed
            self._room.release()
            raise GatewayBusy(self._gateway.limits.max_concurrent, 0) from exc
        watch = asyncio.create_task(_watch(receive, client))
        self._under_way.add(client)
        try:
            # Shielded: what was submitted must run, it gives its room back at its end.
            await asyncio.shield(running)
        finally:
            client.leave()
            watch.cancel()
            self._under_way.discard(client)


async def _watch(receive: Receive, client: _Client) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    client.leave()


async def _body(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        body += message.get("body", b"")
        if len(body) > limit:
            raise QueryRefused(QUERY_IS_TOO_LARGE, f"The query is longer than {limit} bytes; make it shorter")
        if not message.get("more_body", False):
            return bytes(body)


def _outlet(send: Send, method: str, left: threading.Event, max_stall_s: float) -> Outlet:
    """Lead what a thread hands over to the event loop that runs now."""
    loop = asyncio.get_running_loop()

    def deliver(message: Message) -> None:
        if left.is_set():
            raise ClientLeft
        sent = asyncio.run_coroutine_threadsafe(_send(send, message), loop)
        give_up = time.monotonic() + max_stall_s
        while not _is_done(sent, _TICK_S):
            if left.is_set() or time.monotonic() > give_up:
                sent.cancel()
                raise ClientLeft

    def whole(response: Response) -> None:
        for message in _messages(response, method):
            deliver(message)

    def piece(data: bytes) -> None:
        for i in range(0, len(data), _PART_BYTES):
            deliver({"type": "http.response.body", "body": data[i : i + _PART_BYTES], "more_body": True})

    return Outlet(
        whole,
        lambda headers: deliver(_start(200, headers)),
        piece,
        lambda: deliver({"type": "http.response.body", "body": b"", "more_body": False}),
    )


async def _send(send: Send, message: Message) -> None:
    await send(message)


def _is_done(sent: Future[None], timeout_s: float) -> bool:
    """Wait for a message to be sent, at most so long; raise what sending raised."""
    if not wait([sent], timeout=timeout_s).done:
        return False
    try:
        sent.result()
    except (CancelledError, OSError) as exc:  # the event loop ends, or the connection is gone
        raise ClientLeft from exc
    return True


def _messages(response: Response, method: str) -> Iterator[Message]:
    yield _start(response.status, {**response.headers, "Content-Length": str(len(response.body))})
    body = b"" if method == "HEAD" else response.body
    for i in range(0, len(body), _PART_BYTES):
        yield {"type": "http.response.body", "body": body[i : i + _PART_BYTES], "more_body": True}
    yield {"type": "http.response.body", "body": b"", "more_body": False}


def _start(status: int, headers: Mapping[str, str]) -> Message:
    return {
        "type": "http.response.start",
        "status": status,
        "headers": [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()],
    }


def _plain(status: int, text: str, **headers: str) -> Response:
    return Response(status, {"Content-Type": "text/plain; charset=UTF-8", **headers}, text.encode("utf-8", "replace"))
