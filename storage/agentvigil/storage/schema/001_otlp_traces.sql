-- Where OTLP trace requests arrive, in OTLP's own shape inside an envelope (see otlp.proto); a Null table: it stores
-- nothing, the view otlp_traces_mv turns what passes through into rows of otel_traces.
CREATE TABLE IF NOT EXISTS otlp_traces
(
    request Tuple(
        resource_spans Array(Tuple(
            resource Tuple(attributes {{key_values}}),
            schema_url LowCardinality(String),
            scope_spans Array(Tuple(
                scope Tuple(name LowCardinality(String), version LowCardinality(String), attributes {{key_values}}),
                schema_url LowCardinality(String),
                spans Array(Tuple(
                    trace_id String,
                    span_id String,
                    trace_state String,
                    parent_span_id String,
                    flags UInt32,
                    name LowCardinality(String),
                    kind Int32,
                    start_time_unix_nano UInt64,
                    end_time_unix_nano UInt64,
                    attributes {{key_values}},
                    dropped_attributes_count UInt32,
                    events Array(Tuple(
                        time_unix_nano UInt64,
                        name LowCardinality(String),
                        attributes {{key_values}})),
                    dropped_events_count UInt32,
                    links Array(Tuple(
                        trace_id String,
                        span_id String,
                        trace_state String,
                        attributes {{key_values}})),
                    dropped_links_count UInt32,
                    status Tuple(message String, code Int32)))))))),
    project String,
    received_at UInt64,
    hash String,
    spans UInt32,
    keep_days UInt32,
    max_attributes UInt32,
    max_events UInt32,
    max_links UInt32
)
ENGINE = Null
