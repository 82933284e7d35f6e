"""An id for every request over HTTP, which its answer, its log lines and its problem details share.

A caller that has one already sends it as ``X-Request-Id``; one that is no label is replaced, since it ends up in logs.
"""

import re
import secrets
from contextvars import ContextVar
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_WELL_FORMED: Final = re.compile(rb"[A-Za-z0-9_.:/@-]{1,64}")
_HEADER: Final = b"x-request-id"
_CURRENT: Final[ContextVar[str]] = ContextVar("agentvigil_request_id", default="")


def current_request_id() -> str:
    """Return the id of the request that is being answered, empty outside of one."""
    return _CURRENT.get()


class RequestIds:
    """Gives every request to ``app`` an id: in its context, its ``scope["state"]["request_id"]`` and its answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _id_of(scope)
        scope.setdefault("state", {})["request_id"] = request_id.decode()
        # Never reset: each request has a task of its own, in which the server still logs what the application raised.
        _CURRENT.set(request_id.decode())

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (_HEADER, request_id)]}
            await send(message)

        await self._app(scope, receive, send_with_id)


def _id_of(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == _HEADER and _WELL_FORMED.fullmatch(value):
            return bytes(value)
    return secrets.token_hex(16).encode()
