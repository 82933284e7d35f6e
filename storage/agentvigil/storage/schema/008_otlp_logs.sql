-- Where OTLP log requests arrive, in OTLP's own shape inside an envelope (see otlp.proto); a Null table, read by the
-- view otlp_logs_mv alone.
CREATE TABLE IF NOT EXISTS otlp_logs
(
    request Tuple(
        resource_logs Array(Tuple(
            resource Tuple(attributes {{key_values}}),
            schema_url LowCardinality(String),
            scope_logs Array(Tuple(
                scope Tuple(name LowCardinality(String), version LowCardinality(String), attributes {{key_values}}),
                schema_url LowCardinality(String),
                log_records Array(Tuple(
                    time_unix_nano UInt64,
                    observed_time_unix_nano UInt64,
                    severity_number Int32,
                    severity_text LowCardinality(String),
                    body {{any_value}},
                    attributes {{key_values}},
                    dropped_attributes_count UInt32,
                    flags UInt32,
                    trace_id String,
                    span_id String,
                    event_name LowCardinality(String)))))))),
    project String,
    received_at UInt64,
    hash String,
    log_records UInt32,
    keep_days UInt32,
    max_attributes UInt32
)
ENGINE = Null
