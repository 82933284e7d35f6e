-- Notices of alerts on their way to a destination, and what became of each: outbox and log in one. Read with FINAL. The id
-- follows from what is told and where it goes, so what is put in again is the same row.
CREATE TABLE IF NOT EXISTS alert_deliveries
(
    Project LowCardinality(String),
    DeliveryId String COMMENT 'hash of notice and destination',
    Version UInt64 COMMENT 'grows with each change; the newest row counts',
    NoticeId String COMMENT 'hash of rule, what it is about and what became of it; receivers get it',
    AlertId String COMMENT 'row of alert_states; empty for summaries and tests',
    Rule String COMMENT 'name of the rule; empty for tests',
    Destination String COMMENT 'name of the destination',
    Transition LowCardinality(String) COMMENT 'opened, worse, repeated, resolved, summary or test',
    Severity LowCardinality(String) COMMENT 'minor, major or critical',
    Status LowCardinality(String) COMMENT 'held, waiting, sending, delivered, failed, dropped or summarized',
    Notice String COMMENT 'a JSON object: all that is told',
    CreatedAt DateTime64(3),
    HeldUntil Nullable(DateTime64(3)) COMMENT 'end of quiet hours that it came in; NULL for none',
    NextAttemptAt Nullable(DateTime64(3)) COMMENT 'NULL where none follows',
    Attempts UInt32,
    LastAttemptAt Nullable(DateTime64(3)),
    Code UInt16 COMMENT 'of HTTP or SMTP, of the last attempt; 0 where none was heard',
    Error String COMMENT 'why the last attempt failed, in words of ours',
    SummaryId String COMMENT 'notice that told it instead',
    IsFinished Bool COMMENT 'no attempt follows'
)
ENGINE = ReplacingMergeTree(Version)
ORDER BY (Project, DeliveryId)
TTL toDateTime(CreatedAt) + toIntervalDay(90)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
