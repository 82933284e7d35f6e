-- What analysis found, one row each: drift, regressions, anomalies, failure modes. Read with FINAL, which leaves the
-- newest version of each finding: its state and what it was last seen in change.
CREATE TABLE IF NOT EXISTS findings
(
    Project LowCardinality(String) CODEC(ZSTD(1)),
    FindingId String CODEC(ZSTD(1)) COMMENT 'one occurrence; a later one of the same thing has another',
    Version UInt64 CODEC(Delta(8), ZSTD(1)) COMMENT 'grows with each change; the newest row counts',
    IsDeleted UInt8 CODEC(ZSTD(1)) COMMENT '1 where the row is void; FINAL leaves it out',
    KeepDays UInt16 DEFAULT 90 CODEC(ZSTD(1)) COMMENT 'retention class: the finding goes this many days after FoundAt',
    StableKey String CODEC(ZSTD(1)) COMMENT 'hash of what was found where: the same thing found again has the same',
    Kind LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'drift, regression, anomaly or failure_mode',
    Detector LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'what found it',
    Subject String CODEC(ZSTD(1)) COMMENT 'what it is about: an agent, a version, a model, a tool',
    Feature LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'what moved: duration, cost, failures, ...',
    State LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'open, acknowledged or resolved',
    Severity LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'minor, major or critical: from effect and exposure',
    FoundAt DateTime64(9) CODEC(Delta(8), ZSTD(1)) COMMENT 'when it was first found; stays with later versions',
    LastSeenAt DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    WindowStart DateTime64(9) CODEC(Delta(8), ZSTD(1)) COMMENT 'of what was compared',
    WindowEnd DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    BaselineStart Nullable(DateTime64(9)) CODEC(ZSTD(1)) COMMENT 'of what it was compared with; NULL without one',
    BaselineEnd Nullable(DateTime64(9)) CODEC(ZSTD(1)),
    BaselineValue Nullable(Float64) CODEC(ZSTD(1)) COMMENT 'of the feature, in its unit',
    WindowValue Nullable(Float64) CODEC(ZSTD(1)) COMMENT 'of the feature, in its unit',
    Statistic Nullable(Float64) CODEC(ZSTD(1)) COMMENT 'of the detector''s test',
    EvidenceLevel Nullable(Float64) CODEC(ZSTD(1)) COMMENT 'how sure the detector is, on the scale that its page gives',
    EffectSize Nullable(Float64) CODEC(ZSTD(1)) COMMENT 'how much the feature moved, relative to the baseline',
    Explanation String CODEC(ZSTD(1)) COMMENT 'in words, from structure and numbers alone',
    ExampleRuns Array(String) CODEC(ZSTD(1)) COMMENT 'ids of runs that show it'
)
ENGINE = ReplacingMergeTree(Version, IsDeleted)
PARTITION BY (toStartOfMonth(FoundAt), KeepDays)
ORDER BY (Project, FindingId)
TTL toDateTime(FoundAt) + toIntervalDay(KeepDays)
