-- Finds the rates for a call of a number of input tokens. What is not found gives no number, and so no cost.
CREATE DICTIONARY IF NOT EXISTS agentvigil_price_sizes
(
    Rates UInt64,
    InputFrom UInt64,
    InputUpTo UInt64,
    Requests Float64 DEFAULT nan,
    Input Float64,
    CacheRead Float64,
    CacheWrite Float64,
    InputAudio Float64,
    CacheReadAudio Float64,
    Output Float64,
    OutputAudio Float64,
    Reasoning Float64
)
PRIMARY KEY Rates
SOURCE(CLICKHOUSE(TABLE 'agentvigil_price_rates' {{dictionary_access}}))
LAYOUT(RANGE_HASHED())
RANGE(MIN InputFrom MAX InputUpTo)
LIFETIME(MIN 300 MAX 600)
