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
from agentvigil.storage.nested_selects import around, part

STAGES: Final = {
    "typed_columns_found": (
        (
            "scope_dialect",
            "name_dialect",
            "marker_rank",
            "exception_type",
            "operation_condition",
            "said_operation_name",
        ),
        ("dialect",),
        ("derived", "operation_entries"),
        ("key_codes", "key_texts"),
        ("believed_codes",),
        ("codes", "code_texts"),
    ),
    "typed_columns_meant": (
        ("targets",),
        ("says_more", "standard_operation", "first_entry", "kind_entry", "providers", "input_code"),
        ("first_operation", "operation_of_step", "counts", "said_reason"),
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

_OF_A_ROW: Final = (
    ("keys", "texts"),
    ("known_numbers",),
    ("key_numbers",),
    ("special_keys", "special_texts", "special_numbers", "sent_rank", "resource_rank"),
)
"""What a row that a Collector writes has instead of what screening found out of a span."""

_FROM_CONTENT: Final = (
    ("document_numbers", "system_messages"),
    ("prompt_texts",),
    ("RetrievedDocuments", "AgentFingerprint"),
)
"""What the first stage takes from content beside its own levels; a row that a Collector writes has none of it."""


def placeholders() -> dict[str, str]:
    """SQL by placeholder: for each stage the SELECT that adds its parts to the rows of ``{{name_from}}``."""
    lists = dialect_placeholders() | {"span_names": ", ".join(_SPAN_COLUMNS), "rows": "{{rows}}"}
    parts = _parts(lists)
    levels_of = STAGES | {
        "typed_columns_found": tuple(
            (*level, *more) for level, more in zip_longest(STAGES["typed_columns_found"], _FROM_CONTENT, fillvalue=())
        ),
    }
    sources = {
        "typed_columns_found": parts["packed_span"],
        "typed_columns_meant": "{{rows}}",
        "typed_columns_counted": "{{rows}}",
    }
    stages = {name: source.join(around(levels_of[name], parts)) for name, source in sources.items()}
    selected = ",\n".join(f"{parts[name]} AS {name}" for name in TYPED_COLUMNS)
    return {
        **stages,
        **lists,
        "span_unpacked": _unpacked(),
        "span_types": ", ".join(_SPAN_COLUMNS.values()),
        "typed_columns_selected": selected,
        "typed_columns_of_a_row": _in_one(parts),
        "resource_rank": parts["resource_rank"],
    }


def _unpacked() -> str:
    return ",\n".join(f"tupleElement(span, {place}) AS {name}" for place, name in enumerate(_SPAN_COLUMNS, start=1))


def _parts(lists: dict[str, str]) -> dict[str, str]:
    queries = load_queries("agentvigil.storage", "typed_columns.sql")
    return {name: _filled(sql, lists) for name, sql in queries.items()}


def _in_one(parts: dict[str, str]) -> str:
    """All stages as one expression: a level's parts are the arguments of a lambda in which the next level stands."""
    sql = "tuple(" + ", ".join(parts[name] for name in TYPED_COLUMNS) + ")"
    # All keys that were sent are those that are there.
    parts = {name: sql.replace("sent_keys", "keys") for name, sql in parts.items()}
    for level in reversed([*_OF_A_ROW, *(level for levels in STAGES.values() for level in levels)]):
        values = ", ".join(f"[{parts[name]}]" for name in level)
        sql = f"arrayMap(({', '.join(level)}) -> {sql}, {values})[1]"
    return sql


def _filled(sql: str, lists: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: lists[match.group(1)], part(sql))
