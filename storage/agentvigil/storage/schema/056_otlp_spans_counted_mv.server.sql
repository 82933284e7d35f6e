-- Makes rows of otel_traces out of those of otlp_spans_counted; see storage/selects/otel_traces.sql.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_spans_counted_mv TO otel_traces AS
{{select_otel_traces_from_otlp_spans_counted}}
