-- The last stage before otel_traces: spans with all typed columns but the list cost.
CREATE TABLE IF NOT EXISTS otlp_spans_counted
(
    span Tuple({{span_types}}) COMMENT 'the columns of a span as they stand in otlp_spans',
    RetrievedDocuments Nullable(UInt32),
    AgentFingerprint String,
    {{typed_columns}}
)
ENGINE = Null
