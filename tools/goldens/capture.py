"""Where the drivers' exporters send to: an OTLP/HTTP endpoint that keeps what it gets."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import ClassVar, Final, Self, TypeAlias

from google.protobuf import json_format
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

ExportRequest: TypeAlias = Message

_REQUESTS: Final[dict[str, type[Message]]] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}
"""End of the path → what is sent there. SDKs put their own path before it."""

_POLL_SECONDS: Final = 0.05
"""How often the server looks whether it shall end."""


class Capture:
    """Listens on 127.0.0.1 while it is entered. Metrics, and whatever else is sent, are acknowledged and dropped."""

    def __init__(self) -> None:
        self.traces: list[ExportRequest] = []
        self.logs: list[ExportRequest] = []
        handler = type("Handler", (_Handler,), {"capture": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Base URL, without the signal's path."""
        return f"http://127.0.0.1:{self.port}"

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

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    """One connection. Subclassed with the capture it belongs to."""

    capture: ClassVar[Capture]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._acknowledge()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.capture.take(self.path.partition("?")[0], self.headers.get("Content-Type", ""), body)
        self._acknowledge()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: what came is kept."""

    def _acknowledge(self) -> None:
        """An empty protobuf message is the answer of a collector that took everything."""
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()
