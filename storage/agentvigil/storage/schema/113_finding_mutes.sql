-- What nobody wants to hear of: as long as a mute holds, what has its StableKey makes no new finding. It stays when the
-- finding that it was said of has gone. Read with FINAL.
CREATE TABLE IF NOT EXISTS finding_mutes
(
    Project LowCardinality(String),
    StableKey String COMMENT 'as in findings',
    Until Nullable(DateTime64(3)) COMMENT 'when it ends; NULL for never',
    MutedAt DateTime64(3),
    KeyId LowCardinality(String) COMMENT 'id of the key of who did it',
    FindingId String COMMENT 'finding that it was said of, and what that is about',
    Kind LowCardinality(String),
    Detector LowCardinality(String),
    Environment LowCardinality(String),
    SubjectType LowCardinality(String),
    Subject String,
    Agent LowCardinality(String),
    Feature LowCardinality(String),
    Version UInt64 COMMENT 'grows with each change; the newest row counts',
    IsDeleted UInt8 COMMENT '1 where it was taken back'
)
ENGINE = ReplacingMergeTree(Version, IsDeleted)
ORDER BY (Project, StableKey)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
