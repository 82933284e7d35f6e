-- What is known of a finding beyond what it moved by: where and since when, what it costs, what became of it. Details are
-- for people and machines that look at one finding; everything that is filtered by has a column.
ALTER TABLE findings
    ADD COLUMN IF NOT EXISTS
        Environment LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'deployment environment of the runs; empty for all'
        AFTER Detector,
    ADD COLUMN IF NOT EXISTS
        SubjectType LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'agent, model, tool, version or run' AFTER Environment,
    ADD COLUMN IF NOT EXISTS
        Agent LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'agent that it concerns; empty where it is several'
        AFTER Subject,
    ADD COLUMN IF NOT EXISTS
        Stream String CODEC(ZSTD(1)) COMMENT 'which part of the feature moved: a key, or above a value' AFTER Feature,
    ADD COLUMN IF NOT EXISTS
        Direction LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'up, down or new' AFTER Stream,
    ADD COLUMN IF NOT EXISTS
        Models Array(LowCardinality(String)) CODEC(ZSTD(1)) COMMENT 'models that it is about, or that carry it'
        AFTER Direction,
    ADD COLUMN IF NOT EXISTS
        IncidentId String CODEC(ZSTD(1)) COMMENT 'findings of one incident have the same' AFTER StableKey,
    ADD COLUMN IF NOT EXISTS
        ChangedAt Nullable(DateTime64(9)) CODEC(ZSTD(1)) COMMENT 'when it most likely began; NULL where nothing began'
        AFTER LastSeenAt,
    ADD COLUMN IF NOT EXISTS
        ChangedFrom Nullable(DateTime64(9)) CODEC(ZSTD(1)) COMMENT 'not before this' AFTER ChangedAt,
    ADD COLUMN IF NOT EXISTS
        ChangedTo Nullable(DateTime64(9)) CODEC(ZSTD(1)) COMMENT 'not after this' AFTER ChangedFrom,
    ADD COLUMN IF NOT EXISTS
        EarliestChange Nullable(DateTime64(9)) CODEC(ZSTD(1)) COMMENT 'earliest ChangedFrom that was ever said of it'
        AFTER ChangedTo,
    ADD COLUMN IF NOT EXISTS
        WindowLow Nullable(Float64) CODEC(ZSTD(1)) COMMENT 'lower end of where WindowValue lies' AFTER WindowValue,
    ADD COLUMN IF NOT EXISTS
        WindowHigh Nullable(Float64) CODEC(ZSTD(1)) COMMENT 'upper end of where WindowValue lies' AFTER WindowLow,
    ADD COLUMN IF NOT EXISTS
        Unit LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'of the values: share, s, USD, tokens or 1' AFTER WindowHigh,
    ADD COLUMN IF NOT EXISTS
        Threshold Nullable(Float64) CODEC(ZSTD(1)) COMMENT 'what Statistic had to reach' AFTER Statistic,
    ADD COLUMN IF NOT EXISTS
        Runs UInt64 CODEC(ZSTD(1)) COMMENT 'runs since it began' AFTER EffectSize,
    ADD COLUMN IF NOT EXISTS
        UsdPerDay Nullable(Float64) CODEC(ZSTD(1)) COMMENT 'what it costs more' AFTER Runs,
    ADD COLUMN IF NOT EXISTS
        FailedRunsPerDay Nullable(Float64) CODEC(ZSTD(1)) COMMENT 'runs that fail more' AFTER UsdPerDay,
    ADD COLUMN IF NOT EXISTS
        Details String CODEC(ZSTD(3)) COMMENT 'a JSON object: parts, changes, series and what else the detector says'
        AFTER Explanation,
    ADD COLUMN IF NOT EXISTS
        TypicalRuns Array(String) CODEC(ZSTD(1)) COMMENT 'ids of runs as they were before' AFTER ExampleRuns,
    ADD COLUMN IF NOT EXISTS
        Resolution LowCardinality(String) CODEC(ZSTD(1))
        COMMENT 'back_to_normal, fixed, false_alarm or new_normal; empty where it is not resolved' AFTER State,
    ADD COLUMN IF NOT EXISTS
        ResolvedAt Nullable(DateTime64(9)) CODEC(ZSTD(1)) AFTER Resolution,
    ADD COLUMN IF NOT EXISTS
        AcknowledgedAt Nullable(DateTime64(9)) CODEC(ZSTD(1)) AFTER ResolvedAt,
    ADD COLUMN IF NOT EXISTS
        InsideSince Nullable(DateTime64(9)) CODEC(ZSTD(1)) COMMENT 'since when it has been inside the margin again'
        AFTER AcknowledgedAt,
    ADD COLUMN IF NOT EXISTS
        Judgement LowCardinality(String) CODEC(ZSTD(1))
        COMMENT 'real or false_alarm, as somebody judged; empty where nobody did' AFTER InsideSince,
    ADD COLUMN IF NOT EXISTS
        ReopenedTimes UInt32 CODEC(ZSTD(1)) AFTER Judgement
