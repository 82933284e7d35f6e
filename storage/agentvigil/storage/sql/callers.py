"""Who asks: what a request's key says, wherever ClickHouse's clients put it."""

import base64
import binascii
from collections.abc import Collection

from agentvigil.storage.access import (
    Access,
    Caller,
    KeyMissing,
    KeyRefused,
    NotThisMachine,
    Scope,
    ScopeMissing,
    check_means_this_machine,
)
from agentvigil.storage.sql.errors import ACCESS_DENIED, AUTHENTICATION_FAILED, QueryRefused
from agentvigil.storage.sql.request import Request


class Callers:
    """Lets requests in or turns them away, by ``access``.

    Where that is open the Host header must be localhost, an IP address or one of ``allowed_hosts``.
    """

    def __init__(self, access: Access, allowed_hosts: Collection[str]) -> None:
        self._access = access
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts)

    def identify(self, request: Request) -> Caller:
        """Return who asks, if that one may read.

        Raises:
            QueryRefused: code 516 without a valid key; 497 with one that may not read, and, where none is needed, for
                another host's name or another origin's page.
        """
        try:
            if self._access.is_open:
                check_means_this_machine(
                    request.headers.get("host", ""), request.headers.get("origin"), self._allowed_hosts
                )
            caller = self._access.caller_of(_offered_keys(request))
            caller.check(Scope.READ)
        except KeyMissing as exc:
            raise QueryRefused(
                AUTHENTICATION_FAILED,
                "Authentication failed: send the key as a Bearer token, as the password or in X-ClickHouse-Key",
            ) from exc
        except KeyRefused as exc:
            raise QueryRefused(AUTHENTICATION_FAILED, f"Authentication failed: {exc}") from exc
        except (ScopeMissing, NotThisMachine) as exc:
            raise QueryRefused(ACCESS_DENIED, str(exc)) from exc
        return caller


def _offered_keys(request: Request) -> list[str]:
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
    return offered
