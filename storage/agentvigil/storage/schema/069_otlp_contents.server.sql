-- Texts that projects let be stored, on their way from requests; a Null table, which stores nothing.
CREATE TABLE IF NOT EXISTS otlp_contents
(
    Project LowCardinality(String),
    RequestHash FixedString(16),
    TraceId String,
    SpanId String,
    Key String,
    Timestamp DateTime64(9),
    KeepDays UInt16,
    IngestedAt DateTime64(3),
    sip_key Tuple(UInt64, UInt64) COMMENT 'the installation''s key for hashes',
    text String
)
ENGINE = Null
