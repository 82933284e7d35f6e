-- A tag goes when its run has gone: it is given after the run began, and is kept as many days.
ALTER TABLE agentvigil_run_tags
    ADD COLUMN IF NOT EXISTS KeepDays UInt16 DEFAULT 90 CODEC(ZSTD(1)) COMMENT 'retention class of the run',
    MODIFY TTL toDateTime(ChangedAt) + toIntervalDay(KeepDays)
