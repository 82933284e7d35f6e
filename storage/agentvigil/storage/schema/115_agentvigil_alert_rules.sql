-- Rules for alerts that were made by the API; those of the file of alerts are not here. Read with FINAL.
CREATE TABLE IF NOT EXISTS agentvigil_alert_rules
(
    Project LowCardinality(String),
    Name String COMMENT 'a label',
    Rule String COMMENT 'a JSON object, as the API takes it',
    CreatedAt DateTime64(3) COMMENT 'when it was first made',
    ChangedAt DateTime64(3) COMMENT 'when it was last made',
    Version UInt64 COMMENT 'grows with each change; the newest row counts',
    IsDeleted UInt8 COMMENT '1 where it was taken away'
)
ENGINE = ReplacingMergeTree(Version, IsDeleted)
ORDER BY (Project, Name)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
