"""Reading along where the caller reads a response as bytes, text or lines, and parses it himself or not at all.

All of these come down to ``iter_bytes`` and ``aiter_bytes`` of httpx's response, whose pieces are decompressed already.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

from agentvigil.instrumentations.stainless.calls import Call, Reader, Route, StreamedRoute
from agentvigil.instrumentations.telemetry import Inference
from agentvigil.instrumentations.telemetry.streams import Reading

_MOST_BYTES: Final = 16_000_000
"""Of an answer, or of one event of a stream. What is larger is passed on and not looked at."""
_DATA: Final = b"data:"


def read_along(
    response: Any, route: Route, operation: Inference, call: Call
) -> tuple[Reading[bytes], Callable[[], None]]:
    """Have what is read of ``response`` tell ``operation`` what it says. Returns how it is read, and what ends that.

    The methods of this one instance are replaced.
    """
    body: _Whole | _Events = _Whole(route, operation)
    if call.streams and isinstance(route, StreamedRoute):
        body = _Events(route.reader(operation, call))
    reading: Reading[bytes] = Reading(operation, body.take, body.end, are_chunks=isinstance(body, _Events))
    iter_bytes, aiter_bytes = response.iter_bytes, response.aiter_bytes

    def iterate(*args: Any, **kwargs: Any) -> Iterator[bytes]:
        pieces = iter_bytes(*args, **kwargs)
        while True:
            try:
                with reading.next_item():
                    piece = next(pieces)
            except StopIteration:
                return
            reading.passes(piece)
            yield piece

    async def aiterate(*args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
        pieces = aiter_bytes(*args, **kwargs)
        while True:
            try:
                with reading.next_item():
                    piece = await anext(pieces)
            except StopAsyncIteration:
                return
            reading.passes(piece)
            yield piece

    def stop() -> None:
        response.iter_bytes, response.aiter_bytes = iter_bytes, aiter_bytes

    response.iter_bytes, response.aiter_bytes = iterate, aiterate
    return reading, stop


class _Whole:
    """An answer that is one JSON document."""

    def __init__(self, route: Route, operation: Inference) -> None:
        self._route = route
        self._operation = operation
        self._body = bytearray()

    def take(self, piece: bytes) -> None:
        if len(self._body) < _MOST_BYTES:
            self._body += piece

    def end(self) -> None:
        try:
            answer = json.loads(self._body)
        except ValueError:
            return  # it was not read to its end
        self._route.answered(self._operation, answer)


class _Events:
    """An answer that is a stream of server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html"""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._rest = bytearray()

    def take(self, piece: bytes) -> None:
        self._rest += piece
        while (end := self._rest.find(b"\n")) >= 0:
            self._line(bytes(self._rest[:end]))
            del self._rest[: end + 1]
        if len(self._rest) > _MOST_BYTES:
            self._rest.clear()

    def end(self) -> None:
        self._reader.end()

    def _line(self, line: bytes) -> None:
        if not line.startswith(_DATA):
            return
        try:
            event = json.loads(line[len(_DATA) :])
        except ValueError:
            return  # such as OpenAI's last one, [DONE]
        self._reader.item(event)
