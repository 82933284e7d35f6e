-- Where OTLP metric requests arrive for their exponential histograms; a Null table, read by a view alone. It has no
-- columns for the other kinds of metrics, so the decoder skips those; their tables get the same bytes.
CREATE TABLE IF NOT EXISTS otlp_metrics_exponential_histogram
(
    request Tuple(
        resource_metrics Array(Tuple(
            resource Tuple(attributes {{key_values}}),
            schema_url LowCardinality(String),
            scope_metrics Array(Tuple(
                scope Tuple(
                    name LowCardinality(String),
                    version LowCardinality(String),
                    attributes {{key_values}},
                    dropped_attributes_count UInt32),
                schema_url LowCardinality(String),
                metrics Array(Tuple(
                    name LowCardinality(String),
                    description LowCardinality(String),
                    unit LowCardinality(String),
                    data {{metric_data}},
                    exponential_histogram Tuple(
                        data_points Array(Tuple(
                            start_time_unix_nano UInt64,
                            time_unix_nano UInt64,
                            count UInt64,
                            sum Nullable(Float64),
                            scale Int32,
                            zero_count UInt64,
                            zero_threshold Float64,
                            positive Tuple(offset Int32, bucket_counts Array(UInt64)),
                            negative Tuple(offset Int32, bucket_counts Array(UInt64)),
                            min Nullable(Float64),
                            max Nullable(Float64),
                            exemplars Array(Tuple(
                                time_unix_nano UInt64,
                                value {{exemplar_value}},
                                as_double Float64,
                                as_int Int64,
                                span_id String,
                                trace_id String,
                                filtered_attributes {{key_values}})),
                            attributes {{key_values}},
                            flags UInt32)),
                        aggregation_temporality Int32)))))))),
    project String,
    received_at UInt64,
    hash String,
    data_points UInt32,
    keep_days UInt32,
    max_attributes UInt32
)
ENGINE = Null
