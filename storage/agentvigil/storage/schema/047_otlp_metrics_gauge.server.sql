-- Where OTLP metric requests arrive for their gauges; a Null table, which stores nothing of what passes through. It has no
-- columns for the other kinds of metrics, so the decoder skips those; their tables get the same bytes.
CREATE TABLE IF NOT EXISTS otlp_metrics_gauge
(
    {{otlp_metrics_gauge_columns}}
)
ENGINE = Null
