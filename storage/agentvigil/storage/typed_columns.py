"""Puts the parts of ``typed_columns.sql`` together: as stages of nested SELECTs, and as one expression.

A part's name is a column for the parts after it. ClickHouse plans a view anew at each insert, and deeply nested SELECTs
cost it more than the same in a row of views, so there are three stages, each a view over what the one before wrote into
a Null table (docs/decisions/0010).
"""

import re
from typing import Final

from agentvigil.storage.dialect_sql import placeholders as dialect_placeholders
from agentvigil.storage.literals import quote
from agentvigil.storage.named_queries import load_queries

STAGES: Final = {
    "typed_columns_found": (
        ("scope_dialect", "all_keys", "name_dialect", "exception_type"),
        ("marker_rank", "operation_condition"),
        ("dialect",),
        ("derived",),
        ("found", "operation_entries"),
    ),
    "typed_columns_meant": (
        ("said",),
        (
            "first_operation",
            "standard_operation",
            "kind_operation",
            "name_operation",
            "providers",
            "request_model",
            "response_model",
            "counts",
            "input_code",
        ),
        ("operation", "framework", "provider", "usage", "finish_reason"),
    ),
    "typed_columns_counted": (
        ("cached", "reasoning", "declared_input", "declared_output"),
        ("beyond",),
        ("input_reading", "output_reading"),
        (
            "token_convention",
            "input_tokens",
            "output_tokens",
            "billing",
            "step_type",
            "reported_cost",
            "error_type",
        ),
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


_FROM_CONTENT: Final = (("document_numbers", "prompt_texts"), ("RetrievedDocuments", "AgentFingerprint"))
"""What the first stage takes from content beside its own levels; a row that a Collector writes has none of it."""


def placeholders() -> dict[str, str]:
    """SQL by placeholder: for each stage the SELECT that adds its parts to the rows of ``{{name_from}}``."""
    lists = dialect_placeholders()
    staged = _parts(lists | {"sent_keys": "sent_keys", "sent_text": "sent_texts[indexOf(sent_keys, k)]"})
    parts = _parts(lists | {"sent_keys": "mapKeys(SpanAttributes)", "sent_text": "SpanAttributes[k]"})
    first, second, *others = STAGES["typed_columns_found"]
    levels_of = STAGES | {
        "typed_columns_found": ((*first, *_FROM_CONTENT[0]), (*second, *_FROM_CONTENT[1]), *others),
    }
    stages = {name: _nested(levels, staged, f"{{{{{name}_from}}}}") for name, levels in levels_of.items()}
    selected = ",\n".join(f"{parts[name]} AS {name}" for name in TYPED_COLUMNS)
    return {
        **stages,
        **lists,
        "typed_columns_found_from": "otlp_spans",
        "typed_columns_meant_from": "otlp_spans_found",
        "typed_columns_counted_from": "otlp_spans_meant",
        "typed_columns_selected": selected,
        "typed_columns_of_a_row": _in_one(parts),
        "typed_column_list": ",\n".join(f"{name} {kind}" for name, kind in TYPED_COLUMNS.items()),
        "typed_column_types": ", ".join(TYPED_COLUMNS.values()),
        "typed_column_definitions": _definitions(),
    }


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
