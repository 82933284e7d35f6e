-- What spans say, one row for each span and key: the text as it was sent is Opening, the bodies of Messages with
-- Separator between them, and Closing. A span that comes again takes the place of the one before.
CREATE TABLE IF NOT EXISTS span_contents
(
    Project LowCardinality(String) CODEC(ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    Key String CODEC(ZSTD(1))
        COMMENT 'of the attribute; of an event''s events.1.name.key, a link''s links.1.key, a log record''s logs.time.name.key',
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)) COMMENT 'start of the span',
    Opening String CODEC(ZSTD(1)),
    Messages Array(UUID) CODEC(ZSTD(1)) COMMENT 'hashes, rows of content_messages',
    Separator String CODEC(ZSTD(1)),
    Closing String CODEC(ZSTD(1)),
    KeepDays UInt16 CODEC(ZSTD(1)),
    IngestedAt DateTime64(3) CODEC(Delta(8), ZSTD(1)),
    RequestHash FixedString(16) CODEC(ZSTD(1)) COMMENT 'of the request that brought it, as in otel_traces'
)
ENGINE = ReplacingMergeTree(IngestedAt)
PARTITION BY (toDate(Timestamp), KeepDays)
ORDER BY (Project, TraceId, SpanId, Key)
TTL toDateTime(Timestamp) + toIntervalDay(KeepDays)
SETTINGS ttl_only_drop_parts = 1
