"""Connections to destinations: to an address that was looked at first, and for a bounded time.

A server can reach what people outside can not. Where somebody else than its operator says where notices go, they must
not become a way to ask what is inside: so the address that a name means is resolved once, looked at, and that very
address is called. What is nobody's destination is never called: link-local addresses, where clouds tell machines their
credentials, and those that are no single machine's.
"""

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_MOST_ADDRESSES: Final = 4


class NotAllowed(Exception):
    """The destination is at an address that it may not be at; the message says why, without the address."""


class NotReached(Exception):
    """There is no connection; the message says why."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Which addresses may be called: those on the internet, by TLS; if that is said private ones too, TLS or not."""

    may_be_private: bool

    def check(self, address: _Address, *, is_encrypted: bool) -> None:
        """Let ``address`` pass.

        Raises:
            NotAllowed: if it may not be called.
        """
        meant = _meant(address)
        if meant.is_link_local or meant.is_multicast or meant.is_unspecified or _is_unassigned(meant):
            raise NotAllowed("its address is link-local or no machine's")
        if not meant.is_global and not self.may_be_private:
            raise NotAllowed(
                "its address is private, and destinations made by the API are on the internet; the file of alerts may "
                "name any, and allow these with private_destinations"
            )
        if meant.is_global and not is_encrypted:
            raise NotAllowed("it is on the internet and without TLS")


def connect(host: str, port: int, reach: Reach, timeout_s: float, *, is_encrypted: bool) -> socket.socket:
    """Return a connection to ``host``, not encrypted yet; ``is_encrypted`` says whether it will be.

    Raises:
        NotAllowed: if an address of it may not be called.
        NotReached: if there is no connection.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise NotReached("the host's name is not known") from exc
    places = list(dict.fromkeys((family, place) for family, _, _, _, place in found))[:_MOST_ADDRESSES]
    for _, place in places:
        reach.check(ipaddress.ip_address(str(place[0]).partition("%")[0]), is_encrypted=is_encrypted)
    reason = "the host has no address"
    for family, place in places:
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout_s / len(places))
            connection.connect(place)
            # Whoever called keeps the time, by :func:`until`; this is for what comes to hang in spite of it.
            connection.settimeout(2 * timeout_s)
        except OSError as exc:
            connection.close()
            reason = "no answer in time" if isinstance(exc, TimeoutError) else (exc.strerror or "no connection").lower()
        else:
            return connection
    raise NotReached(reason)


def encrypted(connection: socket.socket, host: str, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Return ``connection`` under TLS, with whoever ``host`` is.

    Raises:
        NotReached: if the server does not show that it is.
    """
    try:
        return context.wrap_socket(connection, server_hostname=host)
    except ssl.SSLCertVerificationError as exc:
        raise NotReached(f"its certificate is not trusted: {exc.verify_message}") from exc
    except ssl.SSLError as exc:
        raise NotReached("TLS failed") from exc


@dataclass(slots=True)
class Deadline:
    """Says whether time was up."""

    is_over: bool = field(default=False)


@contextlib.contextmanager
def until(connection: socket.socket, seconds: float) -> Iterator[Deadline]:
    """Break ``connection`` off after ``seconds``, whatever it was wrapped into meanwhile.

    A timeout of a socket is for each read, and a server that sends a byte now and then would hold us for ever.
    """
    deadline = Deadline()
    same = connection.dup()

    def break_off() -> None:
        deadline.is_over = True
        with contextlib.suppress(OSError):
            same.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, break_off)
    timer.daemon = True
    timer.start()
    try:
        yield deadline
    finally:
        timer.cancel()
        timer.join()
        same.close()


def _is_unassigned(address: _Address) -> bool:
    """Say whether ``address`` is kept for some later use; ::1 stands among such."""
    return address.is_reserved and not address.is_loopback


def _meant(address: _Address) -> _Address:
    """Return the IPv4 address that an IPv6 one stands for, if it stands for one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address
