-- Screens data points of sums by their project's policy, as otlp_logs_mv does log records.
ALTER TABLE otlp_metrics_sum_mv MODIFY QUERY
WITH
    {{screening_lambdas}}
SELECT
    {{screened_data_point_columns}},
    {{number_value}} AS Value,
    AggregationTemporality,
    IsMonotonic,
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
                tupleElement(tupleElement(metric, 'sum'), 'data_points') AS points,
                tupleElement(tupleElement(metric, 'sum'), 'aggregation_temporality') AS AggregationTemporality,
                tupleElement(tupleElement(metric, 'sum'), 'is_monotonic') AS IsMonotonic,
                {{screened_points}}
            FROM
            (
                SELECT
                    {{metric_envelope}},
                    {{policy_of_envelope}},
                    arrayJoin(tupleElement(scope_metric, 'metrics')) AS metric
                FROM otlp_metrics_sum
            )
        )
    )
)
