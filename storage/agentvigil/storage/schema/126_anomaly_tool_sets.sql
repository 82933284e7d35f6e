-- Which sets of tools the runs of an agent use, as of a day: of the 28 days before, without runs that failed. The rows count
-- that have the newest MadeAt of anomaly_baselines_made.
CREATE TABLE IF NOT EXISTS anomaly_tool_sets
(
    Project LowCardinality(String) CODEC(ZSTD(1)),
    AsOf Date CODEC(Delta(2), ZSTD(1)) COMMENT 'all runs that it is made of began before this day (UTC)',
    Environment LowCardinality(String) CODEC(ZSTD(1)),
    Agent LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'RunName of the runs',
    InputClass LowCardinality(String) CODEC(ZSTD(1)),
    Tools Array(LowCardinality(String)) CODEC(ZSTD(1)) COMMENT 'a set of tools, sorted',
    MadeAt DateTime64(3) CODEC(Delta(8), ZSTD(1)),
    Runs UInt64 CODEC(T64, ZSTD(1)) COMMENT 'runs that used these tools and no others',
    ClassRuns UInt64 CODEC(T64, ZSTD(1)) COMMENT 'all runs of the class; the rarest sets of very many may lack',
    Versions Array(LowCardinality(String)) CODEC(ZSTD(1)) COMMENT 'versions of the agent that these runs said, 100 at most'
)
ENGINE = ReplacingMergeTree(MadeAt)
PARTITION BY toStartOfMonth(AsOf)
ORDER BY (Project, AsOf, Environment, Agent, InputClass, Tools)
TTL toDateTime(MadeAt) + toIntervalDay(40)
