"""ETags on what is likely to be asked again and again: who has the newest answer gets none.

https://www.rfc-editor.org/rfc/rfc9110#name-etag
"""

import hashlib
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_BYTES: Final = 2**20


class EntityTags:
    """Puts an ETag on answers to GET that are JSON and come in one piece; answers 304 to who knows it already."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        start: Message | None = None

        async def tag(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_taggable(message):
                start = message
                return
            if start is not None:
                held, start = start, None
                body = message.get("body", b"")
                if not message.get("more_body", False) and len(body) <= _MOST_BYTES:
                    headers = MutableHeaders(raw=held["headers"])
                    headers["ETag"] = entity_tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
                    headers["Cache-Control"] = "private, no-cache"
                    headers.add_vary_header("Authorization")
                    if entity_tag in (one.strip().removeprefix("W/") for one in known.split(",")):
                        held, message = {**held, "status": 304}, {**message, "body": b""}
                        del headers["Content-Length"], headers["Content-Type"]
                await send(held)
            await send(message)

        await self._app(scope, receive, tag)


def _is_taggable(message: Message) -> bool:
    content_type = Headers(raw=message["headers"]).get("content-type", "")
    return message["status"] == 200 and content_type.startswith("application/json")
