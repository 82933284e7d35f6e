-- Runs and conversations that are out of the ordinary, those too that were not told because their agent had its share of the
-- day. Read with FINAL: a run that is settled again, and looked at again, replaces its row.
CREATE TABLE IF NOT EXISTS run_anomalies
(
    Project LowCardinality(String) CODEC(ZSTD(1)),
    Day Date CODEC(Delta(2), ZSTD(1)) COMMENT 'day the run began (UTC): the one that its agent has a share of',
    Environment LowCardinality(String) CODEC(ZSTD(1)),
    Agent LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'RunName of the run',
    AnomalyId String CODEC(ZSTD(1)) COMMENT 'id of the run, or session: and the id of the conversation',
    Kind LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'what it is told as: cost_spike, latency_spike, token_spike, tool_change, loop, run_away, session_runs, session_cost',
    Excess Float64 CODEC(ZSTD(1)) COMMENT 'statistic divided by what it had to reach',
    IsTold Bool CODEC(ZSTD(1)) COMMENT 'it is among the findings',
    SeenAt DateTime64(3) CODEC(Delta(8), ZSTD(1)) COMMENT 'the newest row counts'
)
ENGINE = ReplacingMergeTree(SeenAt)
PARTITION BY toStartOfMonth(Day)
ORDER BY (Project, Day, Environment, Agent, AnomalyId)
TTL toDateTime(Day) + toIntervalDay(90)
