"""A stand-in for a ClickHouse server: its HTTP interface, writable, over an embedded engine.

It understands what clickhouse-connect, clickhouse-go and Rotel send and nothing more: a statement in the body, behind
its first line the data of an insert, or the statement in the URL and the data in the body, compressed or not; settings
and parameters in the URL. Answers are not compressed. It keeps every request, so that tests can look at the bytes.

Run as a program, it is ``agentvigil up`` with this in the place of its own interface for SQL, which does not write. It
is not part of what is shipped, and listens on loopback only.
"""

import base64
import re
import struct
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import lz4.block
import lz4.frame
from chdb.state.sqlitelike import Connection

from agentvigil.storage.sql.forms import form_fields, is_form

_TRANSPORT = frozenset(
    {
        "database",
        "query",
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
_STATUS = {"60": 404, "81": 404}
"""As a server answers: these are UNKNOWN_TABLE and UNKNOWN_DATABASE; for most other errors it is 500."""

_REFUSED = (
    b"Code: 516. DB::Exception: Authentication failed: password is incorrect, or there is no user with such name. "
    b"(AUTHENTICATION_FAILED)"
)

_BLOCK_HEAD = struct.Struct("<16sBII")
"""Checksum, method, size with this head but for the checksum, size before compression."""
_LZ4, _UNCOMPRESSED = 0x82, 0x02


@dataclass
class ClickHouseStandIn:
    """Listens on ``port`` until :meth:`stop`; keeps the schema of an insert in ``schema_file``."""

    open_handle: Callable[[], Connection]
    schema_file: Path
    port: int = 0
    passwords: dict[str, str] | None = None
    """Of the users that are let in, and of no others; None is anybody."""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    """Who sent each of the requests."""
    _writing_schema: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"  # a connection per request, so that a stopped server has none

            def do_POST(self) -> None:
                body = self._body()
                parameters = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
                content_type = self.headers.get("Content-Type", "")
                if is_form(content_type):
                    fields = form_fields(content_type, body)
                    body = fields.pop("query")
                    parameters |= {name: value.decode() for name, value in fields.items()}
                user = self._user()
                if user is None:
                    self._answer(403, _REFUSED, {"X-ClickHouse-Exception-Code": "516"})
                    return
                stand_in.requests.append((parameters, body))
                stand_in.users.append(user)
                try:
                    answer = stand_in._run(parameters, body)
                except Exception as exc:  # noqa: BLE001 - the engine's text is the answer
                    text = str(exc)
                    code = text.partition("Code: ")[2].partition(".")[0]
                    self._answer(_STATUS.get(code, 500), text.encode(), {"X-ClickHouse-Exception-Code": code})
                else:
                    self._answer(200, answer, {"X-ClickHouse-Timezone": "UTC"})

            def do_GET(self) -> None:
                self._answer(200, b"Ok.\n", {})

            def _user(self) -> str | None:
                """Who asks, None if that user is not let in."""
                scheme, _, shown = self.headers.get("Authorization", "").partition(" ")
                is_basic = scheme.lower() == "basic"
                user, _, password = base64.b64decode(shown if is_basic else "").decode().partition(":")
                is_known = stand_in.passwords is None or stand_in.passwords.get(user) == password
                return user if is_known else None

            def _body(self) -> bytes:
                body = self._sent()
                return lz4.frame.decompress(body) if self.headers.get("Content-Encoding") == "lz4" else body

            def _sent(self) -> bytes:
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
                # The engine reads it at any time, and remembers for good if it could not.
                with self._writing_schema:
                    if not self.schema_file.exists():
                        new = self.schema_file.with_suffix(".new")
                        new.write_text(settings["format_schema"], encoding="utf-8")
                        new.replace(self.schema_file)
                assert self.schema_file.read_text(encoding="utf-8") == settings["format_schema"]
                settings["format_schema"] = f"{self.schema_file}:{settings.pop('format_schema_message_name')}"
            for name, value in settings.items():
                quoted = value.replace("\\", "\\\\").replace("'", "\\'")
                handle.query(f"SET {name} = '{quoted}'")
            if parameters.get("decompress") == "1":
                body = decompressed(body)
            if query := parameters.get("query"):
                statement, data = query, body
            else:
                first, _, data = body.partition(b"\n")
                has_data = first.startswith(b"INSERT INTO") and b" FORMAT " in first
                statement = first.decode() if has_data else body.decode()
            if "client_protocol_version" in parameters and statement.startswith("SELECT displayName(), version()"):
                return hello()
            # The engine has one user, and no password: who may ask is not what is tested with it.
            statement = _DICTIONARY_USER.sub("", statement)
            # It is the only node of its cluster, and has no Keeper.
            statement = _ON_CLUSTER.sub("", _REPLICATED.sub(r"ENGINE = \1(", statement))
            if data and statement.startswith("INSERT INTO") and " FORMAT " in statement:
                return self._insert(handle, statement, data)
            bound = {
                name.removeprefix("param_"): value for name, value in parameters.items() if name.startswith("param_")
            }
            return bytes(
                handle.query(statement, parameters.get("default_format", "TabSeparated"), params=bound).bytes()
            )
        finally:
            handle.close()

    def _insert(self, handle: Connection, statement: str, data: bytes) -> bytes:
        head, _, tail = statement.rpartition(" FORMAT ")
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            handle.query(f"{head} FROM INFILE '{file.name}' FORMAT {tail}")
        return b""


_ON_CLUSTER = re.compile(r" ON CLUSTER `main`")
_REPLICATED = re.compile(r"ENGINE = Replicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?")
_DICTIONARY_USER = re.compile(r"USER '[^']*' PASSWORD '[^']*'")


def decompressed(body: bytes) -> bytes:
    """The contents of ClickHouse's own compressed blocks; their checksums are not looked at."""
    parts = []
    while body:
        _, method, size, contents_size = _BLOCK_HEAD.unpack_from(body)
        block, body = body[_BLOCK_HEAD.size : 16 + size], body[16 + size :]
        assert method in (_LZ4, _UNCOMPRESSED), f"compression method {method:#x}"
        parts.append(lz4.block.decompress(block, uncompressed_size=contents_size) if method == _LZ4 else block)
    return b"".join(parts)


def hello() -> bytes:
    """Answer what clickhouse-go asks first, in Native; revision 0 tells it to expect plain blocks from then on."""

    def text(value: str) -> bytes:
        return bytes([len(value)]) + value.encode()

    one_row = b"\x01\x00\x02\xff\xff\xff\xff\x00" + bytes([4, 1])  # neither overflow nor bucket; 4 columns, 1 row
    answers = {"displayName": "stand-in", "version": "26.9.2.1", "revision": None, "timezone": "UTC"}
    return one_row + b"".join(
        text(f"{name}()") + (text("UInt32") + bytes(5) if value is None else text("String") + b"\x00" + text(value))
        for name, value in answers.items()
    )
