"""Real servers that alerts are sent to: webhooks over HTTP and HTTPS, and mail, well behaved or not."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"


@cache
def authority() -> trustme.CA:
    """Who signs the certificates of these servers."""
    return trustme.CA()


def trusting() -> ssl.SSLContext:
    """What a client needs that trusts them."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


def serving_as(*names: str) -> ssl.SSLContext:
    """What a server needs that is known by ``names``."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority().issue_cert(*names).configure_cert(context)
    return context


@dataclass(frozen=True)
class Got:
    """A request."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


Answer = Callable[[BaseHTTPRequestHandler], None]


def status(code: int, **headers: str) -> Answer:
    """Answer with a status, and a body that nobody should read."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "6")
        handler.end_headers()
        handler.wfile.write(b"secret")

    return answer


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without a word."""
    handler.close_connection = True
    handler.connection.shutdown(2)


def babble(handler: BaseHTTPRequestHandler) -> None:
    """Answer in no language that is known."""
    handler.wfile.write(b"220 what is this\r\n\r\n")
    handler.close_connection = True


@dataclass
class Webhooks:
    """A server for webhooks: it answers as ``answers`` say, one after the other, and with 200 when none is left."""

    port: int = 0
    got: list[Got] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def url(self, path: str = "/hook", scheme: str = "http", host: str = HOST) -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@contextlib.contextmanager
def webhooks(tls: ssl.SSLContext | None = None) -> Iterator[Webhooks]:
    """Serve webhooks on this machine."""
    told = Webhooks()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.got.append(Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            (told.answers.pop(0) if told.answers else status(200))(self)

        def do_GET(self) -> None:
            told.got.append(Got(self.path, {}, b""))
            status(200)(self)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing of those who left: some tests have them leave."""

    server = Server((HOST, 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    told.port = server.server_address[1]
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mailbox:
    """A server for mail. ``replies`` are what it says to the next messages instead of taking them."""

    port: int = 0
    got: list[tuple[str, Sequence[str], EmailMessage]] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    raw: list[bytes] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        content = cast("bytes", envelope.content)
        if self.replies:
            return self.replies.pop(0)
        self.raw.append(content)
        message = cast("EmailMessage", message_from_bytes(content, policy=policy.default))
        self.got.append((str(envelope.mail_from), list(envelope.rcpt_tos), message))
        return "250 taken"


@contextlib.contextmanager
def mailbox(
    *,
    tls: ssl.SSLContext | None = None,
    at_once: bool = False,
    login: tuple[str, str] | None = None,
) -> Iterator[Mailbox]:
    """Serve mail on this machine, with TLS ``at_once`` or after STARTTLS, for who knows ``login`` if there is one."""
    told = Mailbox()

    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        given = cast("LoginPassword", data)
        told.logins.append((given.login, given.password))
        wanted = login and (login[0].encode(), login[1].encode())
        return AuthResult(success=(given.login, given.password) == wanted, handled=False)

    options: dict[str, Any] = {"hostname": HOST, "port": 0, "ready_timeout": 20}
    if login is not None:
        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": not at_once}
    if at_once:
        options["ssl_context"] = tls
    elif tls is not None:
        options |= {"tls_context": tls, "require_starttls": True}
    controller = _AnyPort(told, **options)
    controller.start()
    told.port = controller.found_port
    try:
        yield told
    finally:
        controller.stop()


class _AnyPort(Controller):
    """Takes a port that is free."""

    @property
    def found_port(self) -> int:
        assert self.server is not None
        return int(self.server.sockets[0].getsockname()[1])  # type: ignore[attr-defined] # asyncio's server has them

    def _trigger_server(self) -> None:
        """Call it once, which :meth:`start` waits for: not at port 0, as it was asked for."""
        socket.create_connection((HOST, self.found_port)).close()
