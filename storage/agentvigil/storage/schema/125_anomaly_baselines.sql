-- What is usual of the runs of an agent, as of a day: the spread of a measure by cells of runs that are alike, of the 28
-- days before. Written once for each project and day, when a run of that day is first looked at. The rows count that have the
-- newest MadeAt of anomaly_baselines_made.
CREATE TABLE IF NOT EXISTS anomaly_baselines
(
    Project LowCardinality(String) CODEC(ZSTD(1)),
    AsOf Date CODEC(Delta(2), ZSTD(1)) COMMENT 'all runs that it is made of began before this day (UTC)',
    Environment LowCardinality(String) CODEC(ZSTD(1)),
    Agent LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'RunName of the runs',
    Measure LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'cost, duration, tokens or steps of runs; session_runs or session_cost of conversations',
    InputClass LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'class of the runs; empty where all are in one cell',
    IsAllClasses Bool CODEC(ZSTD(1)) COMMENT 'the cell has runs of every class',
    StepBucket Int16 CODEC(ZSTD(1)) COMMENT 'round(2 * log2(steps)); -1 where any number of steps is in the cell',
    MadeAt DateTime64(3) CODEC(Delta(8), ZSTD(1)),
    Runs UInt64 CODEC(T64, ZSTD(1)) COMMENT 'runs, or conversations',
    Median Float64 CODEC(ZSTD(1)) COMMENT 'of the natural logarithm of the value: seconds, USD, tokens or a count',
    Mad Float64 CODEC(ZSTD(1)) COMMENT 'median absolute deviation of it',
    Q95 Float64 CODEC(ZSTD(1)) COMMENT '95 % of it are below',
    Q975 Float64 CODEC(ZSTD(1)) COMMENT '97.5 % of it are below'
)
ENGINE = ReplacingMergeTree(MadeAt)
PARTITION BY toStartOfMonth(AsOf)
ORDER BY (Project, AsOf, Environment, Agent, Measure, IsAllClasses, InputClass, StepBucket)
TTL toDateTime(MadeAt) + toIntervalDay(40)
