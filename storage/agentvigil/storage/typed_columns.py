"""Puts the parts of ``typed_columns.sql`` together: as stages of nested SELECTs, and as one expression.

A part's name is a column for the parts after it. ClickHouse plans a view anew at each insert, and what that costs grows
with levels times columns: so there are three stages, each a view over what the one before wrote into a Null table, and
what they only hand on is one column, a tuple (docs/decisions/0010).
"""

import re
from itertools import zip_longest
from typing import Final

from agentvigil.storage.dialect_sql import placeholders as dialect_placeholders
from agentvigil.storage.named_queries import load_queries

STAGES: Final = {
    "typed_columns_found": (
        ("scope_dialect", "name_dialect", "marker_rank", "exception_type", "operation_condition"),
        ("dialect", "derived", "operation_entries"),
        ("key_codes", "key_texts"),
        ("believed_codes",),
        ("codes", "code_texts"),
    ),
    "typed_columns_meant": (
        ("said",),
        (
            "first_operation",
            "standard_operation",
            "kind_operation",
            "operation_of_step",
            "providers",
            "counts",
            "input_code",
            "said_reason",
        ),
        ("said_operation", "framework", "said_provider", "usage", "finish_reason"),
        ("operation", "provider"),
    ),
    "typed_columns_counted": (
        ("cached", "reasoning", "declared", "said_cost"),
        ("beyond",),
        ("readings",),
        ("token_convention", "tokens", "billing", "step_type", "reported_cost", "error_type"),
    ),
}
"""What each stage adds, level by level: a part needs only those of earlier levels."""


def _columns(part: str) -> dict[str, str]:
    """Names and types of the columns that a part of ``view_parts.sql`` lists."""
    listed = load_queries("agentvigil.storage", "view_parts.sql")[part]
    return dict(re.findall(r"^ +(`[\w.]+`|\w+) (.+?),?$", listed, flags=re.MULTILINE))


_SPAN_COLUMNS: Final = _columns("span_columns")
"""Of a decoded span. They travel through the stages as one tuple."""

TYPED_COLUMNS: Final = _columns("typed_columns")
"""What is made of it. Each is a part of its own, which needs those of all stages."""

_FROM_CONTENT: Final = (
    ("document_numbers", "system_messages"),
    ("prompt_texts",),
    ("RetrievedDocuments", "AgentFingerprint"),
)
"""What the first stage takes from content beside its own levels; a row that a Collector writes has none of it."""


def placeholders() -> dict[str, str]:
    """SQL by placeholder: for each stage the SELECT that adds its parts to the rows of ``{{name_from}}``."""
    lists = dialect_placeholders() | {"span_names": ", ".join(_SPAN_COLUMNS)}
    staged = _parts(lists | {"sent_keys": "sent_keys", "sent_texts": "sent_texts"})
    parts = _parts(lists | {"sent_keys": "mapKeys(SpanAttributes)", "sent_texts": "mapValues(SpanAttributes)"})
    levels_of = STAGES | {
        "typed_columns_found": tuple(
            level + more for level, more in zip_longest(STAGES["typed_columns_found"], _FROM_CONTENT, fillvalue=())
        ),
    }
    stages = {name: _nested(levels, staged, f"{{{{{name}_from}}}}") for name, levels in levels_of.items()}
    selected = ",\n".join(f"{parts[name]} AS {name}" for name in TYPED_COLUMNS)
    return {
        **stages,
        **lists,
        "typed_columns_found_from": staged["packed_span"],
        "span_unpacked": _unpacked(),
        "span_types": ", ".join(_SPAN_COLUMNS.values()),
        "typed_columns_meant_from": "otlp_spans_found",
        "typed_columns_counted_from": "otlp_spans_meant",
        "typed_columns_selected": selected,
        "typed_columns_of_a_row": _in_one(parts),
    }


def _unpacked() -> str:
    return ",\n".join(f"tupleElement(span, {place}) AS {name}" for place, name in enumerate(_SPAN_COLUMNS, start=1))


def _parts(lists: dict[str, str]) -> dict[str, str]:
    queries = load_queries("agentvigil.storage", "typed_columns.sql")
    return {name: _filled(sql, lists) for name, sql in queries.items()}


def _nested(levels: tuple[tuple[str, ...], ...], parts: dict[str, str], source: str) -> str:
    sql = source
    for level in levels:
        columns = ",\n".join(f"{parts[name]} AS {name}" for name in level)
        sql = f"(\nSELECT *,\n{columns}\nFROM {sql}\n)"
    return sql


def _in_one(parts: dict[str, str]) -> str:
    """All stages as one expression: a level's parts are the arguments of a lambda in which the next level stands."""
    sql = "tuple(" + ", ".join(parts[name] for name in TYPED_COLUMNS) + ")"
    for level in reversed([level for levels in STAGES.values() for level in levels]):
        values = ", ".join(f"[{parts[name]}]" for name in level)
        sql = f"arrayMap(({', '.join(level)}) -> {sql}, {values})[1]"
    return sql


def _filled(sql: str, lists: dict[str, str]) -> str:
    text = re.sub(r"\A(?:--.*\n)+", "", sql)
    return re.sub(r"\{\{(\w+)\}\}", lambda match: lists[match.group(1)], text).strip()
