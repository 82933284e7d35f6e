-- Recognises the dialect, looks every key up in the one table of keys (typed_columns.sql), and takes from content what
-- may be known of it.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_spans_found_mv TO otlp_spans_found AS
SELECT * EXCEPT (
    scope_dialect, all_keys, name_dialect, marker_rank, operation_condition, derived, sent_keys, sent_texts, sip_key,
    contents, document_numbers, prompt_texts)
FROM {{typed_columns_found}}
