-- Makes rows of otel_metrics_summary out of those of otlp_metrics_summary; see storage/selects/otel_metrics_summary.sql.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_metrics_summary_mv TO otel_metrics_summary AS
{{select_otel_metrics_summary_from_otlp_metrics_summary}}
