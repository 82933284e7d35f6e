-- Decodes requests of metrics into data points of exponential histograms, applies limits and withholds what the project's policy does not
-- let through.
WITH
    {{screening_lambdas}}
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
        {{data_point}}
    FROM {{screening_steps}}
    (
        SELECT
            {{point_sent}}
        FROM
        (
            SELECT
                {{metric_points}},
                        tupleElement(point, 'exemplars') AS exemplars
            FROM
            (
                SELECT
                    {{screened_metric}}
                FROM {{screening_steps}}
                (
                    SELECT
                        {{metric_fields}}
                    FROM
                    (
                        SELECT
                            {{metric_envelope}},
                            tupleElement(tupleElement(metric, 'exponential_histogram'), 'data_points') AS points,
                            tupleElement(tupleElement(metric, 'exponential_histogram'), 'aggregation_temporality') AS AggregationTemporality
                        FROM {{rows}}
                    )
                ) {{screening_steps_end}}
            )
        )
    ) {{screening_steps_end}}
)
