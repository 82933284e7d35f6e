-- The second stage: spans with their dialect and what their attributes say under the current conventions' names.
CREATE TABLE IF NOT EXISTS otlp_spans_found
(
    {{span_columns}},
    RetrievedDocuments Nullable(UInt32),
    AgentFingerprint String,
    dialect String,
    found Array(Tuple(UInt16, String)) COMMENT 'code and text, the most trusted first',
    operation_entries Array(UInt8),
    exception_type String
)
ENGINE = Null
