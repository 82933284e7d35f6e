-- First and last second of every trace, under the Collector's name and columns: readers narrow a trace lookup by it.
CREATE TABLE IF NOT EXISTS otel_traces_trace_id_ts
(
    TraceId String CODEC(ZSTD(1)),
    Start SimpleAggregateFunction(min, DateTime) CODEC(Delta(4), ZSTD(1)),
    End SimpleAggregateFunction(max, DateTime) CODEC(Delta(4), ZSTD(1)),
    KeepDays SimpleAggregateFunction(max, UInt16) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toMonday(Start)
ORDER BY TraceId
TTL End + toIntervalDay(KeepDays)
SETTINGS ttl_only_drop_parts = 1, allow_nullable_key = 0
