-- Tells operation, provider and framework from what was found.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_spans_meant_mv TO otlp_spans_meant AS
SELECT
    span, RetrievedDocuments, AgentFingerprint, SpanAttributes, StatusCode, dialect, said, exception_type, operation,
    framework, provider, finish_reason, usage, input_code
FROM {{typed_columns_meant}}
