"""How the command line reaches a server over HTTP or HTTPS, and by which certificate it knows it.

A server on this machine announces the file of its certificate in its data directory. Whoever may read that directory
takes exactly that certificate, whatever name stands in it and whoever signed it: it is known, not believed. Anywhere
else the certificate must be signed by somebody we trust and carry the name we called.
"""

import hashlib
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError
from urllib3.response import BaseHTTPResponse

from agentvigil.cli.private_keys import no_password
from agentvigil.cli.settings import Endpoint, Settings
from agentvigil.storage.errors import StoreUnreachable

_MOST_ANSWER_BYTES: Final = 2**22
_CERTIFICATE: Final = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - to be called, not bound


class NoAnswer(Exception):
    """A server was not reached, or did not answer in HTTP; the message is the reason, without the address."""


class TrustUnusable(Exception):
    """A file of certificates or keys can not be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Trust:
    """How a server is known over TLS, and how it knows us; all files are PEM.

    ``certificate`` is the one it announced: exactly the first in that file is taken. Without it the server's must be
    signed by one of ``ca``, or of the system's if that is None. ``client_certificate`` and ``client_key`` are what we
    show to a server that asks.
    """

    certificate: Path | None = None
    ca: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None

    def pinned(self) -> str | None:
        """Return the announced certificate in PEM, None if there is none.

        Raises:
            TrustUnusable: if it can not be read.
        """
        if self.certificate is None:
            return None
        try:
            found = _CERTIFICATE.search(self.certificate.read_text(encoding="ascii", errors="replace"))
        except OSError as exc:
            raise TrustUnusable(
                f"can not read {self.certificate}, the certificate that the server announced: {exc.strerror}; "
                "run this as the server's user"
            ) from exc
        if found is None:
            raise TrustUnusable(f"{self.certificate}, which the server announced, holds no certificate in PEM")
        return found[0]

    def context(self) -> ssl.SSLContext:
        """Return what OpenSSL needs to know; with an announced certificate, whoever calls has to compare it.

        Raises:
            TrustUnusable: if a file can not be used.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except OSError as exc:
            raise TrustUnusable(f"can not use --ca {self.ca}: {exc.strerror or exc}") from exc
        if self.certificate is not None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.client_certificate is not None:
            try:
                context.load_cert_chain(self.client_certificate, self.client_key, password=no_password)
            except (OSError, ValueError) as exc:
                raise TrustUnusable(
                    f"can not use --client-cert {self.client_certificate} with --client-key {self.client_key}: {exc}"
                ) from exc
        return context


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; names of ``headers`` in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpCaller:
    """Calls one server at ``url`` (``http://host:port`` or ``https://…``) and follows no redirects.

    ``timeout_s`` is for each connect and each read, None waits as long as it takes.

    Raises:
        TrustUnusable: if ``url`` is https and a file of ``trust`` can not be used.
    """

    def __init__(self, url: str, trust: Trust, timeout_s: float | None) -> None:
        self.url = url
        options: dict[str, Any] = {}
        if url.startswith("https://"):
            options["ssl_context"] = trust.context()
            if (pem := trust.pinned()) is not None:
                options |= {"assert_hostname": False, "assert_fingerprint": fingerprint(pem)}
        self._pool = urllib3.PoolManager(timeout=urllib3.Timeout(timeout_s), retries=False, **options)
        self._timeout_s = timeout_s

    def open(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> BaseHTTPResponse:
        """Return the answer as soon as its headers are there; its body still has to be read.

        Raises:
            NoAnswer: if there is none.
        """
        try:
            return self._pool.request(
                method, self.url + target, headers=dict(headers or {}), body=body, preload_content=False, redirect=False
            )
        except HTTPError as exc:
            raise NoAnswer(self.reason(exc)) from exc

    def call(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Return the whole answer, of its body at most 4 MiB.

        Raises:
            NoAnswer: if there is none.
        """
        response = self.open(method, target, headers, body)
        try:
            text = response.read(_MOST_ANSWER_BYTES)
        except HTTPError as exc:
            raise NoAnswer(self.reason(exc)) from exc
        finally:
            response.close()
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, text)

    def reason(self, error: HTTPError) -> str:
        """Return why there was no answer, in words."""
        cause = error.__cause__ or error.__context__
        while isinstance(cause, HTTPError) and (cause.__cause__ or cause.__context__):
            cause = cause.__cause__ or cause.__context__
        if isinstance(error, NameResolutionError):
            return "the host's name is not known"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
        if "Fingerprints did not match" in str(error):
            return "it shows another certificate than the one it announced"
        # It counts as a timeout too, so it comes first.
        if isinstance(error, NewConnectionError) and isinstance(cause, OSError):
            return (cause.strerror or str(cause)).lower()
        if isinstance(error, urllib3.exceptions.TimeoutError):
            return f"no answer within {self._timeout_s or 0:g} s"
        return str(error)

    def close(self) -> None:
        """Close the connections; safe to call twice."""
        self._pool.clear()


def callable_address(address: str) -> str:
    """Return the ``host:port`` at which a server that listens on ``address`` is called from this machine."""
    endpoint = Endpoint.parse(address)
    return Endpoint(_EVERYWHERE.get(endpoint.host, endpoint.host), 0).with_port(endpoint.port)


def announced_trust(owner: Mapping[str, Any]) -> Trust:
    """Return how the server that announced ``owner`` (see :func:`~agentvigil.storage.data_directory.read_owner`) is
    known."""
    certificate = owner.get("certificate")
    return Trust(certificate=Path(str(certificate)) if certificate else None)


def announced_url(owner: Mapping[str, Any], name: str) -> str | None:
    """Return the URL of the server that announced ``owner`` for its interface ``name``, None if it has none."""
    address = dict(owner.get("addresses") or {}).get(name)
    if not address:
        return None
    scheme = "https" if owner.get("certificate") else "http"
    return f"{scheme}://{callable_address(str(address))}"


def clickhouse_call(url: str) -> tuple[str, dict[str, str]]:
    """Return where the ClickHouse server at ``url`` is called, without user and password, and headers that carry those.

    Without a port it is the one that ClickHouse gives the scheme.

    Raises:
        StoreUnreachable: if that is no URL.
    """
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    try:
        port = parts.port
    except ValueError as exc:
        raise StoreUnreachable(f"{parts.scheme}://{place} is no URL: {exc}; check AGENTVIGIL_CLICKHOUSE") from exc
    if port is None:
        place = f"{place.rstrip(':')}:{8443 if parts.scheme == 'https' else 8123}"
    headers = {}
    if parts.username is not None:
        headers = urllib3.make_headers(basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}")
    return f"{parts.scheme}://{place}", headers


def key_for(settings: Settings, owner: Mapping[str, Any]) -> str | None:
    """Return the key to show to the server that announced ``owner``: the one that was set, else its own token."""
    token = owner.get("token")
    return settings.shown_key() or (str(token) if token else None)


def bearer(key: str | None) -> dict[str, str]:
    """Return the headers that show ``key``, none without one."""
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def fingerprint(pem: str) -> str:
    """Return the SHA-256 of a certificate, in hex."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
