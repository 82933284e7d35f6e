-- What each agent is compared with now, a row each: chosen by people or by the time that passed, learned from these hours.
-- Read with FINAL.
CREATE TABLE IF NOT EXISTS drift_baselines
(
    Project LowCardinality(String) CODEC(ZSTD(1)),
    Environment LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'deployment environment of the runs',
    Agent String CODEC(ZSTD(1)) COMMENT 'agent, else workflow, else top span of the runs',
    Source LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'pinned, version, previous_version or trailing',
    Name String CODEC(ZSTD(1)) COMMENT 'under which it is pinned; empty otherwise',
    AgentVersion String CODEC(ZSTD(1)) COMMENT 'only runs of this version; empty for all',
    FirstHour DateTime('UTC') CODEC(ZSTD(1)) COMMENT 'of its runs',
    EndHour DateTime('UTC') CODEC(ZSTD(1)) COMMENT 'before which its runs began',
    LeftOut Array(Tuple(DateTime('UTC'), DateTime('UTC'))) CODEC(ZSTD(1)) COMMENT 'hours in between that are no part of it',
    Reason String CODEC(ZSTD(1)) COMMENT 'in words, why it is this one',
    Runs UInt64 CODEC(ZSTD(1)) COMMENT 'that it was learned from',
    ReviewHour DateTime('UTC') CODEC(ZSTD(1)) COMMENT 'from then on something newer may be better',
    Numbers String CODEC(ZSTD(1)) COMMENT 'what was learned, for the detector: base64 of NumPy arrays',
    Version UInt64 COMMENT 'grows; the newest row counts',
    IsDeleted UInt8 DEFAULT 0 COMMENT '1 where the agent is compared with nothing any more; FINAL leaves it out'
)
ENGINE = ReplacingMergeTree(Version, IsDeleted)
ORDER BY (Project, Environment, Agent)
