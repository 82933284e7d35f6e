"""OTLP over HTTP, protobuf bodies, as an ASGI application: https://opentelemetry.io/docs/specs/otlp/#otlphttp."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from agentvigil.receiver.errors import (
    BadRequest,
    Internal,
    MethodNotAllowed,
    NotFound,
    ReceiverError,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from agentvigil.receiver.grpc_server import rpc_status
from agentvigil.receiver.inflate import gunzip
from agentvigil.receiver.ingest import TraceIngest
from agentvigil.receiver.keys import check_key
from agentvigil.receiver.metrics import ReceiverMetrics

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_LOG: Final = logging.getLogger("agentvigil.receiver")
_PROTOBUF: Final = "application/x-protobuf"


class _Disconnected(Exception):
    """The sender hung up before its body was complete; nobody is left to answer."""


class TraceHttpApp:
    """The ASGI application of one :class:`TraceIngest`."""

    def __init__(self, ingest: TraceIngest, key: str | None, metrics: ReceiverMetrics) -> None:
        self._ingest, self._key, self._metrics = ingest, key, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            response = await self._export(scope, headers, receive)
        except _Disconnected:
            return
        except ReceiverError as exc:
            await self._refuse(send, exc)
        except Exception:  # noqa: BLE001 - the sender gets a status it can act on, we get the traceback
            _LOG.exception("an export failed for a reason nobody foresaw")
            await self._refuse(send, Internal("the receiver failed, see its log; send again later"))
        else:
            self._metrics.requests.labels("traces", "http", "OK").inc()
            await _answer(send, 200, response)

    async def _export(self, scope: Scope, headers: dict[str, str], receive: Receive) -> bytes:
        if scope["path"] != "/v1/traces":
            raise NotFound(f"nothing is at {scope['path'][:100]}; this release takes traces, at /v1/traces")
        if scope["method"] != "POST":
            raise MethodNotAllowed(f"OTLP is sent with POST, not {scope['method'][:20]}")
        check_key(headers.get("authorization"), self._key)
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != _PROTOBUF:
            raise UnsupportedMediaType(
                f"content type {content_type[:100] or 'missing'} is not read; send {_PROTOBUF} "
                "(OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf)"
            )
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip"):
            raise UnsupportedMediaType(f"content encoding {encoding[:100]} is not read; send gzip or none")
        with self._ingest.slot():
            timeout_s = self._ingest.config.read_timeout_s
            try:
                async with asyncio.timeout(timeout_s):
                    body = await self._read(headers, receive)
            except TimeoutError as exc:
                raise Unavailable(f"the body did not arrive within {timeout_s:.0f} s; send it again") from exc
            if encoding == "gzip":
                body = await asyncio.to_thread(gunzip, body, self._ingest.config.max_request_bytes)
            return await self._ingest.export(body)

    async def _read(self, headers: dict[str, str], receive: Receive) -> bytes:
        limit = self._ingest.config.max_request_bytes
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

    async def _refuse(self, send: Send, error: ReceiverError) -> None:
        self._metrics.requests.labels("traces", "http", error.status.grpc_code.name).inc()
        extra = []
        if error.status.retry_after_s is not None:
            extra.append((b"retry-after", str(error.status.retry_after_s).encode()))
        if error.status.http_status == 401:
            extra.append((b"www-authenticate", b"Bearer"))
        if error.status.http_status == 405:
            extra.append((b"allow", b"POST"))
        await _answer(send, error.status.http_status, rpc_status(error).SerializeToString(), extra)


async def _answer(send: Send, status: int, body: bytes, extra_headers: list[tuple[bytes, bytes]] | None = None) -> None:
    headers = [
        (b"content-type", _PROTOBUF.encode()),
        (b"content-length", str(len(body)).encode()),
        *(extra_headers or []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
