"""What may be said about a run besides its content: numbers, and texts so short that nobody says anything with them."""

import logging
import math
from collections.abc import Mapping
from typing import Final

from opentelemetry.util.types import AttributeValue

_LOG: Final = logging.getLogger("agentvigil.agent")
_LONGEST_TEXT: Final = 128  # characters: the longest name that the server keeps
_LONGEST_KEY: Final = 128
_LONGEST_SHOWN: Final = 64
_MOST_LABELS: Final = 32
_MOST_WARNINGS: Final = 1_000

_warned: set[str] = set()


def warn_once(about: str, message: str, *details: object) -> None:
    """Log a warning, the first time that something is wrong with ``about``."""
    if about in _warned or len(_warned) >= _MOST_WARNINGS:
        return
    _warned.add(about)
    _LOG.warning(message, *details)


def shown(value: object) -> str:
    """Return how a wrong value is told of in a warning: a short text as it is, all else by its kind."""
    if isinstance(value, str):
        return repr(value) if len(value) <= _LONGEST_SHOWN else f"a text of {len(value)} characters"
    return f"a {type(value).__qualname__}"


def safe_attributes(values: Mapping[str, object], what: str) -> dict[str, AttributeValue]:
    """Return those of ``values`` that may be recorded, and warn about the others, once for each key."""
    return {key: value for key, given in values.items() if (value := safe_value(key, given, what)) is not None}


def safe_value(key: object, value: object, what: str) -> AttributeValue | None:
    """Return ``value`` if it may be recorded: a number, true or false, a label, or some labels; else warn, once."""
    if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_KEY:
        warn_once(f"{what} key", "%s: a key has to be a text of 1 to %d characters", what, _LONGEST_KEY)
        return None
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, str) and _is_short(value):
        return str(value)
    if isinstance(value, list | tuple) and len(value) <= _MOST_LABELS and all(map(_is_short, value)):
        return [str(item) for item in value]
    if value is not None:
        warn_once(
            f"{what} {key}",
            "%s: %s is left out: it is %s, and has to be a number, true or false, or a text of at most %d characters "
            "on one line. What people or models say does not belong here.",
            what,
            key,
            f"a text of {len(value)} characters" if isinstance(value, str) else shown(value),
            _LONGEST_TEXT,
        )
    return None


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_TEXT and "\n" not in value
