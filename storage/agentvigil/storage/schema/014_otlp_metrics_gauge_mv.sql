-- Turns OTLP requests into rows of otel_metrics_gauge, as otlp_traces_mv does for spans. A metric of another
-- kind has no data points here, so it gives no rows.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_metrics_gauge_mv TO otel_metrics_gauge AS
WITH
    {{attribute_lambdas}}
SELECT
    {{data_point_columns}},
    {{number_value}} AS Value,
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
            tupleElement(tupleElement(metric, 'gauge'), 'data_points') AS points
        FROM
        (
            SELECT
                {{metric_envelope}}
            FROM otlp_metrics_gauge
        )
    )
)
