-- Tells operation, provider and framework from what was found.
SELECT
    span, RetrievedDocuments, AgentFingerprint, StatusCode, dialect, targets, code_texts, says_more, exception_type,
    operation, framework, provider, finish_reason, usage, input_code, special_keys, special_numbers, special_texts
FROM {{typed_columns_meant}}
