"""Ways to export a request: OTLP over gRPC or HTTP, protobuf or JSON, compressed or not.

RESOURCE_EXHAUSTED and UNAVAILABLE (HTTP 429, 502, 503 and 504) mean that the same bytes may be sent again, as
https://opentelemetry.io/docs/specs/otlp/#failures has it; every other failure is for good.
"""

import http.client
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import grpc
from backports import zstd
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from patching import Encoding

ATTEMPT_TIMEOUT_S: Final = 60.0
FASTEST: Final = 1
"""Level of zlib and zstd: the sender shares the machine with the server, and what it compresses is charged to it."""

_GZIP_WINDOW: Final = 31  # zlib's number for "gzip, largest window"
_CONTENT_TYPES: Final[dict[Encoding, str]] = {"protobuf": "application/x-protobuf", "json": "application/json"}
_GRPC_COMPRESSIONS: Final = {
    "none": None,
    "gzip": grpc.Compression.Gzip,
    "deflate": grpc.Compression.Deflate,
}


@dataclass(frozen=True, slots=True)
class Wire:
    """What OTLP says of a signal. ``rejected`` is the field of a partial success, in protobuf's spelling and JSON's."""

    grpc_method: str
    http_path: str
    response: type[Message]
    rejected: tuple[str, str]


WIRES: Final = {
    "traces": Wire(
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        "/v1/traces",
        ExportTraceServiceResponse,
        ("rejected_spans", "rejectedSpans"),
    ),
    "logs": Wire(
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        "/v1/logs",
        ExportLogsServiceResponse,
        ("rejected_log_records", "rejectedLogRecords"),
    ),
    "metrics": Wire(
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        "/v1/metrics",
        ExportMetricsServiceResponse,
        ("rejected_data_points", "rejectedDataPoints"),
    ),
}


class RefusedError(Exception):
    """The server took nothing and asks for the same bytes again later."""

    def __init__(self, reason: str, wait_s: float | None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class FailedError(Exception):
    """The request failed for good."""


class Transport(Protocol):
    """One way to export a request. Used by one thread."""

    def compress(self, body: bytes) -> bytes:
        """What is to be sent for ``body``: done once, however often it is sent."""

    def export(self, body: bytes) -> bytes:
        """Send what :meth:`compress` made and give back the serialised response.

        Raises:
            RefusedError: if the request may be sent again.
            FailedError: if it may not.
        """


class GrpcTransport:
    """OTLP over gRPC. The channel is shared between threads; gRPC compresses, at a level of its own (zlib's 6)."""

    def __init__(self, channel: grpc.Channel, wire: Wire, compression: str) -> None:
        self._export = channel.unary_unary(wire.grpc_method, request_serializer=None, response_deserializer=None)
        self._compression = _GRPC_COMPRESSIONS[compression]

    def compress(self, body: bytes) -> bytes:
        return body

    def export(self, body: bytes) -> bytes:
        try:
            answer: bytes = self._export(body, timeout=ATTEMPT_TIMEOUT_S, compression=self._compression)
        except grpc.RpcError as error:
            reason = f"{error.code().name}: {error.details()}"
            if error.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE):
                raise RefusedError(reason, _retry_delay_s(error)) from error
            raise FailedError(reason) from error
        return answer


def _retry_delay_s(error: grpc.RpcError) -> float | None:
    """The wait a server asks for in a ``google.rpc.RetryInfo`` detail."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                retry_info = error_details_pb2.RetryInfo()
                if detail.Unpack(retry_info):
                    delay = retry_info.retry_delay
                    return float(delay.seconds + delay.nanos / 1e9)
    return None


class HttpTransport:
    """OTLP over HTTP/1.1, one kept-alive connection per thread."""

    def __init__(self, host: str, wire: Wire, encoding: Encoding, compression: str) -> None:
        self._connection = http.client.HTTPConnection(host, timeout=ATTEMPT_TIMEOUT_S)
        self._path = wire.http_path
        self._headers = {"Content-Type": _CONTENT_TYPES[encoding]}
        self.compress = COMPRESSIONS[compression]
        if compression != "none":
            self._headers["Content-Encoding"] = compression

    def export(self, body: bytes) -> bytes:
        try:
            self._connection.request("POST", self._path, body, self._headers)
            response = self._connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise RefusedError(repr(error), None) from error
        if response.status == 200:
            return answer
        reason = f"HTTP {response.status}: {answer[:200]!r}"
        if response.status in (429, 502, 503, 504):
            retry_after = response.headers.get("Retry-After", "")
            raise RefusedError(reason, float(retry_after) if retry_after.isdigit() else None)
        raise FailedError(reason)


def _gzip(body: bytes) -> bytes:
    compressor = zlib.compressobj(FASTEST, wbits=_GZIP_WINDOW)
    return compressor.compress(body) + compressor.flush()


COMPRESSIONS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "none": lambda body: body,
    "gzip": _gzip,
    "deflate": lambda body: zlib.compress(body, FASTEST),
    "zstd": lambda body: zstd.compress(body, FASTEST),
}
"""By the name that OTLP over HTTP has for them. All of them leave Python's lock to other threads."""


def rejected_reader(wire: Wire, encoding: Encoding) -> Callable[[bytes], int]:
    """What tells from an answer how many items the server did not take."""

    def of_protobuf(answer: bytes) -> int:
        response: Any = wire.response.FromString(answer)
        return int(getattr(response.partial_success, wire.rejected[0]))

    def of_json(answer: bytes) -> int:
        return int(json.loads(answer).get("partialSuccess", {}).get(wire.rejected[1], 0))

    read = of_json if encoding == "json" else of_protobuf
    return lambda answer: read(answer) if answer else 0
