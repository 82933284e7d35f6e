-- Features that somebody accepted as they are now have levels of their own hours, and not of those of the baseline.
ALTER TABLE drift_baselines ADD COLUMN IF NOT EXISTS
    Renewed Array(Tuple(String, DateTime('UTC'), DateTime('UTC'))) CODEC(ZSTD(1))
    COMMENT 'features with levels of hours of their own, which somebody accepted: name, first hour, end'
    AFTER Numbers
