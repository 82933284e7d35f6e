-- What was thought of runs, as far as it says good or bad: what agent_feedback has, small and in the order of time, so that
-- each hour of runs finds its own. Filled by the job that counts features, which notes every judgement once.
CREATE TABLE IF NOT EXISTS agent_run_judgements
(
    Project LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'project of the feedback',
    GivenAt DateTime('UTC') CODEC(Delta(4), ZSTD(1)) COMMENT 'when it was given',
    KeepDays UInt16 CODEC(ZSTD(1)) COMMENT 'retention class: the row goes with the feedback it repeats',
    RunId String CODEC(ZSTD(1)) COMMENT 'the run, or the trace where no run was named',
    FeedbackId String CODEC(ZSTD(1)) COMMENT 'as in agent_feedback',
    IsBad Bool CODEC(ZSTD(1)) COMMENT 'score below 0.5, or a label that says so'
)
ENGINE = ReplacingMergeTree
PARTITION BY (toDate(GivenAt), KeepDays)
ORDER BY (Project, GivenAt, RunId, FeedbackId)
TTL GivenAt + toIntervalDay(KeepDays)
SETTINGS ttl_only_drop_parts = 1
