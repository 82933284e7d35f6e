-- Turns OTLP requests into rows of otel_metrics_sum, as otlp_traces_mv does for spans. A metric of another
-- kind has no data points here, so it gives no rows.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_metrics_sum_mv TO otel_metrics_sum AS
WITH
    {{attribute_lambdas}}
SELECT
    {{data_point_columns}},
    {{number_value}} AS Value,
    AggregationTemporality,
    IsMonotonic,
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
            tupleElement(tupleElement(metric, 'sum'), 'aggregation_temporality')
                AS AggregationTemporality,
            tupleElement(tupleElement(metric, 'sum'), 'is_monotonic') AS IsMonotonic,
            tupleElement(tupleElement(metric, 'sum'), 'data_points') AS points
        FROM
        (
            SELECT
                {{metric_envelope}}
            FROM otlp_metrics_sum
        )
    )
)
