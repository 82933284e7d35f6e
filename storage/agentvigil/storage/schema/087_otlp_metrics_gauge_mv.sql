-- Screens data points of gauges by their project's policy, as otlp_logs_mv does log records.
ALTER TABLE otlp_metrics_gauge_mv MODIFY QUERY
WITH
    {{screening_lambdas}}
SELECT
    {{screened_data_point_columns}},
    {{number_value}} AS Value,
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
                tupleElement(tupleElement(metric, 'gauge'), 'data_points') AS points,
                {{screened_points}}
            FROM
            (
                SELECT
                    {{metric_envelope}},
                    {{policy_of_envelope}},
                    arrayJoin(tupleElement(scope_metric, 'metrics')) AS metric
                FROM otlp_metrics_gauge
            )
        )
    )
)
