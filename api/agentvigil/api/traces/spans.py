"""A span whole, as the API tells it."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import BaseModel, Field

from agentvigil.api.amounts import MoneyText, milliseconds, time_of, usd
from agentvigil.api.times import ToldTime
from agentvigil.api.traces.models import SpanError, SpanTokens

Attributes = dict[str, str]


class SpanEvent(BaseModel):
    """Something that happened at one time in a span."""

    name: str = Field(examples=["exception"])
    offset_ms: float = Field(description="from the start of the span")
    attributes: Attributes


class SpanLink(BaseModel):
    """Another span that this one has to do with."""

    trace_id: str
    span_id: str
    trace_state: str | None
    attributes: Attributes


class SpanScope(BaseModel):
    """The instrumentation that wrote a span."""

    name: str | None = Field(examples=["opentelemetry.instrumentation.genai.openai"])
    version: str | None
    schema_url: str | None
    attributes: Attributes


class SpanResource(BaseModel):
    """The process that a span is from."""

    schema_url: str | None
    attributes: Attributes = Field(examples=[{"service.name": "shop"}])


class StoredText(BaseModel):
    """One text of a span, exactly as it was sent."""

    key: str = Field(
        examples=["gen_ai.input.messages"],
        description="of the attribute; `events.1.name.key` of an event's, `links.1.key` of a link's, "
        "`logs.time.name.key` of a log record's",
    )
    text: str | None = Field(description="null where a message of it was deleted")


class Span(BaseModel):
    """Everything that is stored of one span. Attributes are told as texts, whatever they were sent as."""

    trace_id: str
    span_id: str = Field(examples=["00f067aa0ba902b7"])
    parent_span_id: str | None
    trace_state: str | None
    trace_flags: int
    name: str
    kind: str = Field(examples=["Client"])
    service: str | None
    started_at: ToldTime
    duration_ms: float
    status: str = Field(examples=["Unset"], description="Unset, Ok or Error")
    error: SpanError | None
    dialect: str | None = Field(description="which library's way of writing spans; null where it is not about AI")
    operation: str | None
    is_step: bool = Field(description="between an agent and its calls, without an operation of its own")
    billing: str | None = Field(description="what usage on the span means: leaf, sum, none or undecided")
    step_type: str | None
    step_name: str | None
    attempt: int | None
    provider: str | None
    request_model: str | None
    response_model: str | None
    response_id: str | None
    finish_reason: str | None
    agent: str | None
    agent_version: str | None
    prompt_fingerprint: str | None = Field(description="keyed hash of system prompt, tools and model")
    workflow: str | None
    tool: str | None
    tool_call_id: str | None
    session: str | None
    user: str | None
    framework: str | None
    retrieved_documents: int | None
    tokens: SpanTokens | None
    input_audio_tokens: int | None
    output_audio_tokens: int | None
    cache_read_audio_tokens: int | None
    token_convention: str | None = Field(description="how the sender counted, and why that is believed")
    service_tier: str | None
    list_cost_usd: MoneyText | None = Field(description="by the price list when the span came in")
    reported_cost_usd: MoneyText | None = Field(description="what the sender says it cost")
    time_to_first_chunk_ms: float | None
    attributes: Attributes
    resource: SpanResource
    scope: SpanScope
    events: list[SpanEvent]
    links: list[SpanLink]
    dropped_attributes: int = Field(description="cut off by the sender or our limits")
    dropped_events: int
    dropped_links: int
    withheld_keys: list[str] = Field(description="keys of which the project's policy withheld or replaced something")
    keep_days: int = Field(description="the span goes this many days after its start")
    received_at: ToldTime
    content: list[StoredText]
    content_policy: str = Field(examples=["off"], description="of the project, now: off, masked or full")
    content_hint: str | None = Field(description="why there is no content")

    @classmethod
    def of(
        cls,
        record: Mapping[str, Any],
        contents: Sequence[Mapping[str, Any]],
        content_policy: str,
        content_hint: str | None,
    ) -> Self:
        """Return the span of a row of otel_traces and its rows of span_content."""
        began_ns, first = record["timestamp_ns"], record["TimeToFirstChunk"]
        texts = {field: record[column] or None for field, column in _TEXTS.items()}
        events = zip(record["event_names"], record["event_times_ns"], record["event_attributes"], strict=True)
        links = zip(
            record["link_traces"], record["link_spans"], record["link_states"], record["link_attributes"], strict=True
        )
        return cls(
            **texts,
            trace_id=record["TraceId"],
            span_id=record["SpanId"],
            trace_flags=record["TraceFlags"],
            name=record["SpanName"],
            kind=record["SpanKind"],
            started_at=time_of(began_ns),
            duration_ms=milliseconds(record["Duration"]),
            status=record["StatusCode"],
            error=SpanError.of(record),
            is_step=record["IsStep"],
            attempt=record["Attempt"] or None,
            retrieved_documents=record["RetrievedDocuments"],
            tokens=SpanTokens.of(record),
            input_audio_tokens=record["InputAudioTokens"],
            output_audio_tokens=record["OutputAudioTokens"],
            cache_read_audio_tokens=record["CacheReadAudioTokens"],
            list_cost_usd=usd(record["ListCostUSD"]),
            reported_cost_usd=usd(record["ReportedCostUSD"]),
            time_to_first_chunk_ms=None if first is None else first * 1000,
            attributes=record["SpanAttributes"],
            resource=SpanResource(
                schema_url=record["ResourceSchemaUrl"] or None, attributes=record["ResourceAttributes"]
            ),
            scope=SpanScope(
                name=record["ScopeName"] or None,
                version=record["ScopeVersion"] or None,
                schema_url=record["ScopeSchemaUrl"] or None,
                attributes=record["ScopeAttributes"],
            ),
            events=[
                SpanEvent(name=name, offset_ms=milliseconds(at_ns - began_ns), attributes=attributes)
                for name, at_ns, attributes in events
            ],
            links=[
                SpanLink(trace_id=trace_id, span_id=span_id, trace_state=state or None, attributes=attributes)
                for trace_id, span_id, state, attributes in links
            ],
            dropped_attributes=record["DroppedAttributes"],
            dropped_events=record["DroppedEvents"],
            dropped_links=record["DroppedLinks"],
            withheld_keys=list(record["WithheldKeys"]),
            keep_days=record["KeepDays"],
            received_at=time_of(record["received_ms"] * 1_000_000),
            content=[StoredText(key=row["Key"], text=row["Text"]) for row in contents],
            content_policy=content_policy,
            content_hint=content_hint,
        )


_TEXTS = {
    "parent_span_id": "ParentSpanId",
    "trace_state": "TraceState",
    "service": "ServiceName",
    "dialect": "Dialect",
    "operation": "Operation",
    "billing": "Billing",
    "step_type": "StepType",
    "step_name": "StepName",
    "provider": "Provider",
    "request_model": "RequestModel",
    "response_model": "ResponseModel",
    "response_id": "ResponseId",
    "finish_reason": "FinishReason",
    "agent": "AgentName",
    "agent_version": "AgentVersion",
    "prompt_fingerprint": "AgentFingerprint",
    "workflow": "WorkflowName",
    "tool": "ToolName",
    "tool_call_id": "ToolCallId",
    "session": "ConversationId",
    "user": "UserId",
    "framework": "Framework",
    "token_convention": "TokenConvention",
    "service_tier": "ServiceTier",
}
"""Fields and the columns that they are, where an empty text says that nothing is known."""
