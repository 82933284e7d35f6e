-- What became of findings, step by step: found, more severe, acknowledged, resolved, ... by whom and when. An event is that
-- of one version of its finding, so what writes the version again writes the event again; read with FINAL.
CREATE TABLE IF NOT EXISTS finding_events
(
    Project LowCardinality(String) CODEC(ZSTD(1)),
    FindingId String CODEC(ZSTD(1)),
    FindingVersion UInt64 CODEC(Delta(8), ZSTD(1)) COMMENT 'version of the finding that it made',
    What LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'found, severity, incident, acknowledged, resolved, reopened, muted, ...',
    At DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    KeyId LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'id of the key of who did it; empty for AgentVigil itself',
    Value String CODEC(ZSTD(1)) COMMENT 'to what: a severity, a resolution, the end of a mute',
    FoundAt DateTime64(9) CODEC(Delta(8), ZSTD(1)) COMMENT 'of the finding, which it goes with',
    KeepDays UInt16 DEFAULT 90 CODEC(ZSTD(1)) COMMENT 'of the finding'
)
ENGINE = ReplacingMergeTree
PARTITION BY (toStartOfMonth(FoundAt), KeepDays)
ORDER BY (Project, FindingId, FindingVersion, What)
TTL toDateTime(FoundAt) + toIntervalDay(KeepDays)
