-- Makes rows of otel_metrics_gauge out of those of otlp_metrics_gauge; see storage/selects/otel_metrics_gauge.sql.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_metrics_gauge_mv TO otel_metrics_gauge AS
{{select_otel_metrics_gauge_from_otlp_metrics_gauge}}
