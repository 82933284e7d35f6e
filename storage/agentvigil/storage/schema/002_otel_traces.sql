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
    Operation LowCardinality(String) MATERIALIZED NormalizedAttributes['gen_ai.operation.name'] CODEC(ZSTD(1)),
    Provider LowCardinality(String) MATERIALIZED NormalizedAttributes['gen_ai.provider.name'] CODEC(ZSTD(1)),
    RequestModel LowCardinality(String) MATERIALIZED NormalizedAttributes['gen_ai.request.model'] CODEC(ZSTD(1)),
    ResponseModel LowCardinality(String) MATERIALIZED NormalizedAttributes['gen_ai.response.model'] CODEC(ZSTD(1)),
    AgentName LowCardinality(String) MATERIALIZED NormalizedAttributes['gen_ai.agent.name'] CODEC(ZSTD(1)),
    AgentVersion LowCardinality(String) MATERIALIZED NormalizedAttributes['gen_ai.agent.version'] CODEC(ZSTD(1)),
    ConversationId String MATERIALIZED NormalizedAttributes['gen_ai.conversation.id'] CODEC(ZSTD(1)),
    ToolName LowCardinality(String) MATERIALIZED NormalizedAttributes['gen_ai.tool.name'] CODEC(ZSTD(1)),
    InputTokens Nullable(UInt64) MATERIALIZED toUInt64OrNull(NormalizedAttributes['gen_ai.usage.input_tokens'])
        CODEC(ZSTD(1)) COMMENT 'as sent; NULL is unknown, never 0',
    OutputTokens Nullable(UInt64) MATERIALIZED toUInt64OrNull(NormalizedAttributes['gen_ai.usage.output_tokens'])
        CODEC(ZSTD(1)) COMMENT 'as sent; NULL is unknown, never 0',
    CacheReadTokens Nullable(UInt64)
        MATERIALIZED toUInt64OrNull(NormalizedAttributes['gen_ai.usage.cache_read.input_tokens'])
        CODEC(ZSTD(1)) COMMENT 'as sent; NULL is unknown, never 0',
    CacheWriteTokens Nullable(UInt64)
        MATERIALIZED toUInt64OrNull(NormalizedAttributes['gen_ai.usage.cache_write.input_tokens'])
        CODEC(ZSTD(1)) COMMENT 'as sent; NULL is unknown, never 0',
    ReasoningTokens Nullable(UInt64)
        MATERIALIZED toUInt64OrNull(NormalizedAttributes['gen_ai.usage.reasoning.output_tokens'])
        CODEC(ZSTD(1)) COMMENT 'as sent; NULL is unknown, never 0',
    ErrorType LowCardinality(String) MATERIALIZED NormalizedAttributes['error.type'] CODEC(ZSTD(1)),

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
