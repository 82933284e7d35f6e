-- The third stage: spans with what they did, by whom and with which model.
CREATE TABLE IF NOT EXISTS otlp_spans_meant
(
    span Tuple({{span_types}}) COMMENT 'the columns of a span as they stand in otlp_spans',
    RetrievedDocuments Nullable(UInt32),
    AgentFingerprint String,
    SpanAttributes Map(LowCardinality(String), String),
    StatusCode LowCardinality(String),
    dialect String,
    said Map(UInt16, String) COMMENT 'by the number of the target',
    exception_type String,
    operation String,
    framework String,
    provider String,
    finish_reason String,
    usage Array(Int64) COMMENT 'counts as sent, -1 for none',
    input_code UInt16
)
ENGINE = Null
