-- Where OTLP log requests of projects that let content be stored arrive once more, before they arrive at otlp_logs.
CREATE TABLE IF NOT EXISTS otlp_log_contents
(
    {{otlp_logs_columns}}
)
ENGINE = Null
