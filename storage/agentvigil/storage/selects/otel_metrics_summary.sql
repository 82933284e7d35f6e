-- Decodes requests of metrics into data points of summaries, applies limits and withholds what the project's policy does not
-- let through.
WITH
    {{screening_lambdas}}
SELECT
    {{data_point_columns}},
    tupleElement(point, 'count') AS Count,
    tupleElement(point, 'sum') AS Sum,
    tupleElement(tupleElement(point, 'quantile_values'), 'quantile') AS `ValueAtQuantiles.Quantile`,
    tupleElement(tupleElement(point, 'quantile_values'), 'value') AS `ValueAtQuantiles.Value`
FROM
(
    SELECT
        {{data_point}}
    FROM {{screening_steps}}
    (
        SELECT
            {{summary_sent}}
        FROM
        (
            SELECT
                {{metric_points}}
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
                            tupleElement(tupleElement(metric, 'summary'), 'data_points') AS points
                        FROM {{rows}}
                    )
                ) {{screening_steps_end}}
            )
        )
    ) {{screening_steps_end}}
)
