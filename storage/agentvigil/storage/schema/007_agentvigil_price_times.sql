-- Finds the rates of a schedule at a time; 0 if there are none.
CREATE DICTIONARY IF NOT EXISTS agentvigil_price_times
(
    Schedule UInt64,
    Since Int64,
    Until Int64,
    Rates UInt64
)
PRIMARY KEY Schedule
SOURCE(CLICKHOUSE(TABLE 'agentvigil_price_schedules' {{dictionary_access}}))
LAYOUT(RANGE_HASHED())
RANGE(MIN Since MAX Until)
LIFETIME(MIN 300 MAX 600)
