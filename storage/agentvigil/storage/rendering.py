"""Fills the schema's placeholders, ``{{name}}``, with SQL made from the vocabulary's data.

The text that goes in is ours alone: nothing a sender or a user wrote ever comes here.
"""

import re
from collections.abc import Iterable
from typing import Final

from agentvigil.semconv.content import CONTENT_KEYS, CONTENT_NUMBERED_PREFIXES, CONTENT_PATTERN, CONTENT_PREFIXES
from agentvigil.semconv.normalization import SOURCES

_PREFIX_GATE: Final = 10
"""Length at which most prefixes of content keys differ from the keys that every span has."""


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
    kinds = ("absent", "string_value", "bool_value", "int_value", "double_value", "array_value")
    kind = ", ".join(f"{quote(name)} = {number}" for number, name in enumerate(kinds))
    value = (
        f"kind Enum8({kind}), string_value String, bool_value Bool, int_value Int64, double_value Float64, "
        "array_value Tuple(values Array(Tuple(string_value String)))"
    )
    return f"Array(Tuple(key LowCardinality(String), value Tuple({value})))"


def _placeholders() -> dict[str, str]:
    renamed = [(source, target) for target, sources in SOURCES.items() for source in sources]
    prefixes = (*CONTENT_PREFIXES, *CONTENT_NUMBERED_PREFIXES)
    short = [prefix for prefix in CONTENT_PREFIXES if len(prefix) < _PREFIX_GATE]
    return {
        "key_values": _key_values(),
        "normalized_sources": _array(source for source, _ in renamed),
        "normalized_targets": _array(target for _, target in renamed),
        "content_keys": _tuple(CONTENT_KEYS),
        "content_short_prefix": " OR ".join(f"startsWith(key, {quote(prefix)})" for prefix in short),
        "content_gate_length": str(_PREFIX_GATE),
        "content_gates": _tuple(sorted({prefix[:_PREFIX_GATE] for prefix in prefixes if prefix not in short})),
        "content_pattern": quote(CONTENT_PATTERN),
    }


_PLACEHOLDERS: Final = _placeholders()
