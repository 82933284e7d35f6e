-- Projects that were made by name. A project needs no row here: one that has data or keys is there too.
CREATE TABLE IF NOT EXISTS agentvigil_projects
(
    Name String,
    Description String COMMENT 'a label; may be empty',
    CreatedAt DateTime64(3) COMMENT 'when it was first made',
    Version UInt64 COMMENT 'grows with each change; the newest row counts'
)
ENGINE = ReplacingMergeTree(Version)
ORDER BY Name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
