-- Which hours are whole in agent_feature_hours, and as of which Changes. They hold as long as agent_run_changes says the
-- same; read with max(Changes) and GROUP BY.
CREATE TABLE IF NOT EXISTS agent_feature_hours_made
(
    Project LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'project of the runs',
    Hour DateTime('UTC') CODEC(Delta(4), ZSTD(1)) COMMENT 'hour that the runs started in',
    KeepDays UInt16 CODEC(ZSTD(1)) COMMENT 'retention class of the runs',
    Changes UInt64 CODEC(ZSTD(1)) COMMENT 'the rows of agent_feature_hours that count say the same',
    MadeAt DateTime64(3) DEFAULT now64(3) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(Changes)
PARTITION BY (toDate(Hour), KeepDays)
ORDER BY (Project, Hour, KeepDays)
TTL Hour + toIntervalDay(KeepDays)
SETTINGS ttl_only_drop_parts = 1
