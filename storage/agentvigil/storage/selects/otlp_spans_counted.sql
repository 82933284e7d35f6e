-- Counts tokens as the conventions want them and names the columns.
SELECT
    span,
    RetrievedDocuments,
    AgentFingerprint,
    {{typed_columns_selected}}
FROM {{typed_columns_counted}}
