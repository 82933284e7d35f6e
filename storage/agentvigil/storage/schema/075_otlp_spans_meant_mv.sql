-- Tells operation, provider and framework from what was found.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_spans_meant_mv TO otlp_spans_meant AS
SELECT
    * EXCEPT (
        found, operation_entries, first_operation, standard_operation, kind_operation, name_operation, providers,
        request_model, response_model, counts)
FROM {{typed_columns_meant}}
