-- Where OTLP metric requests arrive for their summaries; a Null table, which stores nothing of what passes through. It has no
-- columns for the other kinds of metrics, so the decoder skips those; their tables get the same bytes.
CREATE TABLE IF NOT EXISTS otlp_metrics_summary
(
    {{otlp_metrics_summary_columns}}
)
ENGINE = Null
