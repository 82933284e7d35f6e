-- Makes rows of otel_logs out of those of otlp_logs; see storage/selects/otel_logs.sql.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_logs_mv TO otel_logs AS
{{select_otel_logs_from_otlp_logs}}
