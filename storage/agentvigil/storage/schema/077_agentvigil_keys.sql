-- Keys of senders and readers: of each only its SHA-256. A revoked key keeps its row, so that a place that ever had keys
-- never counts as one without. What was revoked stays revoked, through a power cut too.
CREATE TABLE IF NOT EXISTS agentvigil_keys
(
    Id String COMMENT 'public part of the key',
    Digest String COMMENT 'SHA-256 of the whole key, in hex',
    Name String COMMENT 'label its maker gave it; may be empty',
    Project String COMMENT 'the one project it is for; empty: every project',
    Scopes Array(LowCardinality(String)) COMMENT 'ingest, read, admin',
    CreatedAt DateTime64(3),
    ExpiresAt Nullable(DateTime64(3)) COMMENT 'NULL: never',
    RevokedAt Nullable(DateTime64(3)) COMMENT 'NULL: not revoked',
    Version UInt64 COMMENT 'grows with each change of the key; the newest row counts'
)
ENGINE = ReplacingMergeTree(Version)
ORDER BY Id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
