"""The statements of this package's ``.sql`` files, with the lists of the vocabulary filled in.

The text that goes in is ours alone: nothing a sender or a user wrote ever comes here.
"""

import re
from typing import Final

from agentvigil.analysis.settling.failure_sql import failure_code, failure_type, operations_of
from agentvigil.semconv import failures
from agentvigil.semconv.enums import FailureType
from agentvigil.storage.literals import quote
from agentvigil.storage.named_queries import load_queries

_FILES: Final = ("tree.sql", "calls.sql", "rows.sql", "intake.sql", "state.sql")

_MODEL_FAMILY: Final = (
    "replaceRegexpOne(replaceRegexpOne(lower(if(raw.ResponseModel != '', raw.ResponseModel, raw.RequestModel)), "
    # Where it is offered: "openai/", "models/", "us.anthropic."
    r"'^(.*/)?(([a-z]{2,6}\\.)?(ai21|amazon|anthropic|cohere|deepseek|google|meta|mistral|openai|qwen)\\.)?', ''), "
    # Which edition: "-2024-08-06", "@20250514", "-20250929-v1:0", "-latest"
    r"'([-@](20[0-9]{2}-?[0-9]{2}-?[0-9]{2}|latest)|-v[0-9]+:[0-9]+|:latest)+$', '')"
)

_SIGHTING_KEYS: Final = (
    "arrayConcat("
    "if(ResponseId != '', [bitOr(cityHash64('response', Project, ResponseId), 1)], []), "
    "if(InputTokens > 0 AND OutputTokens IS NOT NULL, arrayMap("
    "shift -> bitAnd("
    "cityHash64('tokens', Project, ServiceName, InputTokens, intDiv(End, 2000000000) + shift), bitNot(toUInt64(1))), "
    "[0, 1]), []))"
)

_GATEWAY_TAGS: Final = {
    "metadata.user_api_key_alias": "api_key",
    "litellm.metadata.user_api_key_alias": "api_key",
    "metadata.user_api_key_hash": "api_key_hash",
    "litellm.api_key.hash": "api_key_hash",
    "metadata.user_api_key_team_alias": "api_key_team",
    "litellm.team.alias": "api_key_team",
}
"""What a gateway says of the key that a call came with, and the tag of the run that it becomes: names that people gave
and hashes, never what opens anything. LiteLLM spells them in two ways, by its first and its second OpenTelemetry
integration."""

_RUN_COLUMNS: Final = (
    "Project, Timestamp, RunId, TraceId, TopSpanId, KeepDays, Status, RunName, AgentName, AgentVersion, "
    "AgentFingerprint, WorkflowName, ConversationId, UserId, Tags, Environment, ServiceName, Framework, EndTimestamp, "
    "Duration, TimeToFirstChunk, Spans, Steps, Depth, LlmCalls, ToolCalls, Retrievals, NestedAgents, Retries, Models, "
    "Tools, Fingerprint, InputTokens, OutputTokens, CacheReadTokens, CacheWriteTokens, ReasoningTokens, "
    "UnknownUsageCalls, BilledCostUSD, ListCostUSD, ReportedCostUSD, UnpricedCalls, Failures, RecoveredFailures, "
    "CriticalPathModelTime, CriticalPathToolTime, CriticalPathRetrievalTime, CriticalPathOtherTime, "
    "HasLateSpans, DuplicateOfTraceId"
)
_STEP_COLUMNS: Final = (
    "Project, Timestamp, TraceId, SpanId, RunId, KeepDays, ParentStepId, Ordinal, Depth, StepType, StepName, "
    "Operation, AgentName, Attempt, ServiceName, Dialect, ScopeName, Provider, Model, ModelFamily, ToolName, "
    "ToolCallId, ResponseId, FinishReason, Duration, SelfTime, IsOnCriticalPath, CriticalPathTime, TimeToFirstChunk, "
    "InputTokens, OutputTokens, CacheReadTokens, CacheWriteTokens, ReasoningTokens, ListCostUSD, BilledCostUSD, "
    "ReportedCostUSD, Billing, Billed, BillingNote, DuplicateOfTraceId, DuplicateOfSpanId, DuplicateOfRank, "
    "SightingRank, Status, FailureType, FailureCode, FailureMessage, ErrorType, IsSoftFailure, IsRecovered, "
    "IsRootCause, IsVictim, RetrievedDocuments"
)


def _load() -> dict[str, str]:
    texts = {
        "failure_code": failure_code(failures.load()),
        "failure_type": failure_type(),
        "model_operations": operations_of(FailureType.MODEL),
        "retrieval_operations": operations_of(FailureType.RETRIEVAL),
        "model_family": _MODEL_FAMILY,
        "sighting_keys": _SIGHTING_KEYS,
        "gateway_attributes": ", ".join(map(quote, _GATEWAY_TAGS)),
        "gateway_tags": ", ".join(map(quote, _GATEWAY_TAGS.values())),
        "run_columns": _RUN_COLUMNS,
        "step_columns": _STEP_COLUMNS,
    }
    statements = {}
    for file_name in _FILES:
        for name, sql in load_queries("agentvigil.analysis.settling", file_name).items():
            statements[name] = re.sub(r"\{\{(\w+)\}\}", lambda match: texts[match.group(1)], sql)
    return statements


STATEMENTS: Final = _load()
"""Every statement by its name."""
