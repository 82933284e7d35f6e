-- Makes rows of otel_metrics_sum out of those of otlp_metrics_sum; see storage/selects/otel_metrics_sum.sql.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_metrics_sum_mv TO otel_metrics_sum AS
{{select_otel_metrics_sum_from_otlp_metrics_sum}}
