"""Where no key is needed, a request must plainly mean this machine.

The danger is a browser that was talked into calling this machine by another name (DNS rebinding) or from another page.
Both show in its headers.
"""

import ipaddress
import re
from collections.abc import Collection

from agentvigil.storage.access.errors import NotThisMachine


def check_means_this_machine(host: str, origin: str | None, allowed_hosts: Collection[str] = ()) -> None:
    """Return if ``host``, a Host header, is localhost, an IP address or one of ``allowed_hosts`` (in lower case), and
    ``origin``, an Origin header, is a page of the same host, or None.

    Raises:
        NotThisMachine: if not.
    """
    name = _host_name(host)
    if name != "localhost" and name not in allowed_hosts and not _is_address(name):
        raise NotThisMachine(f"Host {host[:80]!r} is not this machine; call it localhost or by its address")
    if origin is not None and origin.partition("://")[2].lower() != host.lower():
        raise NotThisMachine(f"Pages of {origin[:80]!r} may not ask here; set a key to serve other machines")


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
