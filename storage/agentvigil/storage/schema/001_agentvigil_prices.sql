-- Every list price there is, for people: prices in USD for a million tokens (RequestsPrice: for a thousand requests), as
-- genai-prices has them and the user's own. NULL is not priced apart. The newest generation is the one in use.
CREATE TABLE IF NOT EXISTS agentvigil_prices
(
    Generation UInt64 COMMENT 'in milliseconds since 1970, when the prices were loaded',
    Source LowCardinality(String) COMMENT 'the package and its version, or user',
    Provider LowCardinality(String),
    Model String,
    ServiceTier LowCardinality(String) COMMENT 'empty: the standard price',
    Since Nullable(Date32) COMMENT 'first day in UTC, NULL: always',
    Until Nullable(Date32) COMMENT 'first day that it holds no more, NULL: holds still',
    DayFrom UInt32 COMMENT 'second of the day in UTC from which it holds',
    DayUntil UInt32 COMMENT 'second of the day in UTC until which it holds',
    InputFrom UInt64 COMMENT 'least number of input tokens of a call that it is for',
    InputPrice Nullable(Decimal(38, 18)),
    OutputPrice Nullable(Decimal(38, 18)),
    CacheReadPrice Nullable(Decimal(38, 18)),
    CacheWritePrice Nullable(Decimal(38, 18)),
    InputAudioPrice Nullable(Decimal(38, 18)),
    OutputAudioPrice Nullable(Decimal(38, 18)),
    CacheReadAudioPrice Nullable(Decimal(38, 18)),
    ReasoningPrice Nullable(Decimal(38, 18)),
    RequestsPrice Nullable(Decimal(38, 18)),
    OtherPrices Array(LowCardinality(String)) COMMENT 'what else is priced, by genai-prices names: not in list cost'
)
ENGINE = MergeTree
PARTITION BY Generation
ORDER BY (Provider, Model, ServiceTier, InputFrom)
