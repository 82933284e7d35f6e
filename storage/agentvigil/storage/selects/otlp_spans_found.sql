-- Recognises the dialect, looks up what every key says (typed_columns.sql), and takes from content what may be known of it.
SELECT
    span, RetrievedDocuments, AgentFingerprint, SpanName, ParentSpanId, StatusCode, dialect, codes, code_texts,
    operation_entries, said_operation_name, exception_type, special_keys, special_numbers, special_texts
FROM {{typed_columns_found}}
