-- When which rates hold for a schedule, the number that a name's rule gives: source of the dictionary
-- agentvigil_price_times. Equal numbers are equal rows, whatever their generation.
CREATE TABLE IF NOT EXISTS agentvigil_price_schedules
(
    Generation UInt64 COMMENT 'see agentvigil_prices',
    Schedule UInt64 COMMENT 'plus service tier, and half hour of the day where it matters',
    Since Int64 COMMENT 'in seconds since 1970, included',
    Until Int64 COMMENT 'in seconds since 1970, included',
    Rates UInt64
)
ENGINE = MergeTree
PARTITION BY Generation
ORDER BY (Schedule, Since)
