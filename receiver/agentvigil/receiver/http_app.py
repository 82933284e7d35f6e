"""OTLP over HTTP, bodies in protobuf or JSON, as an ASGI application: https://opentelemetry.io/docs/specs/otlp/#otlphttp."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final

from google.protobuf.message import Message

from agentvigil.receiver.errors import (
    BadRequest,
    Busy,
    Internal,
    MethodNotAllowed,
    NotFound,
    ReceiverError,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from agentvigil.receiver.grpc_server import rpc_status
from agentvigil.receiver.inflate import ENCODINGS, inflate
from agentvigil.receiver.ingest import Ingest
from agentvigil.receiver.keys import project_of_sender
from agentvigil.receiver.otlp_json import json_of, protobuf_of
from agentvigil.storage.access import Access

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_LOG: Final = logging.getLogger("agentvigil.receiver")
_PROTOBUF: Final = "application/x-protobuf"
_JSON: Final = "application/json"
_CONTENT_TYPES: Final = {_PROTOBUF: _PROTOBUF, "application/protobuf": _PROTOBUF, _JSON: _JSON}
"""What a sender may call its body, and what we call the answer."""

_DECODE_HERE_BYTES: Final = 2**16
_DECODERS: Final = 1
"""Large bodies in JSON read at a time: one takes up to forty times its size in memory meanwhile."""

_MOST_WAITING_BYTES: Final = 64 * 2**20
"""Of large bodies in JSON that are read or wait to be."""


class _Disconnected(Exception):
    """The sender hung up before its body was complete; nobody is left to answer."""


class OtlpHttpApp:
    """The ASGI application of several :class:`Ingest`, each at its signal's path."""

    def __init__(self, ingests: Sequence[Ingest], access: Access) -> None:
        self._ingests = {ingest.otlp.http_path: ingest for ingest in ingests}
        self._access = access
        self._decoders = asyncio.Semaphore(_DECODERS)
        self._waiting_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        answer = _Answer(send, _CONTENT_TYPES.get(content_type, _PROTOBUF))
        ingest = self._ingests.get(scope["path"])
        if ingest is None:
            paths = ", ".join(self._ingests)
            await answer.refuse(NotFound(f"nothing is at {scope['path'][:100]}; OTLP is taken at {paths}"))
            return
        try:
            response = await self._export(ingest, scope["method"], headers, content_type, receive)
        except _Disconnected:
            return
        except ReceiverError as exc:
            ingest.metrics.refused("http", exc)
            await answer.refuse(exc)
        except Exception:  # noqa: BLE001 - the sender gets a status it can act on, we get the traceback
            _LOG.exception("an export failed for a reason nobody foresaw")
            error = Internal("the receiver failed, see its log; send again later")
            ingest.metrics.refused("http", error)
            await answer.refuse(error)
        else:
            ingest.metrics.accepted("http")
            await answer.accept(response)

    async def _export(
        self, ingest: Ingest, method: str, headers: dict[str, str], content_type: str, receive: Receive
    ) -> Message:
        if method != "POST":
            raise MethodNotAllowed(f"OTLP is sent with POST, not {method[:20]}")
        project = project_of_sender(self._access, headers.get("authorization"))
        if content_type not in _CONTENT_TYPES:
            raise UnsupportedMediaType(
                f"content type {content_type[:100] or 'missing'} is not read; send {_PROTOBUF} "
                f"(OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf) or {_JSON}"
            )
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity", *ENCODINGS):
            raise UnsupportedMediaType(
                f"content encoding {encoding[:100]} is not read; send {', '.join(ENCODINGS)} or none"
            )
        config = ingest.config
        with ingest.slot():
            try:
                async with asyncio.timeout(config.read_timeout_s):
                    body = await _read(headers, receive, config.max_request_bytes)
            except TimeoutError as exc:
                raise Unavailable(
                    f"the body did not arrive within {config.read_timeout_s:.0f} s; send it again"
                ) from exc
            if encoding in ENCODINGS:
                body = await asyncio.to_thread(inflate, body, encoding, config.max_request_bytes)
            if _CONTENT_TYPES[content_type] == _JSON:
                body = await self._decode(body, ingest.otlp.request)
            return await ingest.export(body, project)

    async def _decode(self, body: bytes, message: type[Message]) -> bytes:
        """Turn a body in JSON to protobuf, large ones off the event loop and few at a time."""
        if len(body) < _DECODE_HERE_BYTES:
            return protobuf_of(body, message)
        if self._waiting_bytes and self._waiting_bytes + len(body) > _MOST_WAITING_BYTES:
            raise Busy(f"{self._waiting_bytes} bytes of JSON wait to be read; send again a little later")
        self._waiting_bytes += len(body)
        try:
            async with self._decoders:
                return await asyncio.to_thread(protobuf_of, body, message)
        finally:
            self._waiting_bytes -= len(body)


class _Answer:
    """The answer to one request, in the encoding that the request came in."""

    def __init__(self, send: Send, content_type: str) -> None:
        self._send, self._content_type = send, content_type

    async def accept(self, response: Message) -> None:
        await self._respond(200, response, [])

    async def refuse(self, error: ReceiverError) -> None:
        extra = []
        if error.status.retry_after_s is not None:
            extra.append((b"retry-after", str(error.status.retry_after_s).encode()))
        if error.status.http_status == 401:
            extra.append((b"www-authenticate", b"Bearer"))
        if error.status.http_status == 405:
            extra.append((b"allow", b"POST"))
        await self._respond(error.status.http_status, rpc_status(error), extra)

    async def _respond(self, status: int, message: Message, extra_headers: list[tuple[bytes, bytes]]) -> None:
        body = json_of(message) if self._content_type == _JSON else message.SerializeToString()
        headers = [
            (b"content-type", self._content_type.encode()),
            (b"content-length", str(len(body)).encode()),
            *extra_headers,
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


async def _read(headers: dict[str, str], receive: Receive, limit: int) -> bytes:
    try:
        announced = int(headers.get("content-length", "0"))
    except ValueError as exc:
        raise BadRequest("the Content-Length is no number") from exc
    if announced > limit:
        raise TooLarge(f"the body has {announced} bytes, at most {limit} are taken; send smaller batches")
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLarge(f"the body is over {limit} bytes; send smaller batches")
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
