"""A stand-in for a ClickHouse server: its HTTP interface, writable, over an embedded engine.

It understands what clickhouse-connect sends and nothing more: a statement in the body, behind its first line the data
of an insert, settings and parameters in the URL. It keeps every request, so that tests can look at the bytes.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from chdb.state.sqlitelike import Connection

from agentvigil.storage.memory_file import readable_path

_TRANSPORT = frozenset(
    {
        "database",
        "client_protocol_version",
        "session_id",
        "query_id",
        "wait_end_of_query",
        "buffer_size",
        "compress",
        "decompress",
        "enable_http_compression",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
        "cancel_http_readonly_queries_on_client_close",
        "default_format",
        "async_insert",
    }
)


@dataclass
class ClickHouseStandIn:
    """Listens on ``port`` until :meth:`stop`; keeps the schema of an insert in ``schema_file``."""

    open_handle: Callable[[], Connection]
    schema_file: Path
    port: int = 0
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def start(self) -> None:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"  # a connection per request, so that a stopped server has none

            def do_POST(self) -> None:
                body = self._body()
                parameters = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
                stand_in.requests.append((parameters, body))
                try:
                    answer = stand_in._run(parameters, body)
                except Exception as exc:  # noqa: BLE001 - the engine's text is the answer
                    text = str(exc)
                    self._answer(
                        500,
                        text.encode(),
                        {"X-ClickHouse-Exception-Code": text.partition("Code: ")[2].partition(".")[0]},
                    )
                else:
                    self._answer(200, answer, {"X-ClickHouse-Timezone": "UTC"})

            def do_GET(self) -> None:
                self._answer(200, b"Ok.\n", {})

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)

            def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        ThreadingHTTPServer.allow_reuse_address = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _run(self, parameters: dict[str, str], body: bytes) -> bytes:
        handle = self.open_handle()
        try:
            if database := parameters.get("database"):
                handle.query(f"USE `{database}`")
            settings = {
                name: value
                for name, value in parameters.items()
                if name not in _TRANSPORT and not name.startswith("param_")
            }
            if settings.pop("format_schema_source", None) == "string":
                # An embedded engine would keep a copy of the schema in the directory that the tests were started in.
                self.schema_file.write_text(settings["format_schema"], encoding="utf-8")
                settings["format_schema"] = f"{self.schema_file}:{settings.pop('format_schema_message_name')}"
            for name, value in settings.items():
                quoted = value.replace("\\", "\\\\").replace("'", "\\'")
                handle.query(f"SET {name} = '{quoted}'")
            statement, newline, data = body.partition(b"\n")
            if newline and statement.startswith(b"INSERT INTO") and b" FORMAT " in statement:
                return self._insert(handle, statement.decode(), data)
            bound = {
                name.removeprefix("param_"): value for name, value in parameters.items() if name.startswith("param_")
            }
            return bytes(handle.query(body.decode(), "TabSeparated", params=bound).bytes())
        finally:
            handle.close()

    def _insert(self, handle: Connection, statement: str, data: bytes) -> bytes:
        head, _, tail = statement.rpartition(" FORMAT ")
        with readable_path([data]) as path:
            handle.query(f"{head} FROM INFILE '{path}' FORMAT {tail}")
        return b""
