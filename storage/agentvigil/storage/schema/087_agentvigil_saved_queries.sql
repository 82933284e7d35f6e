-- Requests to the API that people saved by name. Read with FINAL; one that was taken away is not there.
CREATE TABLE IF NOT EXISTS agentvigil_saved_queries
(
    Project LowCardinality(String),
    Name String COMMENT 'a label',
    Resource LowCardinality(String) COMMENT 'what is asked: runs, feedback, ...',
    Parameters String COMMENT 'a JSON object: names of parameters, and a text or a list of texts each',
    CreatedAt DateTime64(3) COMMENT 'when it was first saved',
    ChangedAt DateTime64(3) COMMENT 'when it was last saved',
    Version UInt64 COMMENT 'grows with each change; the newest row counts',
    IsDeleted UInt8 COMMENT '1 where it was taken away'
)
ENGINE = ReplacingMergeTree(Version, IsDeleted)
ORDER BY (Project, Name)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
