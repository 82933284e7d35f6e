-- How often the runs of each hour were written: whoever made something of an hour knows by it whether that still holds.
-- Filled by a view on agent_runs, and by whatever else changes what is made of an hour: judgements of its runs. Read with
-- sum(Changes), max(LastChangeAt) and GROUP BY.
CREATE TABLE IF NOT EXISTS agent_run_changes
(
    Project LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'project of the runs',
    Hour DateTime('UTC') CODEC(Delta(4), ZSTD(1)) COMMENT 'hour that the runs started in',
    KeepDays UInt16 CODEC(ZSTD(1)) COMMENT 'retention class: the row goes with the runs it counts',
    Changes SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)) COMMENT 'rows that were ever written; it only grows',
    LastChangeAt SimpleAggregateFunction(max, DateTime64(3)) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY (toDate(Hour), KeepDays)
ORDER BY (Project, Hour, KeepDays)
TTL Hour + toIntervalDay(KeepDays)
SETTINGS ttl_only_drop_parts = 1
