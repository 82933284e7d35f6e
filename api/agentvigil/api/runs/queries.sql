-- columns --
-- What the API tells of a run.
Project, RunId, TraceId, TopSpanId, RunName, AgentVersion, Status, toUnixTimestamp64Nano(Timestamp) AS timestamp_ns,
toUnixTimestamp64Nano(EndTimestamp) AS end_ns, Duration, Environment, ServiceName, UserId, ConversationId, Tags, WorkflowName,
Framework, AgentFingerprint, Fingerprint, Steps, Spans, Depth, LlmCalls, ToolCalls, Retrievals, NestedAgents, Retries, Models,
Tools, InputTokens, OutputTokens, CacheReadTokens, CacheWriteTokens, ReasoningTokens, UnknownUsageCalls, BilledCostUSD,
ListCostUSD, ReportedCostUSD, UnpricedCalls, TimeToFirstChunk, Failures, RecoveredFailures, FirstFailureType,
FirstFailureCode, FirstFailureSpanId, RootCauseType, RootCauseCode, RootCauseSpanId, RootCauseMessage, CriticalPathModelTime,
CriticalPathToolTime, CriticalPathRetrievalTime, CriticalPathOtherTime, HasLateSpans, DuplicateOfTraceId, SettledAt

-- page --
-- The keys of one page of runs that started between two times, and what they are ordered by.
SELECT toUnixTimestamp64Nano(Timestamp) AS timestamp_ns, RunId, {{value}} AS value
FROM agent_runs FINAL
WHERE Project = {project:String}
    AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}))
    AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64})
    AND Timestamp >= fromUnixTimestamp64Nano({from_ns:Int64}) AND Timestamp < fromUnixTimestamp64Nano({to_ns:Int64})
    AND DuplicateOfTraceId = ''
    {{conditions}}
ORDER BY {{first}} timestamp_ns {{direction}}, RunId {{direction}}
LIMIT {limit:UInt32}

-- first --
-- What pages are ordered by before the start. Where that is nothing it must not be there either: with a constant in front
-- the engine reads all that it could leave out.
value {{direction}},

-- by_key --
-- Runs by their keys, in no order.
SELECT {{columns}}
FROM agent_runs FINAL
WHERE Project = {project:String}
    AND toStartOfMinute(Timestamp) IN (
        SELECT toStartOfMinute(fromUnixTimestamp64Nano(arrayJoin({timestamps_ns:Array(Int64)}))))
    AND Timestamp >= fromUnixTimestamp64Nano({from_ns:Int64}) AND Timestamp <= fromUnixTimestamp64Nano({to_ns:Int64})
    AND RunId IN {run_ids:Array(String)}

-- by_id --
-- One run. Its trace's id is the beginning of its own, and has an index.
SELECT {{columns}}
FROM agent_runs FINAL
WHERE Project = {project:String} AND TraceId = {trace_id:String} AND RunId = {run_id:String}

-- after --
-- Only what comes after the last item of the page before; pages go down.
AND ({{value}}, toUnixTimestamp64Nano(Timestamp), RunId) < ({value:Int64}, {timestamp_ns:Int64}, {run_id:String})

-- before --
-- Only what comes after the last item of the page before; pages go up.
AND ({{value}}, toUnixTimestamp64Nano(Timestamp), RunId) > ({value:Int64}, {timestamp_ns:Int64}, {run_id:String})

-- value_started_at --
-- The start itself stands behind it.
toInt64(0)

-- value_duration_ms --
-- Nanoseconds.
toInt64(Duration)

-- value_cost_usd --
-- Billionths of a dollar; less than nothing where it is not known.
toInt64(ifNull(BilledCostUSD, -1) * 1000000000)

-- value_tokens --
-- Of billed calls; less than nothing where they are not known.
if(InputTokens IS NULL AND OutputTokens IS NULL, toInt64(-1), toInt64(ifNull(InputTokens, 0) + ifNull(OutputTokens, 0)))

-- value_steps --
-- Rows of agent_steps.
toInt64(Steps)

-- where_agent --
RunName IN {agent:Array(String)}

-- where_version --
AgentVersion IN {version:Array(String)}

-- where_status --
Status IN {status:Array(String)}

-- where_environment --
Environment IN {environment:Array(String)}

-- where_service --
ServiceName IN {service:Array(String)}

-- where_model --
hasAny(Models, {model:Array(String)})

-- where_tool --
hasAny(Tools, {tool:Array(String)})

-- where_failure_type --
RootCauseType IN {failure_type:Array(String)}

-- where_failure_code --
RootCauseCode IN {failure_code:Array(String)}

-- where_user --
UserId IN {user:Array(String)}

-- where_session --
ConversationId IN {session:Array(String)}

-- where_trace --
TraceId IN {trace:Array(String)}

-- where_id_prefix --
startsWith(RunId, {id_prefix:String})

-- where_tag --
hasAny(Tags, {tag:Array(String)}) OR RunId IN (SELECT RunId FROM agentvigil_run_tags FINAL WHERE Project = {project:String} AND Tag IN {tag:Array(String)} AND NOT IsDeleted)

-- where_min_cost_usd --
BilledCostUSD >= {min_cost_usd:Decimal(38, 9)}

-- where_max_cost_usd --
BilledCostUSD <= {max_cost_usd:Decimal(38, 9)}

-- where_min_duration_ms --
Duration >= {min_duration_ms:Float64} * 1000000

-- where_max_duration_ms --
Duration <= {max_duration_ms:Float64} * 1000000

-- step_columns --
-- What the API tells of a step.
Project, RunId, TraceId, SpanId, ParentStepId, Ordinal, Depth, StepType, StepName, Operation, AgentName, Attempt, ServiceName,
Dialect, ScopeName, Provider, Model, ModelFamily, ToolName, ToolCallId, ResponseId, FinishReason,
Timestamp, toUnixTimestamp64Nano(Timestamp) AS timestamp_ns, Duration, SelfTime, IsOnCriticalPath, CriticalPathTime, TimeToFirstChunk,
InputTokens, OutputTokens, CacheReadTokens, CacheWriteTokens, ReasoningTokens, ListCostUSD, BilledCostUSD, ReportedCostUSD,
Billing, Billed, BillingNote, DuplicateOfTraceId, DuplicateOfSpanId, Status, FailureType, FailureCode, FailureMessage,
ErrorType, IsSoftFailure, IsRecovered, IsRootCause, IsVictim, RetrievedDocuments

-- steps --
-- The steps of a run in their order, from the one after a place in it. They start near the run, whose times may come from
-- another machine's clock; all carry its trace's id, which has an index.
SELECT {{step_columns}}
FROM agent_steps FINAL
WHERE Project = {project:String}
    AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}))
    AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64})
    AND TraceId = {trace_id:String} AND RunId = {run_id:String}
    AND Ordinal > {after:UInt32}
    {{conditions}}
ORDER BY Ordinal
LIMIT {limit:UInt32}

-- where_type --
StepType IN {type:Array(String)}

-- where_failed --
(Status = 'failure') = {failed:Bool}

-- tags --
-- The tags that a run has.
SELECT Tag
FROM agentvigil_run_tags FINAL
WHERE Project = {project:String} AND RunId = {run_id:String} AND NOT IsDeleted
ORDER BY Tag

-- similar --
-- The other runs of a time that have the same root cause and used the same tool or model: how many, and the newest.
SELECT
    count() AS runs,
    min(Timestamp) AS first_at,
    max(Timestamp) AS last_at,
    uniqIf(AgentVersion, AgentVersion != '') AS versions,
    arrayMap(found -> (found.2, found.1), groupArraySorted(5)((-toUnixTimestamp64Nano(Timestamp), RunId))) AS newest
FROM agent_runs FINAL
WHERE Project = {project:String}
    AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}))
    AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64})
    AND Timestamp >= fromUnixTimestamp64Nano({from_ns:Int64})
    AND RunId != {run_id:String} AND DuplicateOfTraceId = ''
    {{conditions}}
