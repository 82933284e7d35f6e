-- Counts tokens as the conventions want them and names the columns.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_spans_counted_mv TO otlp_spans_counted AS
SELECT
    * EXCEPT (
        dialect, said, exception_type, operation, framework, provider, finish_reason, usage, input_code, cached,
        reasoning, declared_input, declared_output, beyond, input_reading, output_reading, token_convention,
        input_tokens, output_tokens, billing, step_type, reported_cost, error_type),
    {{typed_columns_selected}}
FROM {{typed_columns_counted}}
