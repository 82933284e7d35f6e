-- The third stage: spans with what they did, by whom and with which model.
CREATE TABLE IF NOT EXISTS otlp_spans_meant
(
    span Tuple({{span_types}}) COMMENT 'the columns of a span as they stand in otlp_spans',
    RetrievedDocuments Nullable(UInt32),
    AgentFingerprint String,
    StatusCode LowCardinality(String),
    dialect LowCardinality(String),
    targets Array(UInt8) COMMENT 'columns that something is said for, the most trusted first',
    code_texts Array(String) COMMENT 'what is said for each',
    says_more Bool COMMENT 'there is something among it that few spans say',
    exception_type String,
    operation String,
    framework String,
    provider String,
    finish_reason String,
    usage Array(Int64) COMMENT 'counts as sent, -1 for none',
    input_code UInt16,
    special_keys Array(LowCardinality(String)),
    special_numbers Array(UInt32),
    special_texts Array(String)
)
ENGINE = Null
