"""Puts the parts of ``typed_columns.sql`` together: as stages of nested SELECTs, and as one expression.

A part's name is a column for the parts after it. ClickHouse plans a view anew at each insert, and what that costs grows
with levels times columns: so there are three stages, each a view over what the one before wrote into a Null table, and
what they only hand on is one column, a tuple (docs/decisions/0010).
"""

import re
from itertools import zip_longest
from typing import Final

from agentvigil.storage.dialect_sql import placeholders as dialect_placeholders
from agentvigil.storage.literals import quote
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


TYPED_COLUMNS: Final = {
    "Dialect": "LowCardinality(String)",
    "Operation": "LowCardinality(String)",
    "IsStep": "Bool",
    "Billing": "LowCardinality(String)",
    "StepType": "LowCardinality(String)",
    "StepName": "LowCardinality(String)",
    "Attempt": "UInt16",
    "Provider": "LowCardinality(String)",
    "RequestModel": "LowCardinality(String)",
    "ResponseModel": "LowCardinality(String)",
    "ResponseId": "String",
    "FinishReason": "LowCardinality(String)",
    "AgentName": "LowCardinality(String)",
    "AgentVersion": "LowCardinality(String)",
    "WorkflowName": "LowCardinality(String)",
    "ToolName": "LowCardinality(String)",
    "ToolCallId": "String",
    "ConversationId": "String",
    "UserId": "String",
    "Framework": "LowCardinality(String)",
    "InputTokens": "Nullable(UInt64)",
    "OutputTokens": "Nullable(UInt64)",
    "CacheReadTokens": "Nullable(UInt64)",
    "CacheWriteTokens": "Nullable(UInt64)",
    "ReasoningTokens": "Nullable(UInt64)",
    "InputAudioTokens": "Nullable(UInt64)",
    "OutputAudioTokens": "Nullable(UInt64)",
    "CacheReadAudioTokens": "Nullable(UInt64)",
    "TokenConvention": "LowCardinality(String)",
    "ServiceTier": "LowCardinality(String)",
    "ReportedCostUSD": "Nullable(Decimal(18, 9))",
    "TimeToFirstChunk": "Nullable(Float64)",
    "ErrorType": "LowCardinality(String)",
    "FailureType": "LowCardinality(String)",
    "FailureCode": "LowCardinality(String)",
}
"""The columns and their types. Each is a part of its own, which needs those of all stages."""


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
        "typed_column_list": ",\n".join(f"{name} {kind}" for name, kind in TYPED_COLUMNS.items()),
        "typed_column_types": ", ".join(TYPED_COLUMNS.values()),
        "typed_column_definitions": _definitions(),
    }


_SPAN_COLUMNS: Final = dict(
    re.findall(
        r"^ +(`[\w.]+`|\w+) (.+?),?$",
        load_queries("agentvigil.storage", "view_parts.sql")["span_columns"],
        flags=re.MULTILINE,
    )
)
"""The columns of a decoded span and their types. They travel through the stages as one tuple."""


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


def _definitions() -> str:
    """Actions of an ALTER that make the columns, or change those that the table was made with."""
    actions = []
    for place, (name, kind) in enumerate(TYPED_COLUMNS.items(), start=1):
        action = "MODIFY COLUMN" if name in _FROM_THE_START else "ADD COLUMN IF NOT EXISTS"
        default = f"DEFAULT tupleElement(Typed, {place}) CODEC(ZSTD(1)) COMMENT {quote(_COMMENTS[name])}"
        actions.append(f"{action} {name} {kind} {default}")
    return ",\n".join(actions)


_FROM_THE_START: Final = frozenset(
    {
        "Operation",
        "Provider",
        "RequestModel",
        "ResponseModel",
        "AgentName",
        "AgentVersion",
        "ConversationId",
        "ToolName",
        "InputTokens",
        "OutputTokens",
        "CacheReadTokens",
        "CacheWriteTokens",
        "ReasoningTokens",
        "ErrorType",
    }
)
"""Columns that 002_otel_traces.sql makes."""

_COMMENTS: Final = {
    "Dialect": "which library's way of writing spans; unknown: about AI in none we know; empty: not about AI",
    "Operation": "gen_ai.operation.name, however the span says it",
    "IsStep": "a step between an agent and its calls, without an operation of its own",
    "Billing": "what usage on the span means: leaf is paid for, sum repeats what is below, none, undecided",
    "StepType": "plan, retrieve, tool, respond or other",
    "StepName": "name of the step, where one was said",
    "Attempt": "as said by the sender, from 1; 0 is not said",
    "Provider": "gen_ai.provider.name",
    "RequestModel": "gen_ai.request.model",
    "ResponseModel": "gen_ai.response.model",
    "ResponseId": "gen_ai.response.id",
    "FinishReason": "the first of gen_ai.response.finish_reasons: stop, length, tool_call, content_filter, error",
    "AgentName": "gen_ai.agent.name",
    "AgentVersion": "gen_ai.agent.version",
    "WorkflowName": "gen_ai.workflow.name",
    "ToolName": "gen_ai.tool.name",
    "ToolCallId": "gen_ai.tool.call.id",
    "ConversationId": "gen_ai.conversation.id",
    "UserId": "user.id",
    "Framework": "framework that was named where a provider should be",
    "InputTokens": "all input, with what a cache gave and took; NULL is unknown, never 0",
    "OutputTokens": "all output, with reasoning; NULL is unknown, never 0",
    "CacheReadTokens": "part of the input; NULL is unknown",
    "CacheWriteTokens": "part of the input; NULL is unknown",
    "ReasoningTokens": "part of the output; NULL is unknown",
    "InputAudioTokens": "part of the input; NULL is unknown",
    "OutputAudioTokens": "part of the output; NULL is unknown",
    "CacheReadAudioTokens": "part of the input; NULL is unknown",
    "TokenConvention": "how the sender counted input and output, and why that is believed",
    "ServiceTier": "of the response, else of the request",
    "ReportedCostUSD": "what the sender says it cost; NULL is not said",
    "TimeToFirstChunk": "seconds; NULL is not said",
    "ErrorType": "error.type, or what else on the span means an error",
    "FailureType": "agentvigil.failure.type",
    "FailureCode": "agentvigil.failure.code",
}


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
