"""Where the drivers' exporters send to: an OTLP/HTTP endpoint that keeps what it gets."""

import gzip
from typing import ClassVar, Final

from google.protobuf import json_format
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentvigil.testing.local_server import Handler, LocalServer

_REQUESTS: Final[dict[str, type[Message]]] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}
"""End of the path → what is sent there. SDKs put their own path before it."""


class Capture(LocalServer):
    """Listens on 127.0.0.1 while it is entered. Metrics, and whatever else is sent, are acknowledged and dropped."""

    def __init__(self) -> None:
        self.traces: list[Message] = []
        self.logs: list[Message] = []
        super().__init__(type("_CaptureHandler", (_Handler,), {"capture": self}))

    def take(self, path: str, content_type: str, body: bytes) -> None:
        """Keep one request."""
        for ending, kind in _REQUESTS.items():
            if path.endswith(ending):
                request = kind()
                if "json" in content_type:
                    json_format.Parse(body, request)
                else:
                    request.ParseFromString(body)
                (self.traces if kind is ExportTraceServiceRequest else self.logs).append(request)


class _Handler(Handler):
    """One connection. Subclassed with the capture it belongs to."""

    capture: ClassVar[Capture]

    def do_GET(self) -> None:
        self._acknowledge()

    def do_POST(self) -> None:
        body = self.content()
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.capture.take(self.path.partition("?")[0], self.headers.get("Content-Type", ""), body)
        self._acknowledge()

    def _acknowledge(self) -> None:
        """An empty protobuf message is the answer of a collector that took everything."""
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()
