-- The columns that any dialect's spans are read by. The stages before otel_traces fill them; a row that a Collector
-- writes itself gets them from Typed, which is the same SQL as one expression and is stored nowhere.
ALTER TABLE otel_traces
    ADD COLUMN IF NOT EXISTS RetrievedDocuments Nullable(UInt32) CODEC(ZSTD(1))
        COMMENT 'documents a retrieval brought; NULL is unknown',
    ADD COLUMN IF NOT EXISTS AgentFingerprint String CODEC(ZSTD(1))
        COMMENT 'keyed hash of system prompt, tools and model, made before they were withheld',
    ADD COLUMN IF NOT EXISTS Typed Tuple({{typed_column_types}}) EPHEMERAL {{typed_columns_of_a_row}},
    {{typed_column_definitions}},
    ADD COLUMN IF NOT EXISTS ListCostUSD Nullable(Decimal(18, 9)) DEFAULT if(Billing = 'leaf', {{list_cost}}, NULL)
        CODEC(ZSTD(1)) COMMENT 'by the price list when the span came in; NULL is unpriced or unknown, never 0'
