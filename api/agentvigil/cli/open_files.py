"""How many files the process may have open: ClickHouse holds some for each of its threads, and many in all."""

import resource
from typing import Final

_WANTED: Final = 65_536


def raise_limit() -> None:
    """Use what the system allows us, where it gives less at first: often 1,024, which a busy server passes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
