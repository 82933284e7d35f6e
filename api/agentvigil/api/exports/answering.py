"""An export on its way to a client: never a part that looks like the whole, and no query for who has left."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from agentvigil.api.exports.reading import Exports
from agentvigil.storage.errors import QueryFailed
from agentvigil.storage.streams import RowStream

_LOG: Final = logging.getLogger("agentvigil.api")


class ExportBroken(Exception):
    """An export failed after a part of it was sent; the connection is broken off, which the client sees."""


class ExportResponse(Response):
    """Sends what ``begin`` opens as the file ``file_name``, while it is made, in one of the places of ``exports``."""

    def __init__(self, exports: Exports, begin: Callable[[], RowStream], file_name: str, media_type: str) -> None:
        super().__init__(media_type=media_type)
        self._exports, self._begin, self._file_name = exports, begin, file_name
        self.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
        self.headers["Cache-Control"] = "private, no-store"
        self.headers["X-Content-Type-Options"] = "nosniff"
        del self.headers["Content-Length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the base's
        with self._exports.slot():
            stream = await asyncio.to_thread(self._begin)
            left = asyncio.create_task(_stop_when_left(receive, stream))
            try:
                await self._send(stream, send, left)
            finally:
                left.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.shield(asyncio.to_thread(stream.close))

    async def _send(self, stream: RowStream, send: Send, left: "asyncio.Task[bool]") -> None:
        sent_bytes = 0
        try:
            # What fails before anything is there can still be told as a problem.
            piece = await _read(stream)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while piece:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                sent_bytes += len(piece)
                piece = await _read(stream)
        except QueryFailed as exc:
            if left.done():
                _LOG.info("the client of %s left after %d bytes; the query was stopped", self._file_name, sent_bytes)
                return
            if not sent_bytes:
                raise
            _LOG.error("%s breaks off after %d bytes: %s", self._file_name, sent_bytes, exc)
            raise ExportBroken(f"{self._file_name} breaks off after {sent_bytes} bytes") from exc
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _read(stream: RowStream) -> bytes:
    reading = asyncio.ensure_future(asyncio.to_thread(stream.read))
    try:
        return await asyncio.shield(reading)
    except asyncio.CancelledError:
        await asyncio.to_thread(stream.stop)
        with contextlib.suppress(QueryFailed):
            await reading
        raise


async def _stop_when_left(receive: Receive, stream: RowStream) -> bool:
    while (await receive())["type"] != "http.disconnect":
        pass
    await asyncio.to_thread(stream.stop)
    return True
