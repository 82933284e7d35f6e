-- For which projects and days what is usual is whole in anomaly_baselines, anomaly_tool_sets and anomaly_streaks; written
-- after them. Read with max(MadeAt) and GROUP BY.
CREATE TABLE IF NOT EXISTS anomaly_baselines_made
(
    Project LowCardinality(String) CODEC(ZSTD(1)),
    AsOf Date CODEC(Delta(2), ZSTD(1)),
    MadeAt DateTime64(3) CODEC(Delta(8), ZSTD(1)) COMMENT 'the rows that count say the same'
)
ENGINE = ReplacingMergeTree(MadeAt)
PARTITION BY toStartOfMonth(AsOf)
ORDER BY (Project, AsOf)
TTL toDateTime(MadeAt) + toIntervalDay(39)
