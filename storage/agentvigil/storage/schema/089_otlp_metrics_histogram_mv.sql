-- Screens data points of histograms by their project's policy, as otlp_logs_mv does log records.
ALTER TABLE otlp_metrics_histogram_mv MODIFY QUERY
WITH
    {{screening_lambdas}}
SELECT
    {{screened_data_point_columns}},
    tupleElement(point, 'count') AS Count,
    {{sum_min_max}},
    AggregationTemporality,
    tupleElement(point, 'bucket_counts') AS BucketCounts,
    tupleElement(point, 'explicit_bounds') AS ExplicitBounds,
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
                tupleElement(tupleElement(metric, 'histogram'), 'data_points') AS points,
                tupleElement(tupleElement(metric, 'histogram'), 'aggregation_temporality') AS AggregationTemporality,
                {{screened_points}}
            FROM
            (
                SELECT
                    {{metric_envelope}},
                    {{policy_of_envelope}},
                    arrayJoin(tupleElement(scope_metric, 'metrics')) AS metric
                FROM otlp_metrics_histogram
            )
        )
    )
)
