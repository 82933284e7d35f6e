-- Log records, one row each: the OpenTelemetry Collector's columns under their own names and types, then ours, each
-- with a default. What the Collector copies out of ResourceAttributes is an ALIAS here: it reads the same and costs
-- nothing to insert.
CREATE TABLE IF NOT EXISTS otel_logs
(
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    TraceFlags UInt8 CODEC(ZSTD(1)),
    SeverityText LowCardinality(String) CODEC(ZSTD(1)),
    SeverityNumber UInt8 CODEC(ZSTD(1)) COMMENT '1 to 24; 0 is unknown',
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    Body String CODEC(ZSTD(1)),
    ResourceSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion LowCardinality(String) CODEC(ZSTD(1)),
    ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    LogAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    EventName String CODEC(ZSTD(1)),
    `__otel_materialized_k8s.cluster.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.cluster.name'],
    `__otel_materialized_k8s.container.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.container.name'],
    `__otel_materialized_k8s.deployment.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.deployment.name'],
    `__otel_materialized_k8s.namespace.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.namespace.name'],
    `__otel_materialized_k8s.node.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.node.name'],
    `__otel_materialized_k8s.pod.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.pod.name'],
    `__otel_materialized_k8s.pod.uid` LowCardinality(String) ALIAS ResourceAttributes['k8s.pod.uid'],
    `__otel_materialized_deployment.environment.name` LowCardinality(String)
        ALIAS ResourceAttributes['deployment.environment.name'],
    TimestampTime DateTime ALIAS toDateTime(Timestamp)
        COMMENT 'for readers made for the Collector''s schema before 0.151',

    Project LowCardinality(String) DEFAULT 'default' CODEC(ZSTD(1)),
    KeepDays UInt16 DEFAULT 90 CODEC(ZSTD(1))
        COMMENT 'retention class: the record goes this many days after its Timestamp',
    IngestedAt DateTime64(3) DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)) COMMENT 'when our receiver took the request',
    RequestHash FixedString(16) CODEC(ZSTD(1))
        COMMENT 'of project and bytes of the request; zeros when a Collector wrote the row',
    RequestLogRecords UInt32 CODEC(ZSTD(1))
        COMMENT 'records of that request: fewer rows with its hash mean that it is not whole',
    ObservedTimestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)) COMMENT '1970 when the sender did not say',
    BodyWithheld Bool CODEC(ZSTD(1)) COMMENT 'the project''s policy withheld the body, or something of it',
    DroppedAttributes UInt32 CODEC(ZSTD(1)) COMMENT 'attributes the sender or our limit cut off',
    WithheldKeys Array(LowCardinality(String)) CODEC(ZSTD(1))
        COMMENT 'keys of which the project''s policy withheld or replaced something, numbers in them as N',

    NormalizedAttributes Map(LowCardinality(String), String) ALIAS
        mapFromArrays(
            arrayMap(
                key -> transform(key, {{normalized_sources}}, {{normalized_targets}}, key),
                mapKeys(LogAttributes)),
            mapValues(LogAttributes))
        COMMENT 'LogAttributes under the current conventions'' names',
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
    INDEX idx_ingested_at IngestedAt TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY (toDate(Timestamp), KeepDays)
ORDER BY (toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp)
TTL toDateTime(Timestamp) + toIntervalDay(KeepDays)
SETTINGS ttl_only_drop_parts = 1
