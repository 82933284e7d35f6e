-- Makes rows of otlp_spans_counted out of those of otlp_spans_meant; see storage/selects/otlp_spans_counted.sql.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_spans_meant_mv TO otlp_spans_counted AS
{{select_otlp_spans_counted_from_otlp_spans_meant}}
