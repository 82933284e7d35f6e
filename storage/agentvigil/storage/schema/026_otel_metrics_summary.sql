-- Data points of summaries, one row each: the OpenTelemetry Collector's columns under their own names
-- and types, but with times to the nanosecond, then ours, each with a default.
CREATE TABLE IF NOT EXISTS otel_metrics_summary
(
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ResourceSchemaUrl String CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion String CODEC(ZSTD(1)),
    ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeDroppedAttrCount UInt32 CODEC(ZSTD(1)),
    ScopeSchemaUrl String CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    MetricName LowCardinality(String) CODEC(ZSTD(1)),
    MetricDescription String CODEC(ZSTD(1)),
    MetricUnit String CODEC(ZSTD(1)),
    Attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    StartTimeUnix DateTime64(9) CODEC(Delta(8), ZSTD(1)) COMMENT '1970 when the sender did not say',
    TimeUnix DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    Count UInt64 CODEC(Delta(8), ZSTD(1)),
    Sum Float64 CODEC(ZSTD(1)),
    ValueAtQuantiles Nested(Quantile Float64, Value Float64) CODEC(ZSTD(1)),
    Flags UInt32 CODEC(ZSTD(1)) COMMENT 'lowest bit: the sender recorded no value at this time',

    Project LowCardinality(String) DEFAULT 'default' CODEC(ZSTD(1)),
    KeepDays UInt16 DEFAULT 90 CODEC(ZSTD(1))
        COMMENT 'retention class: the data point goes this many days after its TimeUnix',
    IngestedAt DateTime64(3) DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)) COMMENT 'when our receiver took the request',
    RequestHash FixedString(16) CODEC(ZSTD(1))
        COMMENT 'of project and bytes of the request; zeros when a Collector wrote the row',
    RequestDataPoints UInt32 CODEC(ZSTD(1))
        COMMENT 'data points of that request, in the tables of all kinds together: fewer mean that it is not whole',
    DroppedAttributes UInt32 CODEC(ZSTD(1)) COMMENT 'attributes our limit cut off',
    WithheldKeys Array(LowCardinality(String)) CODEC(ZSTD(1))
        COMMENT 'keys of which the project''s policy withheld or replaced something, numbers in them as N',

    INDEX idx_time_minmax TimeUnix TYPE minmax GRANULARITY 1,
    INDEX idx_ingested_at IngestedAt TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY (toDate(TimeUnix), KeepDays)
ORDER BY (ServiceName, MetricName, toStartOfHour(TimeUnix), cityHash64(Attributes), TimeUnix)
TTL toDateTime(TimeUnix) + toIntervalDay(KeepDays)
SETTINGS ttl_only_drop_parts = 1
