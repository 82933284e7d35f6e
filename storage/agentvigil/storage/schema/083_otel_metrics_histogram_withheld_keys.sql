-- What of a data point was withheld or replaced, by key: the view withheld_attributes sums it up.
ALTER TABLE otel_metrics_histogram
    ADD COLUMN IF NOT EXISTS WithheldKeys Array(LowCardinality(String)) CODEC(ZSTD(1))
        COMMENT 'keys of which the project''s policy withheld or replaced something, numbers in them as N'
