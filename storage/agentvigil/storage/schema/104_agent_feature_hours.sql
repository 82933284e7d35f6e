-- What is known of finished runs, counted by the hour in which they started: which tools they used, how they ended, how long
-- they took. docs/features.md says what each Feature counts. A row counts only where agent_feature_hours_made has its
-- Changes as the newest of its hour; read with FINAL. The hour stands first: all agents of an hour lie together.
CREATE TABLE IF NOT EXISTS agent_feature_hours
(
    Project LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'project of the runs',
    Hour DateTime('UTC') CODEC(Delta(4), ZSTD(1)) COMMENT 'hour that the runs started in',
    KeepDays UInt16 CODEC(ZSTD(1)) COMMENT 'retention class: the row goes with the runs it counts',
    Environment LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'deployment.environment.name of the runs',
    Agent LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'RunName of the runs: agent, else workflow, else top span',
    InputClass LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'the runs'' tag input_class, else route, intent or tenant, else their workflow; (other) are all beyond the most frequent of agent and hour',
    AgentVersion LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'version that was said, else the fingerprint; (other) are all beyond the most frequent of agent and hour',
    Model LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'model with most of a run''s tokens, in usage that of the calls; (other) are all beyond the most frequent of agent and hour',
    Feature LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'what is counted',
    Key LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'category that N runs have; empty: how many runs the feature is said of, or a row of values; (other) are all beyond the most frequent of agent, hour and feature',
    Bin Int16 CODEC(ZSTD(1)) COMMENT 'of values floor(8 * log2(value)), -32768 for 0; 0 where the feature has keys',
    Changes UInt64 CODEC(ZSTD(1)) COMMENT 'what agent_run_changes said of the hour before it was summed',
    N UInt32 CODEC(T64, ZSTD(1)) COMMENT 'runs; in context and cascade calls and agents',
    S Float64 CODEC(ZSTD(1)) COMMENT 'sum of the values, or of what the key counts; 0 for categories'
)
ENGINE = ReplacingMergeTree(Changes)
PARTITION BY (toDate(Hour), KeepDays)
PRIMARY KEY (Project, Hour, KeepDays, Environment, Agent)
ORDER BY (Project, Hour, KeepDays, Environment, Agent, InputClass, AgentVersion, Model, Feature, Key, Bin)
TTL Hour + toIntervalDay(KeepDays)
SETTINGS
    ttl_only_drop_parts = 1,
    index_granularity = 1024,
    min_age_to_force_merge_seconds = 21600,
    min_age_to_force_merge_on_partition_only = 1
