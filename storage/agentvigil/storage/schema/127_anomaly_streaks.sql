-- How often in a row the runs of an agent call one tool, as of a day: the longest streak of each run of the 28 days before, of
-- a sample of them where they are many. The rows count that have the newest MadeAt of anomaly_baselines_made.
CREATE TABLE IF NOT EXISTS anomaly_streaks
(
    Project LowCardinality(String) CODEC(ZSTD(1)),
    AsOf Date CODEC(Delta(2), ZSTD(1)) COMMENT 'all runs that it is made of began before this day (UTC)',
    Environment LowCardinality(String) CODEC(ZSTD(1)),
    Agent LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'RunName of the runs',
    Tool LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'tool of the longest streak; empty for runs of too few calls to look',
    Calls UInt32 CODEC(T64, ZSTD(1)) COMMENT 'calls in a row; 0 for runs of too few calls to look',
    MadeAt DateTime64(3) CODEC(Delta(8), ZSTD(1)),
    Runs UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree(MadeAt)
PARTITION BY toStartOfMonth(AsOf)
ORDER BY (Project, AsOf, Environment, Agent, Tool, Calls)
TTL toDateTime(MadeAt) + toIntervalDay(40)
