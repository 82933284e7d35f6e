"""Fills the placeholders of our SQL, ``{{name}}``: with SQL made from the vocabulary's data, or that is shared.

The text that goes in is ours alone: nothing a sender or a user wrote ever comes here.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

from agentvigil.semconv.normalization import SOURCES
from agentvigil.storage.literals import array, quote
from agentvigil.storage.mapping_sql import mapping_placeholders
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.nested_selects import part
from agentvigil.storage.privacy_sql import privacy_placeholders
from agentvigil.storage.typed_columns import placeholders as typed_column_placeholders

_SELECT: Final = re.compile(r"select_(?P<table>\w+)_from_(?P<rows>\w+)")


def render(sql: str, dictionary_access: str = "") -> str:
    """Return ``sql`` with every ``{{name}}`` replaced.

    ``dictionary_access`` is what a dictionary needs to read the tables of its own server, see ``Store``.

    Raises:
        KeyError: if a placeholder has a name that is not known here.
    """
    return _fill(sql, {**_placeholders(), "dictionary_access": dictionary_access})


def select_of(table: str, rows: str) -> str:
    """Return the SELECT that makes rows of ``table`` out of ``rows``, a table, a table function or a query."""
    sql = resources.files("agentvigil.storage").joinpath("selects", f"{table}.sql").read_text(encoding="utf-8")
    return _fill(part(sql), {**_placeholders(), "rows": rows}).replace("{{rows}}", rows)


def _fill(sql: str, texts: Mapping[str, str]) -> str:
    def text_of(match: re.Match[str]) -> str:
        select = _SELECT.fullmatch(match[1])
        return texts[match[1]] if select is None else select_of(select["table"], select["rows"])

    return re.sub(r"\{\{(\w+)\}\}", text_of, sql)


def _presence(fields: Mapping[str, int]) -> str:
    """Type of the column that says which of the ``fields`` of a oneof was present, by their numbers."""
    return "Enum8({})".format(
        ", ".join(f"{quote(name)} = {number}" for name, number in {"absent": 0, **fields}.items())
    )


@cache
def _placeholders() -> dict[str, str]:
    """All texts by their names. Making them reads every dialect, so it is left to whoever renders first."""
    renamed = [(source, target) for target, sources in SOURCES.items() for source in sources]
    vocabulary = {
        "metric_data": _presence({"gauge": 5, "sum": 7, "histogram": 9, "exponential_histogram": 10, "summary": 11}),
        "point_value": _presence({"as_double": 4, "as_int": 6}),
        "exemplar_value": _presence({"as_double": 3, "as_int": 6}),
        "key_values": "Array(Tuple(key LowCardinality(String), value String))",
        "any_value": "String",
        "normalized_sources": array(source for source, _ in renamed),
        "normalized_targets": array(target for _, target in renamed),
        # Stays until a SELECT is told what it reads from.
        "rows": "{{rows}}",
    }
    shared = load_queries("agentvigil.storage", "view_parts.sql") | load_queries(
        "agentvigil.storage.prices", "list_cost.sql"
    )
    texts = (
        vocabulary
        | privacy_placeholders()
        | typed_column_placeholders()
        | mapping_placeholders()
        | {name: part(sql) for name, sql in shared.items()}
    )
    return {name: _fill(_fill(_fill(sql, texts), texts), texts).strip() for name, sql in texts.items()}
