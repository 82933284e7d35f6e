-- What rules found to be the case, one row for each rule and what it is about, and what of it was announced. Read with
-- FINAL. What is announced follows from the row alone, so that a process that goes on where another stopped says the same.
CREATE TABLE IF NOT EXISTS alert_states
(
    Project LowCardinality(String),
    AlertId String COMMENT 'hash of rule and what it is about',
    Version UInt64 COMMENT 'grows with each change; the newest row counts',
    Rule String COMMENT 'name of the rule',
    ConditionHash String COMMENT 'of what the rule said when it was last the case',
    Subject String COMMENT 'agent, user, ...; empty for all',
    Severity LowCardinality(String) COMMENT 'minor, major or critical',
    Situation String COMMENT 'a JSON object: what is the case, in words',
    Episode UInt32 COMMENT 'so many times it has been the case',
    Level UInt8 COMMENT 'how bad it has been in this episode; a greater one is announced',
    OpenedAt DateTime64(3),
    ClearSince Nullable(DateTime64(3)) COMMENT 'since when it is not the case any more; NULL while it is',
    ClosedAt Nullable(DateTime64(3)) COMMENT 'when it was over; NULL while it is not',
    ClosedAs String COMMENT 'why it is over, in words; empty where nobody is told',
    Announced LowCardinality(String) COMMENT 'opened, worse, repeated or resolved; empty for nothing',
    AnnouncedLevel UInt8,
    AnnouncedAt Nullable(DateTime64(3)),
    Repeats UInt32 COMMENT 'how often it was repeated in this episode',
    IsSettled Bool COMMENT 'over, and all that had to be announced is',
    ChangedAt DateTime64(3)
)
ENGINE = ReplacingMergeTree(Version)
ORDER BY (Project, AlertId)
TTL toDateTime(ChangedAt) + toIntervalYear(1)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
