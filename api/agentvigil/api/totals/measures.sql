-- runs --
-- The runs of a time that match conditions, each once, without those that only repeat another trace's calls.
agent_runs FINAL
WHERE Project = {project:String}
    AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}))
    AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64})
    AND Timestamp >= fromUnixTimestamp64Nano({from_ns:Int64}) AND Timestamp < fromUnixTimestamp64Nano({to_ns:Int64})
    AND DuplicateOfTraceId = ''
    {{conditions}}

-- top_failures --
-- Root causes of runs that failed or were partial.
SELECT RootCauseType AS failure_type, RootCauseCode AS failure_code, count() AS runs
FROM {{rows}}
    AND RootCauseCode != ''
GROUP BY failure_type, failure_code
ORDER BY runs DESC, failure_type, failure_code
LIMIT 10

-- runs_of_steps --
-- The runs that steps of a time may belong to.
agent_runs FINAL
WHERE Project = {project:String}
    AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano(greatest({from_ns:Int64} - 90000000000000, 0)))
    AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64} + 7200000000000)
    AND DuplicateOfTraceId = ''
    {{conditions}}

-- steps --
-- The steps of a time that stand for calls of models or tools, each real call of a model once.
agent_steps AS step FINAL
{{join}}
WHERE step.Project = {project:String}
    AND toStartOfMinute(step.Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}))
    AND toStartOfMinute(step.Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64})
    AND step.Timestamp >= fromUnixTimestamp64Nano({from_ns:Int64}) AND step.Timestamp < fromUnixTimestamp64Nano({to_ns:Int64})
    AND ({{calls}})
    {{step_conditions}}

-- join_runs --
-- What only their runs know.
SEMI LEFT JOIN (
    SELECT
        RunId AS run_id, RunName AS run_name, AgentVersion AS run_version, Environment AS run_environment, Status AS run_status,
        Timestamp AS run_timestamp, UserId AS run_user, ConversationId AS run_session, ServiceName AS run_service, Framework AS run_framework
    FROM {{runs_of_steps}}
) AS run ON step.RunId = run.run_id

-- only_near_run --
AND ({{run_of_step}})

-- steps_of_hours --
AND toStartOfMinute(step.Timestamp) IN (
    SELECT toDateTime(hour_s + 60 * arrayJoin(range(60)))
    FROM (SELECT arrayJoin({raw_hours:Array(UInt32)}) AS hour_s)
)

-- runs_of_hours --
-- Those that steps of these hours may belong to.
AND toStartOfMinute(Timestamp) IN (
    SELECT DISTINCT toDateTime(hour_s - 86400 + 60 * arrayJoin(range(26 * 60)))
    FROM (SELECT arrayJoin({raw_hours:Array(UInt32)}) AS hour_s)
)

-- runs_runs --
count()

-- runs_successes --
countIf(Status = 'success')

-- runs_failures --
countIf(Status = 'failure')

-- runs_partials --
countIf(Status = 'partial')

-- runs_opens --
countIf(Status = 'open')

-- runs_durations --
-- Nanoseconds at 50, 95 and 99 %; how long an open run takes is not known yet.
quantilesExactInclusiveIf(0.5, 0.95, 0.99)(Duration, Status != 'open')

-- runs_first_chunks --
-- Seconds at 50 and 95 %.
quantilesExactInclusive(0.5, 0.95)(TimeToFirstChunk)

-- runs_input_tokens --
sum(InputTokens)

-- runs_output_tokens --
sum(OutputTokens)

-- runs_cache_read_tokens --
sum(CacheReadTokens)

-- runs_cache_write_tokens --
sum(CacheWriteTokens)

-- runs_reasoning_tokens --
sum(ReasoningTokens)

-- runs_calls_without_usage --
sum(UnknownUsageCalls)

-- runs_cost_usd --
sum(BilledCostUSD)

-- runs_unpriced_calls --
sum(UnpricedCalls)

-- runs_steps --
sum(Steps)

-- runs_llm_calls --
sum(LlmCalls)

-- runs_tool_calls --
sum(ToolCalls)

-- runs_retries --
sum(Retries)
