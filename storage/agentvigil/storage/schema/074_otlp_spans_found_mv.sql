-- Recognises the dialect, looks every key up in the one table of keys (typed_columns.sql), and takes from content what
-- may be known of it.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_spans_found_mv TO otlp_spans_found AS
SELECT
    span, RetrievedDocuments, AgentFingerprint, SpanAttributes, SpanName, ParentSpanId, StatusCode, dialect, codes,
    code_texts, operation_entries, exception_type
FROM {{typed_columns_found}}
