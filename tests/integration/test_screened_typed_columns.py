"""Withholding what people said takes nothing from what is known of a call.

Payloads of real libraries, with prompts, answers and tools in them, are stored once by each policy; every typed column
has to say the same.
"""

from typing import Any, Final

from trace_requests import admitted, take

import golden_payloads
from agentvigil.semconv.privacy import ContentPolicy
from agentvigil.storage.embedded import EmbeddedStore

COLUMNS: Final = (
    "Dialect", "Operation", "StepType", "Billing", "Provider", "RequestModel", "ResponseModel", "ResponseId",
    "AgentName", "AgentVersion", "WorkflowName", "ToolName", "ToolCallId", "ConversationId", "UserId", "StepName",
    "Framework", "ErrorType", "FinishReason", "TokenConvention", "InputTokens", "OutputTokens", "CacheReadTokens",
    "CacheWriteTokens", "ReasoningTokens", "ReportedCostUSD", "TimeToFirstChunk",
)  # fmt: skip


NO_LABELS: Final = {
    ("google-adk/google-adk-2.13.0/tool_error", "ToolCallId", "<not specified>"),
    (
        "semantic-kernel/semantic-kernel-native-1.45.0/rate_limited",
        "ErrorType",
        "<class 'semantic_kernel.exceptions.service_exceptions.ServiceResponseException'>",
    ),
}
"""What libraries put where an identifier should be; it becomes a hash."""


def typed_columns(store: EmbeddedStore, policy: ContentPolicy) -> dict[tuple[str, ...], dict[str, Any]]:
    """Of every span of projects whose name begins with the policy's, by payload and ids."""
    rows = store.rows(
        f"SELECT substring(Project, 3), TraceId, SpanId, {', '.join(COLUMNS)} FROM otel_traces "
        "WHERE startsWith(Project, {policy:String})",
        {"policy": f"{policy:d} "},
    )
    return {(name, trace, span): dict(zip(COLUMNS, values, strict=True)) for name, trace, span, *values in rows}


def test_real_librarys_spans_keep_their_typed_columns(store: EmbeddedStore) -> None:
    """A hash or a gap in one of these would be a call without a model, an agent without a name, a run without cost."""
    for policy in (ContentPolicy.OFF, ContentPolicy.FULL):
        take(
            store,
            *(
                admitted(
                    golden_payloads.message(golden.request).SerializeToString(),
                    policy=policy,
                    project=f"{policy:d} {golden.name}",
                )
                for golden in golden_payloads.all_goldens()
            ),
        )

    screened, whole = typed_columns(store, ContentPolicy.OFF), typed_columns(store, ContentPolicy.FULL)

    assert len(whole) > 50
    differ = {
        (ids[0], column, values[column], screened[ids][column])
        for ids, values in whole.items()
        for column in COLUMNS
        if values[column] != screened[ids][column]
    }
    assert {(name, column, said) for name, column, said, _ in differ} == NO_LABELS
