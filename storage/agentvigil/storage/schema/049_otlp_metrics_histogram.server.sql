-- Where OTLP metric requests arrive for their histograms; a Null table, which stores nothing of what passes through. It has no
-- columns for the other kinds of metrics, so the decoder skips those; their tables get the same bytes.
CREATE TABLE IF NOT EXISTS otlp_metrics_histogram
(
    {{otlp_metrics_histogram_columns}}
)
ENGINE = Null
