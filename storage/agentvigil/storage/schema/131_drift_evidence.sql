-- How far each project is watched, and the evidence so far, a row each. It could be worked out again from
-- agent_feature_hours; read with FINAL.
CREATE TABLE IF NOT EXISTS drift_evidence
(
    Project LowCardinality(String) CODEC(ZSTD(1)),
    NextHour DateTime('UTC') CODEC(ZSTD(1)) COMMENT 'all hours before are looked through',
    CountedFrom DateTime('UTC') CODEC(ZSTD(1)) COMMENT 'first of the hours whose runs are in Counted',
    CountedTo DateTime('UTC') CODEC(ZSTD(1)) COMMENT 'hours before which they are',
    Counted Map(String, UInt64) CODEC(ZSTD(1)) COMMENT 'runs that were looked at, by environment and agent as a JSON array',
    Evidence String CODEC(ZSTD(1)) COMMENT 'for the detector: base64 of NumPy arrays',
    Version UInt64 COMMENT 'grows; the newest row counts'
)
ENGINE = ReplacingMergeTree(Version)
ORDER BY Project
