-- The user's own prices, as they were set; a row with Removed takes back the one that it replaces. What a user set stays
-- set, through a power cut too; the other tables of prices are made anew from it.
CREATE TABLE IF NOT EXISTS agentvigil_price_overrides
(
    Provider String COMMENT '* is any provider',
    Model String COMMENT 'may have * for any text',
    ServiceTier String COMMENT 'empty: every tier that has no price of its own',
    Since Date32 COMMENT 'first day in UTC, 1900-01-01: always',
    InputFrom UInt64 COMMENT 'least number of input tokens of a call that it is for',
    Prices Map(LowCardinality(String), Decimal(38, 18)) COMMENT 'by the names of genai-prices, e.g. input_mtok',
    Removed Bool,
    SetAt DateTime64(6) DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(SetAt)
ORDER BY (Provider, Model, ServiceTier, Since, InputFrom)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
