-- How often the steps of each hour were written: whoever made something of an hour knows by it whether that still holds.
-- Filled by a view on agent_steps; read with sum(Changes), max(LastChangeAt) and GROUP BY.
CREATE TABLE IF NOT EXISTS agent_step_changes
(
    Project LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'project of the steps',
    Hour DateTime('UTC') CODEC(Delta(4), ZSTD(1)) COMMENT 'hour that the steps started in',
    KeepDays UInt16 CODEC(ZSTD(1)) COMMENT 'retention class: the row goes with the steps it counts',
    Changes SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)) COMMENT 'rows that were ever written; it only grows',
    LastChangeAt SimpleAggregateFunction(max, DateTime64(3)) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY (toDate(Hour), KeepDays)
ORDER BY (Project, Hour, KeepDays)
TTL Hour + toIntervalDay(KeepDays)
SETTINGS ttl_only_drop_parts = 1
