"""Cursors: where a page ended, in a text that callers hand back as it is.

A cursor is the sort values of the last item, so that items which arrive meanwhile shift nothing: no page repeats or
leaves out what was there. It is bound to the query it came from, since its values mean nothing in another one.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from agentvigil.api.problems import BadCursor

_MOST_BYTES: Final = 2048
_HALF_A_PAIR: Final = re.compile("[\ud800-\udfff]")
_HINT: Final = "leave the cursor out for the first page, and change no filter between pages"


def cursor_of(query: Mapping[str, Any], position: Sequence[Any]) -> str:
    """Return the cursor after ``position``, texts and numbers, in the results of ``query``."""
    text = json.dumps([_digest(query), *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position_of(cursor: str, query: Mapping[str, Any], kinds: Sequence[type]) -> list[Any]:
    """Return the position that ``cursor`` holds, values of ``kinds``.

    Raises:
        BadCursor: if it is none, or of another query.
    """
    try:
        padded = cursor[:_MOST_BYTES] + "=" * (-len(cursor) % 4)
        digest, *position = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError, RecursionError) as exc:
        raise BadCursor(f"{cursor[:40]!r} is no cursor of this server", _HINT) from exc
    if digest != _digest(query):
        raise BadCursor("the cursor belongs to a query with other filters, order or project", _HINT)
    if len(position) != len(kinds) or not all(map(_is_storable, position, kinds)):
        raise BadCursor(f"{cursor[:40]!r} is no cursor of this list", _HINT)
    return list(position)


def _is_storable(value: Any, kind: type) -> bool:
    """Whether ``value`` is of ``kind`` and the store can have it: half of a surrogate pair is no text there."""
    if type(value) is int:
        return kind is int and -(2**63) <= value < 2**63
    return type(value) is kind and not (isinstance(value, str) and _HALF_A_PAIR.search(value))


def _digest(query: Mapping[str, Any]) -> str:
    text = json.dumps(query, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
