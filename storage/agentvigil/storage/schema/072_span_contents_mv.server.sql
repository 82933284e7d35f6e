-- Makes rows of span_contents out of those of otlp_contents_split; see storage/selects/span_contents.sql.
CREATE MATERIALIZED VIEW IF NOT EXISTS span_contents_mv TO span_contents AS
{{select_span_contents_from_otlp_contents_split}}
