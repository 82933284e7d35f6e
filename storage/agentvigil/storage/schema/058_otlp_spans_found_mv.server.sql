-- Makes rows of otlp_spans_meant out of those of otlp_spans_found; see storage/selects/otlp_spans_meant.sql.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_spans_found_mv TO otlp_spans_meant AS
{{select_otlp_spans_meant_from_otlp_spans_found}}
