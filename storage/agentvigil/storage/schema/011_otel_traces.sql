-- Spans, one row each: the OpenTelemetry Collector's columns under their own names and types, so that Grafana, Rotel
-- and the Collector's exporter read and write them unconfigured, then ours, each with a default, so that a row which
-- a Collector writes gets them too.
CREATE TABLE IF NOT EXISTS otel_traces
(
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)) COMMENT 'start of the span',
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    TraceState String CODEC(ZSTD(1)),
    SpanName LowCardinality(String) CODEC(ZSTD(1)),
    SpanKind LowCardinality(String) CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion String CODEC(ZSTD(1)),
    SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    Duration UInt64 CODEC(T64, ZSTD(1)) COMMENT 'nanoseconds',
    StatusCode LowCardinality(String) CODEC(ZSTD(1)),
    StatusMessage String CODEC(ZSTD(1)),
    Events Nested
    (
        Timestamp DateTime64(9),
        Name LowCardinality(String),
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),
    Links Nested
    (
        TraceId String,
        SpanId String,
        TraceState String,
        Attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(1)),

    Project LowCardinality(String) DEFAULT 'default' CODEC(ZSTD(1)),
    KeepDays UInt16 DEFAULT 90 CODEC(ZSTD(1)) COMMENT 'retention class: the span goes this many days after its start',
    IngestedAt DateTime64(3) DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)) COMMENT 'when our receiver took the request',
    RequestHash FixedString(16) CODEC(ZSTD(1)) COMMENT 'of project and bytes of the request; zeros when a Collector wrote the row',
    RequestSpans UInt32 CODEC(ZSTD(1)) COMMENT 'spans of that request: fewer rows with its hash mean that it is not whole',
    ResourceSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
    ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
    TraceFlags UInt32 CODEC(ZSTD(1)),
    DroppedAttributes UInt32 CODEC(ZSTD(1)) COMMENT 'attributes the sender or our limit cut off',
    DroppedEvents UInt32 CODEC(ZSTD(1)) COMMENT 'events the sender or our limit cut off',
    DroppedLinks UInt32 CODEC(ZSTD(1)) COMMENT 'links the sender or our limit cut off',

    NormalizedAttributes Map(LowCardinality(String), String) ALIAS
        mapFromArrays(
            arrayMap(key -> transform(key, {{normalized_sources}}, {{normalized_targets}}, key), mapKeys(SpanAttributes)),
            mapValues(SpanAttributes))
        COMMENT 'SpanAttributes under the current conventions'' names',
    WithheldKeys Array(LowCardinality(String)) CODEC(ZSTD(1))
        COMMENT 'keys of which the project''s policy withheld or replaced something, numbers in them as N',
    RetrievedDocuments Nullable(UInt32) CODEC(ZSTD(1)) COMMENT 'documents a retrieval brought; NULL is unknown',
    AgentFingerprint String CODEC(ZSTD(1))
        COMMENT 'keyed hash of system prompt, tools and model, made before they were withheld',
    Dialect LowCardinality(String) CODEC(ZSTD(1))
        COMMENT 'which library''s way of writing spans; unknown: about AI in none we know; empty: not about AI',
    Operation LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'gen_ai.operation.name, however the span says it',
    IsStep Bool CODEC(ZSTD(1)) COMMENT 'a step between an agent and its calls, without an operation of its own',
    Billing LowCardinality(String) CODEC(ZSTD(1))
        COMMENT 'what usage on the span means: leaf is paid for, sum repeats what is below, none, undecided',
    StepType LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'plan, retrieve, tool, respond or other',
    StepName LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'name of the step, where one was said',
    Attempt UInt16 CODEC(ZSTD(1)) COMMENT 'as said by the sender, from 1; 0 is not said',
    Provider LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'gen_ai.provider.name',
    RequestModel LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'gen_ai.request.model',
    ResponseModel LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'gen_ai.response.model',
    ResponseId String CODEC(ZSTD(1)) COMMENT 'gen_ai.response.id',
    FinishReason LowCardinality(String) CODEC(ZSTD(1))
        COMMENT 'the first of gen_ai.response.finish_reasons: stop, length, tool_call, content_filter, error',
    AgentName LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'gen_ai.agent.name',
    AgentVersion LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'gen_ai.agent.version',
    WorkflowName LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'gen_ai.workflow.name',
    ToolName LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'gen_ai.tool.name',
    ToolCallId String CODEC(ZSTD(1)) COMMENT 'gen_ai.tool.call.id',
    ConversationId String CODEC(ZSTD(1)) COMMENT 'gen_ai.conversation.id',
    UserId String CODEC(ZSTD(1)) COMMENT 'user.id',
    Framework LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'framework that was named where a provider should be',
    InputTokens Nullable(UInt64) CODEC(ZSTD(1))
        COMMENT 'all input, with what a cache gave and took; NULL is unknown, never 0',
    OutputTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'all output, with reasoning; NULL is unknown, never 0',
    CacheReadTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'part of the input; NULL is unknown',
    CacheWriteTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'part of the input; NULL is unknown',
    ReasoningTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'part of the output; NULL is unknown',
    InputAudioTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'part of the input; NULL is unknown',
    OutputAudioTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'part of the output; NULL is unknown',
    CacheReadAudioTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'part of the input; NULL is unknown',
    TokenConvention LowCardinality(String) CODEC(ZSTD(1))
        COMMENT 'how the sender counted input and output, and why that is believed',
    ServiceTier LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'of the response, else of the request',
    ReportedCostUSD Nullable(Decimal(18, 9)) CODEC(ZSTD(1)) COMMENT 'what the sender says it cost; NULL is not said',
    TimeToFirstChunk Nullable(Float64) CODEC(ZSTD(1)) COMMENT 'seconds; NULL is not said',
    ErrorType LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'error.type, or what else on the span means an error',
    FailureType LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'agentvigil.failure.type',
    FailureCode LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'agentvigil.failure.code',
    ListCostUSD Nullable(Decimal(18, 9)) CODEC(ZSTD(1))
        COMMENT 'by the price list when the span came in; NULL is unpriced or unknown, never 0',

    INDEX idx_trace_id TraceId TYPE text(tokenizer = 'array'),
    INDEX idx_duration Duration TYPE minmax GRANULARITY 1,
    INDEX idx_ingested_at IngestedAt TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY (toDate(Timestamp), KeepDays)
PRIMARY KEY (ServiceName, SpanName, toDateTime(Timestamp))
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp), Timestamp)
TTL toDateTime(Timestamp) + toIntervalDay(KeepDays)
SETTINGS ttl_only_drop_parts = 1
