"""Fills the schema's placeholders, ``{{name}}``, with SQL made from the vocabulary's data.

The text that goes in is ours alone: nothing a sender or a user wrote ever comes here.
"""

import re
from collections.abc import Iterable
from typing import Final

from agentvigil.semconv.content import CONTENT_KEYS, CONTENT_NUMBERED_PREFIXES, CONTENT_PATTERN, CONTENT_PREFIXES
from agentvigil.semconv.normalization import SOURCES

_SCALARS: Final = ("string_value String", "bool_value Bool", "int_value Int64", "double_value Float64")


def render(sql: str) -> str:
    """Return ``sql`` with every ``{{name}}`` replaced.

    Raises:
        KeyError: if a placeholder has a name that is not known here.
    """
    return re.sub(r"\{\{(\w+)\}\}", lambda match: _PLACEHOLDERS[match.group(1)], sql)


def quote(text: str) -> str:
    """Return ``text`` as a ClickHouse string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _tuple(texts: Iterable[str]) -> str:
    return "(" + ", ".join(map(quote, texts)) + ")"


def _array(texts: Iterable[str]) -> str:
    return "[" + ", ".join(map(quote, texts)) + "]"


def _key_values() -> str:
    """Type of a ``repeated KeyValue``: the oneof as the decoder fills it, and which of its fields was present."""
    element_kinds = {
        "absent": 0,
        "string_value": 1,
        "bool_value": 2,
        "int_value": 3,
        "double_value": 4,
        "bytes_value": 7,
    }
    kinds = {**element_kinds, "array_value": 5}
    element = ", ".join((f"kind {_enum(element_kinds)}", *_SCALARS, "bytes_value String"))
    value = ", ".join(
        (f"kind {_enum(kinds)}", *_SCALARS, f"array_value Tuple(values Array(Tuple({element})))", "bytes_value String")
    )
    return f"Array(Tuple(key LowCardinality(String), value Tuple({value})))"


def _enum(values: dict[str, int]) -> str:
    return "Enum8(" + ", ".join(f"{quote(name)} = {number}" for name, number in values.items()) + ")"


def _placeholders() -> dict[str, str]:
    renamed = [(source, target) for target, sources in SOURCES.items() for source in sources]
    prefixes = (*CONTENT_PREFIXES, *CONTENT_NUMBERED_PREFIXES)
    length = min(map(len, prefixes))
    return {
        "key_values": _key_values(),
        "normalized_sources": _array(source for source, _ in renamed),
        "normalized_targets": _array(target for _, target in renamed),
        "content_keys": _tuple(CONTENT_KEYS),
        "content_prefix_length": str(length),
        "content_prefixes": _tuple(sorted({prefix[:length] for prefix in prefixes})),
        "content_pattern": quote(CONTENT_PATTERN),
    }


_PLACEHOLDERS: Final = _placeholders()
