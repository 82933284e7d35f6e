-- The second stage: spans with their dialect and what their attributes say under the current conventions' names.
CREATE TABLE IF NOT EXISTS otlp_spans_found
(
    span Tuple({{span_types}}) COMMENT 'the columns of a span as they stand in otlp_spans',
    RetrievedDocuments Nullable(UInt32),
    AgentFingerprint String,
    SpanName LowCardinality(String),
    ParentSpanId String,
    StatusCode LowCardinality(String),
    dialect LowCardinality(String),
    codes Array(UInt16) COMMENT 'what the span says, the most trusted first',
    code_texts Array(String),
    operation_entries Array(UInt8),
    said_operation_name String,
    exception_type String,
    special_keys Array(LowCardinality(String)),
    special_numbers Array(UInt32),
    special_texts Array(String)
)
ENGINE = Null
