"""TLS on the server's interfaces, from files named in the settings; they are read once, at start."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from agentvigil.cli.private_keys import no_password
from agentvigil.cli.settings import Settings


class TlsUnusable(Exception):
    """The files for TLS are missing, unreadable or do not fit together; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM that are known to fit together. With ``client_ca``, senders must show a certificate signed by it."""

    certificate: Path
    key: Path
    client_ca: Path | None

    def for_grpc(self) -> grpc.ServerCredentials:
        """Return gRPC's own form of it."""
        pair = (self.key.read_bytes(), self.certificate.read_bytes())
        client_ca = self.client_ca.read_bytes() if self.client_ca else None
        return grpc.ssl_server_credentials([pair], client_ca, require_client_auth=client_ca is not None)

    def for_http(self, *, only_known_clients: bool) -> Mapping[str, Any]:
        """Return uvicorn's settings for it; where ``only_known_clients``, clients must show their certificate."""
        settings: dict[str, Any] = {"ssl_certfile": str(self.certificate), "ssl_keyfile": str(self.key)}
        if only_known_clients and self.client_ca:
            settings |= {"ssl_ca_certs": str(self.client_ca), "ssl_cert_reqs": ssl.CERT_REQUIRED}
        return settings


def load_tls(settings: Settings) -> Tls | None:
    """Return what the settings say about TLS, None if it is off.

    Raises:
        TlsUnusable: if a file is missing, is not what it should be, or the key is not the certificate's.
    """
    if settings.tls_cert is None and settings.tls_key is None and settings.tls_client_ca is None:
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        raise TlsUnusable("TLS needs a certificate and its private key: give both --tls-cert and --tls-key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password=no_password)
    except (OSError, ValueError) as exc:
        raise TlsUnusable(
            f"can not use --tls-cert {settings.tls_cert} with --tls-key {settings.tls_key}: {exc}"
        ) from exc
    if settings.tls_client_ca is not None:
        try:
            context.load_verify_locations(settings.tls_client_ca)
        except OSError as exc:
            raise TlsUnusable(f"can not use --tls-client-ca {settings.tls_client_ca}: {exc}") from exc
    return Tls(settings.tls_cert, settings.tls_key, settings.tls_client_ca)
