-- Screens data points of summaries by their project's policy, as otlp_logs_mv does log records.
ALTER TABLE otlp_metrics_summary_mv MODIFY QUERY
WITH
    {{screening_lambdas}}
SELECT
    {{screened_data_point_columns}},
    tupleElement(point, 'count') AS Count,
    tupleElement(point, 'sum') AS Sum,
    tupleElement(tupleElement(point, 'quantile_values'), 'quantile') AS `ValueAtQuantiles.Quantile`,
    tupleElement(tupleElement(point, 'quantile_values'), 'value') AS `ValueAtQuantiles.Value`
FROM
(
    SELECT
        {{screened_data_point}}
    FROM
    (
        SELECT
            {{screened_metric}}
        FROM
        (
            SELECT
                * EXCEPT (resource_metric, scope_metric),
                tupleElement(tupleElement(scope_metric, 'scope'), 'dropped_attributes_count') AS ScopeDroppedAttrCount,
                tupleElement(tupleElement(metric, 'summary'), 'data_points') AS points,
                arrayMap(
                    lists -> screened(lists, policy, sip_key),
                    arrayConcat(
                        [{{metric_lists}}],
                        arrayMap(
                            point -> [tupleElement(point, 'attributes')],
                            points))) AS screened
            FROM
            (
                SELECT
                    {{metric_envelope}},
                    {{policy_of_envelope}},
                    arrayJoin(tupleElement(scope_metric, 'metrics')) AS metric
                FROM otlp_metrics_summary
            )
        )
    )
)
