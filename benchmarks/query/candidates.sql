-- The fastest SQL found for each question of the API; the filter of lists stands for any combination.

-- runs_window --
-- First try: all columns with FINAL over the newest day below the upper bound; enough for every filter that is not rare.
SELECT RunId, TraceId, TopSpanId, Version, Timestamp, EndTimestamp, SettledAt, Status, RunName, AgentName, AgentVersion, AgentFingerprint, WorkflowName, ConversationId, UserId, Environment, ServiceName, Framework, Duration, TimeToFirstChunk, Spans, Steps, Depth, LlmCalls, ToolCalls, Retrievals, NestedAgents, Retries, Models, Tools, Fingerprint, InputTokens, OutputTokens, CacheReadTokens, CacheWriteTokens, ReasoningTokens, UnknownUsageCalls, BilledCostUSD, ReportedCostUSD, UnpricedCalls, Failures, RecoveredFailures, FirstFailureType, FirstFailureCode, RootCauseType, RootCauseCode, RootCauseSpanId, RootCauseMessage, HasLateSpans
FROM agent_runs FINAL
WHERE Project = {project:String} AND DuplicateOfTraceId = '' AND Timestamp >= {since:DateTime64(9)} AND Timestamp <= {until:DateTime64(9)}
    AND (Timestamp, RunId) < ({until:DateTime64(9)}, {before_run:String})
    AND RootCauseType = {ftype:String} AND RootCauseCode = {code:String}
ORDER BY Timestamp DESC, RunId DESC
LIMIT 51

-- run_keys --
-- If that gave less than a page: keys of all versions that match, few columns, no FINAL. ORDER BY Duration or BilledCostUSD when sorting so.
SELECT Timestamp, RunId
FROM agent_runs
WHERE Project = {project:String} AND DuplicateOfTraceId = '' AND NOT IsDeleted AND Timestamp >= {since:DateTime64(9)} AND Timestamp <= {until:DateTime64(9)}
    AND RootCauseType = {ftype:String} AND RootCauseCode = {code:String}
ORDER BY Timestamp DESC, RunId DESC
LIMIT 61

-- runs_of_keys --
-- The newest version of those keys; the conditions again, since an older version may have matched alone. If fewer than a page are left and 61 keys came, go on below the last key.
SELECT * FROM
(
    SELECT RunId, TraceId, TopSpanId, Version, Timestamp, EndTimestamp, SettledAt, Status, RunName, AgentName, AgentVersion, AgentFingerprint, WorkflowName, ConversationId, UserId, Environment, ServiceName, Framework, Duration, TimeToFirstChunk, Spans, Steps, Depth, LlmCalls, ToolCalls, Retrievals, NestedAgents, Retries, Models, Tools, Fingerprint, InputTokens, OutputTokens, CacheReadTokens, CacheWriteTokens, ReasoningTokens, UnknownUsageCalls, BilledCostUSD, ReportedCostUSD, UnpricedCalls, Failures, RecoveredFailures, FirstFailureType, FirstFailureCode, RootCauseType, RootCauseCode, RootCauseSpanId, RootCauseMessage, HasLateSpans, IsDeleted, Project, DuplicateOfTraceId
    FROM agent_runs
    WHERE Project = {project:String} AND toStartOfMinute(Timestamp) IN {minutes:Array(DateTime('UTC'))} AND RunId IN {runs:Array(String)}
    ORDER BY Version DESC
    LIMIT 1 BY toStartOfMinute(Timestamp), RunId
)
WHERE NOT IsDeleted AND Project = {project:String} AND DuplicateOfTraceId = '' AND RootCauseType = {ftype:String} AND RootCauseCode = {code:String}
ORDER BY Timestamp DESC, RunId DESC
LIMIT 51

-- run --
-- TraceId is what RunId begins with: its text index finds the part.
SELECT RunId, TraceId, TopSpanId, Version, Timestamp, EndTimestamp, SettledAt, Status, RunName, AgentName, AgentVersion, AgentFingerprint, WorkflowName, ConversationId, UserId, Environment, ServiceName, Framework, Duration, TimeToFirstChunk, Spans, Steps, Depth, LlmCalls, ToolCalls, Retrievals, NestedAgents, Retries, Models, Tools, Fingerprint, InputTokens, OutputTokens, CacheReadTokens, CacheWriteTokens, ReasoningTokens, UnknownUsageCalls, BilledCostUSD, ReportedCostUSD, UnpricedCalls, Failures, RecoveredFailures, FirstFailureType, FirstFailureCode, RootCauseType, RootCauseCode, RootCauseSpanId, RootCauseMessage, HasLateSpans
FROM agent_runs FINAL
WHERE Project = {project:String} AND TraceId = {trace:String} AND RunId = {run:String}

-- steps --
-- With the time of the run known.
SELECT SpanId, ParentStepId, Timestamp, Version, Ordinal, Depth, StepType, StepName, Operation, AgentName, Attempt, ServiceName, Dialect, Provider, Model, ToolName, ToolCallId, FinishReason, Duration, SelfTime, IsOnCriticalPath, CriticalPathTime, TimeToFirstChunk, InputTokens, OutputTokens, CacheReadTokens, CacheWriteTokens, ReasoningTokens, ListCostUSD, BilledCostUSD, Billed, BillingNote, Status, FailureType, FailureCode, FailureMessage, ErrorType, IsSoftFailure, IsRecovered, IsRootCause, IsVictim, RetrievedDocuments
FROM agent_steps FINAL
PREWHERE Project = {project:String} AND toStartOfMinute(Timestamp) >= toStartOfMinute({t0:DateTime64(9)}) AND toStartOfMinute(Timestamp) <= {t1:DateTime64(9)} AND TraceId = {trace:String}
WHERE RunId = {run:String}
ORDER BY Ordinal

-- trace_time --
-- When a trace was, from its runs; without any, trace_spans_anytime.
SELECT min(Timestamp), max(EndTimestamp)
FROM agent_runs
WHERE Project = {project:String} AND TraceId = {trace:String}

-- trace_spans --
-- Spans of a trace whose time is known, some minutes about.
SELECT Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ScopeName, Duration, StatusCode, StatusMessage, Operation, StepType, StepName, Provider, RequestModel, ResponseModel, AgentName, ToolName, InputTokens, OutputTokens, CacheReadTokens, ListCostUSD, TimeToFirstChunk, ErrorType, FailureType, FailureCode
FROM otel_traces
WHERE Project = {project:String} AND TraceId = {trace:String} AND Timestamp BETWEEN {t0:DateTime64(9)} AND {t1:DateTime64(9)}
ORDER BY Timestamp

-- trace_spans_anytime --
-- Spans of a trace without a run: looks into the index of every part.
SELECT Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ScopeName, Duration, StatusCode, StatusMessage, Operation, StepType, StepName, Provider, RequestModel, ResponseModel, AgentName, ToolName, InputTokens, OutputTokens, CacheReadTokens, ListCostUSD, TimeToFirstChunk, ErrorType, FailureType, FailureCode
FROM otel_traces
WHERE Project = {project:String} AND TraceId = {trace:String}
ORDER BY Timestamp

-- metrics_hour --
-- Metrics of runs.
SELECT toStartOfHour(Timestamp) AS bucket, count() AS runs, countIf(Status = 'failure') AS failures, quantilesTDigest(0.5, 0.95, 0.99)(Duration), sum(InputTokens), sum(OutputTokens), sum(BilledCostUSD), quantilesTDigest(0.5, 0.95, 0.99)(TimeToFirstChunk)
FROM agent_runs FINAL
WHERE Project = {project:String} AND DuplicateOfTraceId = '' AND Timestamp >= {d30:DateTime64(9)}
GROUP BY bucket ORDER BY bucket

-- metrics_day_agent --
-- Metrics of runs by agent.
SELECT toStartOfDay(Timestamp) AS bucket, RunName, count() AS runs, countIf(Status = 'failure') AS failures, quantilesTDigest(0.5, 0.95, 0.99)(Duration), sum(InputTokens), sum(OutputTokens), sum(BilledCostUSD), quantilesTDigest(0.5, 0.95, 0.99)(TimeToFirstChunk)
FROM agent_runs FINAL
WHERE Project = {project:String} AND DuplicateOfTraceId = '' AND Timestamp >= {d30:DateTime64(9)}
GROUP BY bucket, RunName ORDER BY bucket, RunName

-- step_metrics_day_model --
-- Metrics of steps by model from the rows themselves: too slow over 30 days.
SELECT toStartOfDay(Timestamp) AS bucket, Model, count(), countIf(Status = 'failure'), quantilesTDigest(0.5, 0.95, 0.99)(Duration), sum(InputTokens), sum(OutputTokens), sum(BilledCostUSD)
FROM agent_steps FINAL
WHERE Project = {project:String} AND Model != '' AND BillingNote != 'duplicate' AND Timestamp >= {d30:DateTime64(9)}
GROUP BY bucket, Model ORDER BY bucket, Model

-- agents --
-- Agents of 30 days.
SELECT RunName, count(), countIf(Status = 'failure'), quantilesTDigest(0.5, 0.95)(Duration), sum(BilledCostUSD), max(Timestamp), uniqExact(AgentVersion)
FROM agent_runs FINAL
WHERE Project = {project:String} AND DuplicateOfTraceId = '' AND Timestamp >= {d30:DateTime64(9)}
GROUP BY RunName ORDER BY count() DESC

-- sessions --
-- Sessions of 30 days, newest activity first.
SELECT ConversationId, min(Timestamp), max(Timestamp) AS last, count(), countIf(Status = 'failure'), anyIf(UserId, UserId != ''), sum(BilledCostUSD)
FROM agent_runs FINAL
WHERE Project = {project:String} AND DuplicateOfTraceId = '' AND Timestamp >= {d30:DateTime64(9)} AND ConversationId != ''
GROUP BY ConversationId ORDER BY last DESC, ConversationId DESC
LIMIT 51
