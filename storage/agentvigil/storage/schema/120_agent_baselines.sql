-- What people said is normal for an agent: which of its runs later ones are compared with. Read with FINAL; one that was
-- dropped is not there.
CREATE TABLE IF NOT EXISTS agent_baselines
(
    Project LowCardinality(String),
    Environment LowCardinality(String) COMMENT 'deployment.environment.name of the runs; empty where they have none',
    Agent LowCardinality(String) COMMENT 'name of the runs, as RunName of agent_runs',
    Name String COMMENT 'a label',
    FromHour DateTime('UTC') COMMENT 'first hour of the runs',
    ToHour DateTime('UTC') COMMENT 'first hour that is not theirs any more',
    AgentVersion String COMMENT 'only runs of this version; empty for all',
    PinnedBy String COMMENT 'who said so: a key''s name and id, or nothing where nobody needs a key',
    PinnedAt DateTime64(3),
    Version UInt64 COMMENT 'grows with each change; the newest row counts',
    IsDeleted UInt8 COMMENT '1 where it was dropped'
)
ENGINE = ReplacingMergeTree(Version, IsDeleted)
ORDER BY (Project, Environment, Agent, Name)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
