-- Where OTLP log requests arrive; a Null table, which stores nothing of what passes through.
CREATE TABLE IF NOT EXISTS otlp_logs
(
    {{otlp_logs_columns}}
)
ENGINE = Null
