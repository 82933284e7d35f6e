-- Where settling stands, a row for each thing to know: how far intake was settled, how far changes of list costs were,
-- and which process does it now.
CREATE TABLE IF NOT EXISTS settling_state
(
    Name LowCardinality(String) COMMENT 'watermark, recosted or lease',
    Time DateTime64(3) COMMENT 'watermark, recosted: all before is settled; lease: when it ends',
    Holder String COMMENT 'process that wrote the row',
    Version UInt64 COMMENT 'grows; the newest row counts'
)
ENGINE = ReplacingMergeTree(Version)
ORDER BY Name
