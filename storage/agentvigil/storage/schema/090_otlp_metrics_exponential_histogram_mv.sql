-- Screens data points of exponential histograms by their project's policy, as otlp_logs_mv does log records.
ALTER TABLE otlp_metrics_exponential_histogram_mv MODIFY QUERY
WITH
    {{screening_lambdas}}
SELECT
    {{screened_data_point_columns}},
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
        {{screened_data_point}},
        tupleElement(point, 'exemplars') AS exemplars
    FROM
    (
        SELECT
            {{screened_metric}}
        FROM
        (
            SELECT
                * EXCEPT (resource_metric, scope_metric),
                tupleElement(tupleElement(scope_metric, 'scope'), 'dropped_attributes_count') AS ScopeDroppedAttrCount,
                tupleElement(tupleElement(metric, 'exponential_histogram'), 'data_points') AS points,
                tupleElement(tupleElement(metric, 'exponential_histogram'), 'aggregation_temporality')
                    AS AggregationTemporality,
                {{screened_points}}
            FROM
            (
                SELECT
                    {{metric_envelope}},
                    {{policy_of_envelope}},
                    arrayJoin(tupleElement(scope_metric, 'metrics')) AS metric
                FROM otlp_metrics_exponential_histogram
            )
        )
    )
)
