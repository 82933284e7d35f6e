"""Asks an ASGI application of this process, as a server would for a client, without a socket.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Scope

_HELD_MESSAGES: Final = 4


class Interrupted(Exception):
    """The application ended before its answer did."""


class InProcess:
    """``app``, asked one thing at a time. Work of an answer goes on only while that is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._runner = asyncio.Runner()

    def open(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Iterator[bytes]]:
        """Return the status of the answer and the pieces of its body; ``path`` and ``query`` as in a URL.

        Raises:
            Interrupted: if there is no answer; reading the pieces, if it broke off.
        """
        messages: asyncio.Queue[Message | None] = asyncio.Queue(_HELD_MESSAGES)
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 0),
            "server": ("localhost", 80),
        }
        answering = self._runner.run(self._begin(scope, body, messages))
        start = self._next(messages)
        return start["status"], self._pieces(messages, answering)

    def close(self) -> None:
        """End what still runs; safe to call twice."""
        self._runner.close()

    def _pieces(self, messages: "asyncio.Queue[Message | None]", answering: "asyncio.Task[None]") -> Iterator[bytes]:
        try:
            while True:
                message = self._next(messages)
                yield message.get("body", b"")
                if not message.get("more_body", False):
                    self._runner.run(_end_of(answering))
                    return
        finally:
            answering.cancel()

    def _next(self, messages: "asyncio.Queue[Message | None]") -> Message:
        message = self._runner.run(messages.get())
        if message is None:
            raise Interrupted
        return message

    async def _begin(
        self, scope: Scope, body: bytes, messages: "asyncio.Queue[Message | None]"
    ) -> "asyncio.Task[None]":
        requests: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            if requests:
                return requests.pop()
            return await asyncio.Future()  # we never hang up

        async def answer() -> None:
            # What the application raises it has logged, and has answered if it could.
            with contextlib.suppress(Exception):
                await self._app(scope, receive, messages.put)
            await messages.put(None)

        return asyncio.create_task(answer())


async def _end_of(task: "asyncio.Task[None]") -> None:
    await task
