"""Finds out what a port speaks, before anything that matters is sent there.

A port is greeted in the protocol it should speak, and the first bytes that come back tell what it does speak. Without
this, a wrong port, a missing certificate and a server that is down all look alike to gRPC: UNAVAILABLE.
"""

import contextlib
import socket
import ssl
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from agentvigil.cli.calling import Trust, fingerprint
from agentvigil.cli.settings import Endpoint

_HTTP2_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
"""What a client says first, with empty settings: https://www.rfc-editor.org/rfc/rfc9113#section-3.4"""

_SETTINGS_FRAME: Final = 4
_TLS_ALERT: Final = b"\x15\x03"
_ABOUT_OUR_CERTIFICATE: Final = (
    "CERTIFICATE_REQUIRED",
    "BAD_CERTIFICATE",
    "CERTIFICATE_UNKNOWN",
    "UNKNOWN_CA",
    "HANDSHAKE_FAILURE",
)
"""Alerts with which servers refuse who shows no certificate, or one they do not trust, as OpenSSL names them."""


class Protocol(Enum):
    """What a port should speak, by its name in TLS (ALPN)."""

    HTTP = "http/1.1"
    GRPC = "h2"


class Spoken(Enum):
    """What the first bytes were, in words that follow "it"."""

    HTTP = "speaks HTTP"
    HTTP2 = "speaks HTTP/2"
    TLS = "speaks TLS"
    CLOSED = "hangs up"
    SILENT = "says nothing"
    OTHER = "speaks another protocol"


class Unreachable(Exception):
    """Nothing takes connections there; the message is the reason. ``refused`` if the host said so itself."""

    def __init__(self, reason: str, *, refused: bool = False) -> None:
        super().__init__(reason)
        self.refused = refused


class NotTrusted(Exception):
    """The port speaks TLS, but not as somebody we know; the message is the reason."""


class ClientCertificateWanted(Exception):
    """The port speaks TLS and wants a certificate that it trusts from us."""


class NoTls(Exception):
    """The port does not speak TLS."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server proved to be: the names it is for, and its end in seconds since 1970."""

    names: tuple[str, ...]
    expires_at: float


def greet(address: str, protocol: Protocol, timeout_s: float) -> Spoken:
    """Greet without TLS and return what the answer is.

    Raises:
        Unreachable: if nothing takes connections.
    """
    with _connect(address, timeout_s) as connection:
        return _exchange(connection, _hello(address, protocol))


def greet_with_tls(address: str, protocol: Protocol, trust: Trust, timeout_s: float) -> tuple[Spoken, Certificate]:
    """Greet inside TLS and return what the answer is, and who gave it.

    Raises:
        Unreachable: if nothing takes connections.
        NoTls: if it speaks no TLS.
        NotTrusted: if ``trust`` does not hold for its certificate.
        ClientCertificateWanted: if it wants one that it trusts.
        TrustUnusable: if a file of ``trust`` can not be used.
    """
    context = trust.context()
    pem = trust.pinned()
    if pem is not None:
        # Stricter than a comparison alone: one that has expired is found out as well.
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
        context.load_verify_locations(cadata=pem)
    context.set_alpn_protocols([protocol.value])
    host = Endpoint.parse(address).host
    with _connect(address, timeout_s) as connection:
        try:
            with context.wrap_socket(connection, server_hostname=host) as secured:
                if pem is not None and fingerprint(pem) != _shown(secured):
                    raise NotTrusted("it shows another certificate than the one it announced")
                certificate = _certificate(secured.getpeercert() or {})
                spoken = _exchange(secured, _hello(address, protocol))
                if spoken is Spoken.CLOSED:
                    # What gRPC does once it saw no certificate, or not one it trusts.
                    raise ClientCertificateWanted
                return spoken, certificate
        except ssl.SSLCertVerificationError as exc:
            reason = exc.verify_message
            if pem is not None and "expired" not in reason and "not yet valid" not in reason:
                reason = "it shows another certificate than the one it announced"
            raise NotTrusted(reason) from exc
        except ssl.SSLError as exc:
            # In TLS 1.3 the server looks at our certificate after the handshake, in 1.2 during it.
            if any(alert in (exc.reason or "") for alert in _ABOUT_OUR_CERTIFICATE):
                raise ClientCertificateWanted from exc
            raise NoTls from exc
        except OSError as exc:
            raise NoTls from exc


def _exchange(connection: socket.socket, hello: bytes) -> Spoken:
    """Say ``hello`` and return what the answer is.

    Raises:
        ssl.SSLError: if the answer is an alert.
    """
    try:
        connection.sendall(hello)
        return _kind(connection.recv(16))
    except TimeoutError:
        return Spoken.SILENT
    except (ssl.SSLEOFError, ConnectionError):
        return Spoken.CLOSED


def _connect(address: str, timeout_s: float) -> socket.socket:
    endpoint = Endpoint.parse(address)
    try:
        return socket.create_connection((endpoint.host, endpoint.port), timeout_s)
    except ConnectionRefusedError as exc:
        raise Unreachable("connection refused", refused=True) from exc
    except TimeoutError as exc:
        raise Unreachable(f"no answer within {timeout_s:g} s") from exc
    except socket.gaierror as exc:
        raise Unreachable(f"the host's name is not known ({exc.strerror})") from exc
    except UnicodeError as exc:
        raise Unreachable("that is no name of a host") from exc
    except OSError as exc:
        raise Unreachable((exc.strerror or str(exc)).lower()) from exc


def _hello(address: str, protocol: Protocol) -> bytes:
    if protocol is Protocol.GRPC:
        return _HTTP2_PREFACE
    return f"GET /ping HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode()


def _kind(answer: bytes) -> Spoken:
    if answer.startswith(b"HTTP/1"):
        return Spoken.HTTP
    if len(answer) > 3 and answer[3] == _SETTINGS_FRAME:
        return Spoken.HTTP2
    if answer.startswith(_TLS_ALERT):
        return Spoken.TLS
    return Spoken.OTHER if answer else Spoken.CLOSED


def _shown(secured: ssl.SSLSocket) -> str:
    shown = secured.getpeercert(binary_form=True) or b""
    return fingerprint(ssl.DER_cert_to_PEM_cert(shown))


def _certificate(fields: Any) -> Certificate:
    names = tuple(str(value) for kind, value in fields.get("subjectAltName", ()) if kind in ("DNS", "IP Address"))
    if not names:
        names = tuple(value for part in fields.get("subject", ()) for key, value in part if key == "commonName")
    with contextlib.suppress(KeyError, ValueError):
        return Certificate(names, ssl.cert_time_to_seconds(fields["notAfter"]))
    return Certificate(names, 0.0)
