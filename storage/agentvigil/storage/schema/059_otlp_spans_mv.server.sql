-- Makes rows of otlp_spans_found out of those of otlp_spans; see storage/selects/otlp_spans_found.sql.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_spans_mv TO otlp_spans_found AS
{{select_otlp_spans_found_from_otlp_spans}}
