"""What the modules that know one signal's messages have in common: the result of looking at a request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agentvigil.storage.signals import Destination


@dataclass(frozen=True, slots=True)
class Checked:
    """What a request holds once what is not valid has been taken out of it.

    ``items`` is how many rows it becomes in ``destinations``; ``rejected`` how many were taken out and ``rejection``
    what is wrong with them, empty if none was.
    """

    items: int
    destinations: tuple[Destination, ...]
    rejected: int = 0
    rejection: str = ""


def remove_invalid(items: Any, is_valid: Callable[[Any], bool]) -> None:
    """Leave only the valid ones in ``items``, a repeated field of messages."""
    # Messages taken out of a field live in the memory of their parent, so what is kept is copied before.
    kept = [type(item).FromString(item.SerializeToString()) for item in items if is_valid(item)]
    del items[:]
    items.extend(kept)
