"""OTLP over gRPC.

The export method is served as a stream of one message, which is the same on the wire: so a sender that has to wait
anyway is told so before its message is read into memory.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, Final, NoReturn

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status as RpcStatus

from agentvigil.receiver.errors import BadRequest, Internal, ReceiverError, Unavailable
from agentvigil.receiver.ingest import TraceIngest
from agentvigil.receiver.keys import check_key
from agentvigil.receiver.metrics import ReceiverMetrics

_LOG: Final = logging.getLogger("agentvigil.receiver")
_SERVICE: Final = "opentelemetry.proto.collector.trace.v1.TraceService"


class TraceService:
    """The gRPC service of one :class:`TraceIngest`."""

    def __init__(self, ingest: TraceIngest, key: str | None, metrics: ReceiverMetrics) -> None:
        self._ingest, self._key, self._metrics = ingest, key, metrics

    async def export(self, messages: AsyncIterator[bytes], context: "grpc.aio.ServicerContext[Any, Any]") -> bytes:
        try:
            check_key(_authorization(context), self._key)
            with self._ingest.slot():
                body = await _only(messages, self._ingest.config.read_timeout_s)
                response = await self._ingest.export(body)
        except ReceiverError as exc:
            await self._abort(context, exc)
        except Exception:  # noqa: BLE001 - the sender gets a status it can act on, we get the traceback
            _LOG.exception("an export failed for a reason nobody foresaw")
            await self._abort(context, Internal("the receiver failed, see its log; send again later"))
        self._metrics.requests.labels("traces", "grpc", "OK").inc()
        return response

    async def _abort(self, context: "grpc.aio.ServicerContext[Any, Any]", error: ReceiverError) -> NoReturn:
        self._metrics.requests.labels("traces", "grpc", error.status.grpc_code.name).inc()
        trailers: tuple[tuple[str, bytes], ...] = ()
        if error.status.retry_after_s is not None:
            trailers = (("grpc-status-details-bin", rpc_status(error).SerializeToString()),)
        await context.abort(error.status.grpc_code, str(error), trailers)
        raise AssertionError("abort returned")


def grpc_server(service: TraceService, max_request_bytes: int) -> grpc.aio.Server:
    """Return a server that offers ``service``; it listens nowhere yet."""
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", max_request_bytes),
            # Two processes on one port would each get half of the spans.
            ("grpc.so_reuseport", 0),
        ]
    )
    handler = grpc.stream_unary_rpc_method_handler(service.export)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, {"Export": handler}),))
    return server


def rpc_status(error: ReceiverError) -> RpcStatus:
    """Return ``error`` as the ``google.rpc.Status`` that both protocols send."""
    status = RpcStatus(code=error.status.grpc_code.value[0], message=str(error))
    if error.status.retry_after_s is not None:
        detail = AnyMessage()
        detail.Pack(RetryInfo(retry_delay=Duration(seconds=error.status.retry_after_s)))
        status.details.append(detail)
    return status


async def _only(messages: AsyncIterator[bytes], timeout_s: float) -> bytes:
    body: bytes | None = None
    try:
        async with asyncio.timeout(timeout_s):
            async for message in messages:
                if body is not None:
                    raise BadRequest("an export call carries one message")
                body = message
    except TimeoutError as exc:
        raise Unavailable(f"the message did not arrive within {timeout_s:.0f} s; send it again") from exc
    if body is None:
        raise BadRequest("the export call carried no message")
    return body


def _authorization(context: "grpc.aio.ServicerContext[Any, Any]") -> str | None:
    for name, value in context.invocation_metadata() or ():
        if name == "authorization":
            return value if isinstance(value, str) else value.decode("latin-1")
    return None
