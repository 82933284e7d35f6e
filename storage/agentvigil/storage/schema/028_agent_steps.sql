-- The meaningful spans inside every run, in order, one row each: calls of models, tools, retrievals, plans, steps of
-- frameworks, nested agents. Written by settling; read with FINAL, which leaves the newest version of each row and
-- none that is deleted. The minute stands first, so that the rows of a time range are together.
CREATE TABLE IF NOT EXISTS agent_steps
(
    Project LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'project of the span',
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)) COMMENT 'start of the step',
    TraceId String CODEC(ZSTD(1)) COMMENT 'trace of the span',
    SpanId String CODEC(ZSTD(1)) COMMENT 'span that is this step',
    RunId String CODEC(ZSTD(1)) COMMENT 'run that the step belongs to',
    Version UInt64 CODEC(Delta(8), ZSTD(1)) COMMENT 'grows each time the trace is settled; the newest row counts',
    IsDeleted UInt8 CODEC(ZSTD(1)) COMMENT '1 where a later span made the row void; FINAL leaves it out',
    KeepDays UInt16 CODEC(ZSTD(1)) COMMENT 'retention class: the step goes this many days after its start',
    ParentStepId String CODEC(ZSTD(1)) COMMENT 'span id of the step around this one, empty directly under the run',
    Ordinal UInt32 CODEC(T64, ZSTD(1)) COMMENT 'place in the run by start, from 1',
    Depth UInt16 CODEC(T64, ZSTD(1)) COMMENT 'steps of the run around this one',
    StepType LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'plan, retrieve, tool, respond or other',
    StepName LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'name said by hand, else of the tool, agent or span',
    Operation LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'gen_ai.operation.name; empty for a step of a framework',
    AgentName LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'nearest agent around the step, or the agent that it is',
    Attempt UInt16 CODEC(T64, ZSTD(1)) COMMENT 'number of the try, from 1; more than 1 is a retry',
    ServiceName LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'service of the span',
    Dialect LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'dialect the span was written in',
    ScopeName LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'instrumentation that wrote the span',
    Provider LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'provider of the model',
    Model LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'model that answered, else that was asked',
    ModelFamily LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'model without provider, date and revision',
    ToolName LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'tool that was called',
    ToolCallId String CODEC(ZSTD(1)) COMMENT 'id by which the model asked for the tool',
    ResponseId String CODEC(ZSTD(1)) COMMENT 'id that the provider gave its answer',
    FinishReason LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'why the model stopped',
    Duration UInt64 CODEC(T64, ZSTD(1)) COMMENT 'nanoseconds',
    SelfTime UInt64 CODEC(T64, ZSTD(1)) COMMENT 'nanoseconds in which no step inside this one ran',
    IsOnCriticalPath Bool CODEC(ZSTD(1)) COMMENT 'the run would have been shorter without it',
    CriticalPathTime UInt64 CODEC(T64, ZSTD(1)) COMMENT 'nanoseconds of the critical path that are its own',
    TimeToFirstChunk Nullable(Float64) CODEC(ZSTD(1)) COMMENT 'seconds',
    InputTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'with cached ones; NULL is unknown',
    OutputTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'with reasoning; NULL is unknown',
    CacheReadTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'part of InputTokens; NULL is unknown',
    CacheWriteTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'part of InputTokens; NULL is unknown',
    ReasoningTokens Nullable(UInt64) CODEC(ZSTD(1)) COMMENT 'part of OutputTokens; NULL is unknown',
    ListCostUSD Nullable(Decimal(18, 9)) CODEC(ZSTD(1)) COMMENT 'list price of what the span says; NULL is unknown',
    BilledCostUSD Nullable(Decimal(18, 9)) CODEC(ZSTD(1)) COMMENT 'list price if Billed; NULL otherwise or unknown',
    ReportedCostUSD Nullable(Decimal(18, 9)) CODEC(ZSTD(1)) COMMENT 'what the instrumentation said it cost',
    Billing LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'leaf, sum, none or undecided: what kind of usage the span carries',
    Billed Bool CODEC(ZSTD(1)) COMMENT 'the row stands for a real call; each real call has one such row',
    BillingNote LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'why not billed: duplicate, sum, none; or billed without cost: no tokens, no price',
    DuplicateOfTraceId String CODEC(ZSTD(1)) COMMENT 'where the same call is billed',
    DuplicateOfSpanId String CODEC(ZSTD(1)) COMMENT 'where the same call is billed',
    DuplicateOfRank UInt32 CODEC(ZSTD(1)) COMMENT 'its SightingRank',
    SightingRank UInt32 CODEC(ZSTD(1)) COMMENT 'of several sightings of one call the highest is billed; 0 where a call inside it stands for it',
    Status LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'success or failure',
    FailureType LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'tool, model, retrieval or orchestration; empty without failure',
    FailureCode LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'timeout, rate_limited, ...; empty without failure',
    FailureMessage String CODEC(ZSTD(1)) COMMENT 'status or exception message as stored, at most 1,000 bytes',
    ErrorType LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'error.type as sent, else the type of the exception',
    IsSoftFailure Bool CODEC(ZSTD(1)) COMMENT 'the step came back with something, but not with what it should',
    IsRecovered Bool CODEC(ZSTD(1)) COMMENT 'it, or a step around it, failed and a retry succeeded',
    IsRootCause Bool CODEC(ZSTD(1)) COMMENT 'failed by itself, and no retry mended it',
    IsVictim Bool CODEC(ZSTD(1)) COMMENT 'failed because a step inside it failed',
    RetrievedDocuments Nullable(UInt32) CODEC(ZSTD(1)) COMMENT 'documents a retrieval returned; NULL is unknown',
    INDEX idx_trace_id TraceId TYPE text(tokenizer = 'array')
)
ENGINE = ReplacingMergeTree(Version, IsDeleted)
PARTITION BY (toDate(Timestamp), KeepDays)
PRIMARY KEY (Project, toStartOfMinute(Timestamp), TraceId)
ORDER BY (Project, toStartOfMinute(Timestamp), TraceId, SpanId)
TTL toDateTime(Timestamp) + toIntervalDay(KeepDays)
SETTINGS ttl_only_drop_parts = 1
