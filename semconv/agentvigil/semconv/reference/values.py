"""Values: read as a target's type, or not at all.

The store keeps attributes as text, in the Collector's way. So a value is first what its text says: ``12``, ``12.0``
and ``"12"`` are one count, and ``true`` is none.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from agentvigil.semconv.dialects.model import Convert, TargetType
from agentvigil.semconv.reference.span import Value

_COUNT: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
"""A count of more digits is not believed."""
_INT: Final = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_DOUBLE: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)
_INT64: Final = 2**63
_PRINTABLE_BITS: Final = 1024
_EXACT_INTEGERS: Final = 2.0**53
"""Doubles below it that have no fraction are integers and nothing else."""


def text(value: Value) -> str:
    """The value as the store would keep it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_INTEGERS:
        return str(int(value))
    if isinstance(value, int):
        # Python refuses to print an integer of thousands of digits.
        return str(value) if value.bit_length() <= _PRINTABLE_BITS else ""
    if isinstance(value, float):
        return str(value)
    if isinstance(value, Mapping | Sequence):
        return _json(value)
    return "" if value is None else str(value)


def typed(value: Value, kind: TargetType) -> Value | None:
    """``value`` as the type of a target, or None when it is not of it. Empty text is none of any."""
    match kind:
        case "any":
            return value if isinstance(value, Mapping | list | tuple) else text(value) or None
        case "strings":
            return _strings(value)
        case "bool":
            return {"true": True, "false": False}.get(text(value).lower())
        case "count":
            return _integer(text(value), _COUNT)
        case "int":
            return _integer(text(value), _INT)
        case "double":
            return _double(text(value))
        case "string":
            return text(value) or None


def converted(value: Value, convert: Convert, start_time_unix_nano: int, known: Mapping[str, str]) -> Value | None:
    """``value`` after a conversion, or None when it cannot be converted. ``known`` are the values of the target."""
    match convert:
        case "" | "one":
            return value
        case "before_dot":
            return _before_dot(text(value), known)
        case "ms":
            milliseconds = _double(text(value))
            return None if milliseconds is None else milliseconds / 1000
        case "since_start":
            return _since_start(text(value), start_time_unix_nano)
        case "unquote":
            return _unquoted(text(value))


def json_part(value: Value, path: str, *, is_repr: bool) -> Value | None:
    """What stands under ``path`` in a mapping or in the text of one; None when there is nothing.

    A dot in ``path`` leads into what is within: ``a.0.b`` is ``b`` of the first item of ``a``.
    """
    document = value if isinstance(value, Mapping) else parsed(value)
    if isinstance(document, Mapping):
        for name in path.split("."):
            document = _within(document, name)
        return document
    if is_repr and (found := re.search(rf"['\"]{re.escape(path)}['\"]: ?([0-9]+)", text(value))):
        return found[1]
    return None


def _within(document: Value | None, name: str) -> Value | None:
    found: Value | None = None
    if isinstance(document, Mapping):
        found = document.get(name)
    elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
        found = document[int(name)]
    return found


def parsed(value: Value) -> Value | None:
    """A JSON text as what it says; None when it is none."""
    try:
        return json.loads(value) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        return None


def mapped(value: Value, known: Mapping[str, str]) -> Value:
    """The current word for a value of a closed set; a word that is not known stays."""
    if isinstance(value, str):
        return known.get(value.lower(), value)
    if isinstance(value, list):
        return [mapped(item, known) for item in value]
    return value


def _strings(value: Value) -> list[str] | None:
    items = value if isinstance(value, list | tuple) else parsed(value)
    if not isinstance(items, list | tuple):
        items = [value]
    return [text(item) for item in items if text(item)] or None


def _integer(digits: str, pattern: re.Pattern[str]) -> int | None:
    if pattern.fullmatch(digits) is None:
        return None
    number = int(digits)
    return number if -_INT64 <= number < _INT64 else None


def _double(digits: str) -> float | None:
    if _DOUBLE.fullmatch(digits) is None:
        return None
    number = float(digits)
    return number if math.isfinite(number) else None


def _before_dot(value: str, known: Mapping[str, str]) -> str:
    beginning = value
    while beginning:
        if beginning.lower() in known:
            return beginning
        beginning = beginning.rpartition(".")[0]
    return value.partition(".")[0]


def _since_start(value: str, start_time_unix_nano: int) -> float | None:
    try:
        moment = datetime.fromisoformat(_unquoted(value))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        microseconds = round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)
    except (ValueError, OverflowError):
        return None
    waited = microseconds - start_time_unix_nano // 1000
    # A moment before the start, or of a span without a start, is a broken clock.
    return waited / 1_000_000 if start_time_unix_nano > 0 and waited >= 0 else None


def _unquoted(value: str) -> str:
    said = parsed(value)
    return said if isinstance(said, str) else value


def _json(value: Value) -> str:
    try:
        return json.dumps(value, default=str, ensure_ascii=False)
    except (ValueError, TypeError, RecursionError):
        return ""
