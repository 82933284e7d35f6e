-- Decodes requests of metrics into data points of sums, applies limits and withholds what the project's policy does not
-- let through.
WITH
    {{screening_lambdas}}
SELECT
    {{data_point_columns}},
    {{number_value}} AS Value,
    AggregationTemporality,
    IsMonotonic,
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
                            tupleElement(tupleElement(metric, 'sum'), 'data_points') AS points,
                            tupleElement(tupleElement(metric, 'sum'), 'aggregation_temporality') AS AggregationTemporality,
                            tupleElement(tupleElement(metric, 'sum'), 'is_monotonic') AS IsMonotonic
                        FROM {{rows}}
                    )
                ) {{screening_steps_end}}
            )
        )
    ) {{screening_steps_end}}
)
