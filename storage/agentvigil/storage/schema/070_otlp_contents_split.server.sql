-- The same texts taken apart, on their way to content_messages and span_contents.
CREATE TABLE IF NOT EXISTS otlp_contents_split
(
    Project LowCardinality(String),
    RequestHash FixedString(16),
    TraceId String,
    SpanId String,
    Key String,
    Timestamp DateTime64(9),
    KeepDays UInt16,
    IngestedAt DateTime64(3),
    Opening String,
    Separator String,
    Closing String,
    bodies Array(String),
    Messages Array(UUID) COMMENT 'hashes of the bodies'
)
ENGINE = Null
