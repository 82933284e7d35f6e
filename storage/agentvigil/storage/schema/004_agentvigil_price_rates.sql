-- Rates in USD by a call's size: what each count is multiplied with. A part (of the input: read from or written to a
-- cache, audio) has the difference to what the whole counted for it. Source of the dictionary agentvigil_price_sizes.
CREATE TABLE IF NOT EXISTS agentvigil_price_rates
(
    Generation UInt64 COMMENT 'see agentvigil_prices',
    Rates UInt64,
    InputFrom UInt64 COMMENT 'least number of input tokens',
    InputUpTo UInt64 COMMENT 'greatest number of input tokens',
    Requests Float64,
    Input Float64,
    CacheRead Float64,
    CacheWrite Float64,
    InputAudio Float64,
    CacheReadAudio Float64,
    Output Float64,
    OutputAudio Float64,
    Reasoning Float64
)
ENGINE = MergeTree
PARTITION BY Generation
ORDER BY (Rates, InputFrom)
