"""OTLP over gRPC, with the standard health service beside it.

The export methods are served as streams of one message, which is the same on the wire: so a sender that has to wait
anyway is told so before its message is read into memory.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status as RpcStatus
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from agentvigil.receiver.errors import BadRequest, Internal, ReceiverError, Unavailable
from agentvigil.receiver.ingest import Ingest
from agentvigil.receiver.keys import project_of_sender
from agentvigil.storage.access import Access

_LOG: Final = logging.getLogger("agentvigil.receiver")


@dataclass(frozen=True, slots=True)
class GrpcConfig:
    """How connections are kept; times in seconds.

    A connection is closed, politely, ``max_connection_age_s`` after it was opened, so that senders behind a load
    balancer spread out again; 0 lets it live. ``reflection`` lets tools such as grpcurl ask what is served here.
    """

    max_request_bytes: int
    max_connection_age_s: int = 3600
    reflection: bool = False


class GrpcReceiver:
    """A gRPC server with an export service for each of ``ingests`` and ``grpc.health.v1``; it listens nowhere yet."""

    def __init__(self, ingests: Sequence[Ingest], access: Access, config: GrpcConfig) -> None:
        self.server = grpc.aio.server(options=_options(config))
        for ingest in ingests:
            service = ingest.otlp.grpc_service
            handler = grpc.stream_unary_rpc_method_handler(
                _Export(ingest, access).export,
                response_serializer=ingest.otlp.response.SerializeToString,
            )
            self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": handler}),))
        self._services = ("", *(ingest.otlp.grpc_service for ingest in ingests))
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined] # grpc_health adds it while it loads
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.server)
        if config.reflection:
            names = (*self._services[1:], health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self.server)

    async def set_healthy(self, healthy: bool) -> None:
        """Say to whoever asks ``grpc.health.v1`` whether telemetry is being stored."""
        status = health_pb2.HealthCheckResponse.SERVING if healthy else health_pb2.HealthCheckResponse.NOT_SERVING
        for service in self._services:
            await self._health.set(service, status)

    async def stop(self, grace_s: float) -> None:
        """Say that we are going, take nothing more, and give what is under way ``grace_s`` seconds."""
        await self._health.enter_graceful_shutdown()
        await self.server.stop(grace_s)


class _Export:
    """The Export method of one signal."""

    def __init__(self, ingest: Ingest, access: Access) -> None:
        self._ingest, self._access = ingest, access

    async def export(self, messages: AsyncIterator[bytes], context: "grpc.aio.ServicerContext[Any, Any]") -> Any:
        try:
            project = project_of_sender(self._access, _authorization(context))
            with self._ingest.slot():
                body = await _only(messages, self._ingest.config.read_timeout_s)
                response = await self._ingest.export(body, project)
        except ReceiverError as exc:
            await self._abort(context, exc)
        except Exception:  # noqa: BLE001 - the sender gets a status it can act on, we get the traceback
            _LOG.exception("an export failed for a reason nobody foresaw")
            await self._abort(context, Internal("the receiver failed, see its log; send again later"))
        self._ingest.metrics.accepted("grpc")
        return response

    async def _abort(self, context: "grpc.aio.ServicerContext[Any, Any]", error: ReceiverError) -> NoReturn:
        self._ingest.metrics.refused("grpc", error)
        trailers: tuple[tuple[str, bytes], ...] = ()
        if error.status.retry_after_s is not None:
            trailers = (("grpc-status-details-bin", rpc_status(error).SerializeToString()),)
        await context.abort(error.status.grpc_code, str(error), trailers)
        raise AssertionError("abort returned")


def _options(config: GrpcConfig) -> list[tuple[str, int]]:
    options = [
        ("grpc.max_receive_message_length", config.max_request_bytes),
        # Two processes on one port would each get half of the spans.
        ("grpc.so_reuseport", 0),
        # Senders that are gone without a word are noticed, and those that ask whether we are there are not sent away:
        # many exporters ping every 10 seconds and more, gRPC's own servers bear one ping in 5 minutes.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
        ("grpc.max_connection_idle_ms", 900_000),
    ]
    if config.max_connection_age_s:
        options += [
            ("grpc.max_connection_age_ms", config.max_connection_age_s * 1_000),
            ("grpc.max_connection_age_grace_ms", 60_000),
        ]
    return options


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
