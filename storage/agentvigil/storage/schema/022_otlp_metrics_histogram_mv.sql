-- Turns OTLP requests into rows of otel_metrics_histogram, as otlp_traces_mv does for spans. A metric of another
-- kind has no data points here, so it gives no rows.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_metrics_histogram_mv TO otel_metrics_histogram AS
WITH
    {{attribute_lambdas}}
SELECT
    {{data_point_columns}},
    tupleElement(point, 'count') AS Count,
    {{sum_min_max}},
    AggregationTemporality,
    tupleElement(point, 'bucket_counts') AS BucketCounts,
    tupleElement(point, 'explicit_bounds') AS ExplicitBounds,
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
            tupleElement(tupleElement(metric, 'histogram'), 'aggregation_temporality')
                AS AggregationTemporality,
            tupleElement(tupleElement(metric, 'histogram'), 'data_points') AS points
        FROM
        (
            SELECT
                {{metric_envelope}}
            FROM otlp_metrics_histogram
        )
    )
)
