-- Makes rows of otlp_contents_split out of those of otlp_contents; see storage/selects/otlp_contents_split.sql.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_contents_split_mv TO otlp_contents_split AS
{{select_otlp_contents_split_from_otlp_contents}}
