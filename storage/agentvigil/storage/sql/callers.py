"""Who may ask: the holder of the key, or, where there is none, who plainly means this machine.

Without a key the danger is a browser that was talked into calling this machine by another name (DNS rebinding) or from
another page. Both show in its headers.
"""

import base64
import binascii
import hmac
import ipaddress
import re
from collections.abc import Collection

from agentvigil.storage.sql.errors import ACCESS_DENIED, AUTHENTICATION_FAILED, QueryRefused
from agentvigil.storage.sql.request import Request


class Callers:
    """Lets requests in or turns them away.

    With a ``key`` every request must carry it. Without one the Host header must be localhost, an IP address or one of
    ``allowed_hosts``.
    """

    def __init__(self, key: str | None, allowed_hosts: Collection[str]) -> None:
        if key is not None and not key:
            raise ValueError("key is empty; give a key, or None for none")
        self._key = key.encode() if key is not None else None
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts) | {"localhost"}

    def check(self, request: Request) -> None:
        """Return if the request may go on.

        Raises:
            QueryRefused: code 516 without the key, 497 for another host's name or another origin's page.
        """
        if self._key is not None:
            # Every candidate is compared, so that time does not tell which place held it.
            matches = [hmac.compare_digest(self._key, candidate) for candidate in _offered_keys(request)]
            if not any(matches):
                raise QueryRefused(
                    AUTHENTICATION_FAILED,
                    "Authentication failed: send the key as a Bearer token, as the password or in X-ClickHouse-Key",
                )
            return
        host = request.headers.get("host", "")
        name = _host_name(host)
        if name not in self._allowed_hosts and not _is_address(name):
            raise QueryRefused(
                ACCESS_DENIED, f"Host {host[:80]!r} is not this machine; call it localhost or by its address"
            )
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            raise QueryRefused(
                ACCESS_DENIED, f"Pages of {origin[:80]!r} may not ask here; set a key to serve other machines"
            )


def _offered_keys(request: Request) -> list[bytes]:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    offered = [request.headers.get("x-clickhouse-key", ""), request.parameters.get("password", "")]
    if scheme.lower() == "bearer":
        offered.append(credentials.strip())
    elif scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(credentials, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            decoded = ""
        offered.append(decoded.partition(":")[2])
    return [candidate.encode() for candidate in offered if candidate]


def _host_name(host: str) -> str:
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if re.search(r":[0-9]*$", host) else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
