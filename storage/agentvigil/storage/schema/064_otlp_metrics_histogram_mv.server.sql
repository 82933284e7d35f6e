-- Makes rows of otel_metrics_histogram out of those of otlp_metrics_histogram; see storage/selects/otel_metrics_histogram.sql.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_metrics_histogram_mv TO otel_metrics_histogram AS
{{select_otel_metrics_histogram_from_otlp_metrics_histogram}}
