-- Labels that people and programs gave to runs, by the API. Read it with FINAL; a tag that was taken off is not there.
CREATE TABLE IF NOT EXISTS agentvigil_run_tags
(
    Project LowCardinality(String) CODEC(ZSTD(1)),
    RunId String CODEC(ZSTD(1)),
    Tag LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'a label: letters, digits and _.:/@-',
    ChangedAt DateTime64(6) DEFAULT now64(6) CODEC(Delta(8), ZSTD(1)) COMMENT 'grows; the newest row counts',
    IsDeleted UInt8 CODEC(ZSTD(1)) COMMENT '1 where it was taken off'
)
ENGINE = ReplacingMergeTree(ChangedAt, IsDeleted)
ORDER BY (Project, Tag, RunId)
