-- Turns OTLP requests into rows of otel_metrics_summary, as otlp_traces_mv does for spans. A metric of another
-- kind has no data points here, so it gives no rows.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_metrics_summary_mv TO otel_metrics_summary AS
WITH
    {{attribute_lambdas}}
SELECT
    {{data_point_columns}},
    tupleElement(point, 'count') AS Count,
    tupleElement(point, 'sum') AS Sum,
    tupleElement(tupleElement(point, 'quantile_values'), 'quantile') AS `ValueAtQuantiles.Quantile`,
    tupleElement(tupleElement(point, 'quantile_values'), 'value') AS `ValueAtQuantiles.Value`
FROM
(
    SELECT
        {{data_point}},
        attribute_map(tupleElement(point, 'attributes')) AS map
    FROM
    (
        SELECT
            {{metric}},
            tupleElement(tupleElement(metric, 'summary'), 'data_points') AS points
        FROM
        (
            SELECT
                {{metric_envelope}}
            FROM otlp_metrics_summary
        )
    )
)
