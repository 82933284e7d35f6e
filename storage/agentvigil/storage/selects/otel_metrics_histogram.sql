-- Decodes requests of metrics into data points of histograms, applies limits and withholds what the project's policy does not
-- let through.
WITH
    {{screening_lambdas}}
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
                            tupleElement(tupleElement(metric, 'histogram'), 'data_points') AS points,
                            tupleElement(tupleElement(metric, 'histogram'), 'aggregation_temporality') AS AggregationTemporality
                        FROM {{rows}}
                    )
                ) {{screening_steps_end}}
            )
        )
    ) {{screening_steps_end}}
)
