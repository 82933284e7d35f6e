-- Turns OTLP requests into rows of otel_metrics_exponential_histogram, as otlp_traces_mv does for spans. A metric of another
-- kind has no data points here, so it gives no rows.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_metrics_exponential_histogram_mv TO otel_metrics_exponential_histogram AS
WITH
    {{attribute_lambdas}}
SELECT
    {{data_point_columns}},
    tupleElement(point, 'count') AS Count,
    {{sum_min_max}},
    AggregationTemporality,
    tupleElement(point, 'scale') AS Scale,
    tupleElement(point, 'zero_count') AS ZeroCount,
    tupleElement(point, 'zero_threshold') AS ZeroThreshold,
    tupleElement(tupleElement(point, 'positive'), 'offset') AS PositiveOffset,
    tupleElement(tupleElement(point, 'positive'), 'bucket_counts') AS PositiveBucketCounts,
    tupleElement(tupleElement(point, 'negative'), 'offset') AS NegativeOffset,
    tupleElement(tupleElement(point, 'negative'), 'bucket_counts') AS NegativeBucketCounts,
    {{exemplar_columns}}
FROM
(
    SELECT
        {{data_point}},
        {{data_point_and_exemplar_maps}}
    FROM
    (
        SELECT
            {{metric}},
            tupleElement(tupleElement(metric, 'exponential_histogram'), 'aggregation_temporality')
                AS AggregationTemporality,
            tupleElement(tupleElement(metric, 'exponential_histogram'), 'data_points') AS points
        FROM
        (
            SELECT
                {{metric_envelope}}
            FROM otlp_metrics_exponential_histogram
        )
    )
)
