"""What the modules that know one signal's messages have in common: the result of looking at a request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from agentvigil.storage.signals import Destination

INVALID_IDS: Final = "invalid_ids"
NAMELESS: Final = "no_name"
UNDECODABLE: Final = "undecodable"
"""ClickHouse refused the request they came in."""

OWN_SCOPE: Final = "agentvigil.server"
"""Instrumentation scope of the spans that a server makes about itself. Storing those makes no spans, else each would
bring the next, whatever road they come back by."""

REASONS: Final = (INVALID_IDS, NAMELESS, UNDECODABLE)
"""Why items are refused for good, as the metrics say it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a request holds once what is not valid has been taken out of it.

    ``items`` is how many rows it becomes in ``destinations``; ``rejected`` how many were taken out, ``rejection`` what
    is wrong with them and ``reason`` the same as a word for metrics, both empty if none was.
    ``is_own`` says that it holds nothing but spans that AgentVigil's servers made about themselves.
    """

    items: int
    destinations: tuple[Destination, ...]
    rejected: int = 0
    rejection: str = ""
    reason: str = ""
    is_own: bool = False


def remove_invalid(items: Any, is_valid: Callable[[Any], bool]) -> None:
    """Leave only the valid ones in ``items``, a repeated field of messages."""
    # Messages taken out of a field live in the memory of their parent, so what is kept is copied before.
    kept = [type(item).FromString(item.SerializeToString()) for item in items if is_valid(item)]
    del items[:]
    items.extend(kept)
