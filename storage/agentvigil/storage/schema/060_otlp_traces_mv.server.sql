-- Makes rows of otlp_spans out of those of otlp_traces; see storage/selects/otlp_spans.sql.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_traces_mv TO otlp_spans AS
{{select_otlp_spans_from_otlp_traces}}
