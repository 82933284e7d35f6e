-- Counts tokens as the conventions want them and names the columns.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_spans_counted_mv TO otlp_spans_counted AS
SELECT
    span,
    RetrievedDocuments,
    AgentFingerprint,
    {{typed_columns_selected}}
FROM {{typed_columns_counted}}
