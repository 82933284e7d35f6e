-- Makes rows of otlp_contents out of those of otlp_log_contents; see storage/selects/otlp_log_contents.sql.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_log_contents_mv TO otlp_contents AS
{{select_otlp_log_contents_from_otlp_log_contents}}
