"""Fills the schema's placeholders, ``{{name}}``: with SQL made from the vocabulary's data, or that several views share.

The text that goes in is ours alone: nothing a sender or a user wrote ever comes here.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from agentvigil.semconv.content import CONTENT_KEYS, CONTENT_NUMBERED_PREFIXES, CONTENT_PATTERN, CONTENT_PREFIXES
from agentvigil.semconv.normalization import SOURCES
from agentvigil.storage.literals import array, quote, values
from agentvigil.storage.mapping_sql import mapping_placeholders
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.privacy_sql import privacy_placeholders
from agentvigil.storage.typed_columns import placeholders as typed_column_placeholders

_PREFIX_GATE: Final = 10
"""Length at which most prefixes of content keys differ from the keys that every span has."""


def render(sql: str, dictionary_access: str = "") -> str:
    """Return ``sql`` with every ``{{name}}`` replaced.

    ``dictionary_access`` is what a dictionary needs to read the tables of its own server, see ``Store``.

    Raises:
        KeyError: if a placeholder has a name that is not known here.
    """
    return _fill(sql, {**_placeholders(), "dictionary_access": dictionary_access})


def _fill(sql: str, texts: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: texts[match.group(1)], sql)


def _presence(fields: Mapping[str, int]) -> str:
    """Type of the column that says which of the ``fields`` of a oneof was present, by their numbers."""
    return "Enum8({})".format(
        ", ".join(f"{quote(name)} = {number}" for name, number in {"absent": 0, **fields}.items())
    )


def _any_value() -> str:
    """Type of an ``AnyValue``: the oneof as the decoder fills it, and which of its fields was present."""
    kind = _presence({"string_value": 1, "bool_value": 2, "int_value": 3, "double_value": 4, "array_value": 5})
    return (
        f"Tuple(kind {kind}, string_value String, bool_value Bool, int_value Int64, double_value Float64, "
        "array_value Tuple(values Array(Tuple(string_value String))))"
    )


@cache
def _placeholders() -> dict[str, str]:
    """All texts by their names. Making them reads every dialect, so it is left to whoever renders first."""
    renamed = [(source, target) for target, sources in SOURCES.items() for source in sources]
    prefixes = (*CONTENT_PREFIXES, *CONTENT_NUMBERED_PREFIXES)
    short = [prefix for prefix in CONTENT_PREFIXES if len(prefix) < _PREFIX_GATE]
    vocabulary = {
        "any_value": _any_value(),
        "metric_data": _presence({"gauge": 5, "sum": 7, "histogram": 9, "exponential_histogram": 10, "summary": 11}),
        "point_value": _presence({"as_double": 4, "as_int": 6}),
        "exemplar_value": _presence({"as_double": 3, "as_int": 6}),
        "key_values": f"Array(Tuple(key LowCardinality(String), value {_any_value()}))",
        "normalized_sources": array(source for source, _ in renamed),
        "normalized_targets": array(target for _, target in renamed),
        "content_keys": values(CONTENT_KEYS),
        "content_short_prefix": " OR ".join(f"startsWith(key, {quote(prefix)})" for prefix in short),
        "content_gate_length": str(_PREFIX_GATE),
        "content_gates": values(sorted({prefix[:_PREFIX_GATE] for prefix in prefixes if prefix not in short})),
        "content_pattern": quote(CONTENT_PATTERN),
    }
    texts = vocabulary | privacy_placeholders() | typed_column_placeholders() | mapping_placeholders() | _view_parts()
    return {name: _fill(_fill(sql, texts), texts).strip() for name, sql in texts.items()}


def _view_parts() -> dict[str, str]:
    """SQL that several views need alike, by name, without the sentences about it."""
    parts = load_queries("agentvigil.storage", "view_parts.sql") | load_queries(
        "agentvigil.storage.prices", "list_cost.sql"
    )
    return {name: re.sub(r"\A(?:--.*\n)+", "", sql).strip() for name, sql in parts.items()}
