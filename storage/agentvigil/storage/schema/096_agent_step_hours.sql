-- Calls of models and tools summed by hour, so that weeks of them are told without reading every step. A row counts only
-- where agent_step_hours_made has its Changes as the newest of its hour; read with FINAL. Each call is in a row of its agent
-- and in one of all agents: ask for one kind. Small granules leave most of a day alone when one agent is asked for.
CREATE TABLE IF NOT EXISTS agent_step_hours
(
    Project LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'project of the steps',
    Hour DateTime('UTC') CODEC(Delta(4), ZSTD(1)) COMMENT 'hour that the steps started in',
    KeepDays UInt16 CODEC(ZSTD(1)) COMMENT 'retention class: the row goes with the steps it sums',
    IsAllRuns Bool CODEC(ZSTD(1)) COMMENT 'sums of all agents; RunName and HasRun say nothing then',
    RunName LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'agent, else workflow, else top span of the runs',
    HasRun Bool CODEC(ZSTD(1)) COMMENT 'false for steps whose run began more than a day before, or only repeats another trace''s calls',
    IsModelCall Bool CODEC(ZSTD(1)) COMMENT 'each row stands for a real call of a model',
    IsToolCall Bool CODEC(ZSTD(1)) COMMENT 'each row stands for a call of a tool',
    Model LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'model that answered, else that was asked',
    ToolName LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'tool that was called',
    Changes UInt64 CODEC(ZSTD(1)) COMMENT 'what agent_step_changes said of the hour before it was summed',
    Calls UInt64 CODEC(T64, ZSTD(1)),
    Errors UInt64 CODEC(T64, ZSTD(1)) COMMENT 'calls that failed',
    Retries UInt64 CODEC(T64, ZSTD(1)) COMMENT 'calls that are another try of a failed one',
    InputTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'of billed calls; NULL where no call says',
    OutputTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'of billed calls; NULL where no call says',
    CacheReadTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'of billed calls; NULL where no call says',
    CacheWriteTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'of billed calls; NULL where no call says',
    ReasoningTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'of billed calls; NULL where no call says',
    UnknownUsageCalls UInt64 CODEC(T64, ZSTD(1)) COMMENT 'billed calls without tokens: the sums above lack them',
    BilledCostUSD Nullable(Decimal(38, 9)) CODEC(ZSTD(1)) COMMENT 'list prices; NULL where no call has one',
    UnpricedCalls UInt64 CODEC(T64, ZSTD(1)) COMMENT 'billed calls with tokens and without a price: BilledCostUSD lacks them',
    Durations AggregateFunction(quantilesTDigest(0.5, 0.95, 0.99), UInt64) CODEC(ZSTD(1)) COMMENT 'nanoseconds',
    FirstChunks AggregateFunction(quantilesTDigest(0.5, 0.95), Nullable(Float64)) CODEC(ZSTD(1)) COMMENT 'seconds'
)
ENGINE = ReplacingMergeTree(Changes)
PARTITION BY (toDate(Hour), KeepDays)
ORDER BY (Project, IsAllRuns, RunName, HasRun, Hour, KeepDays, IsModelCall, IsToolCall, Model, ToolName)
TTL Hour + toIntervalDay(KeepDays)
SETTINGS
    ttl_only_drop_parts = 1,
    index_granularity = 512,
    min_age_to_force_merge_seconds = 21600,
    min_age_to_force_merge_on_partition_only = 1
