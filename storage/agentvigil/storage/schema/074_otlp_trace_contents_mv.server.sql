-- Makes rows of otlp_contents out of those of otlp_trace_contents; see storage/selects/otlp_contents.sql.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_trace_contents_mv TO otlp_contents AS
{{select_otlp_contents_from_otlp_trace_contents}}
