-- columns --
-- What the API tells of a session, from its runs.
ConversationId,
toUnixTimestamp64Nano(min(Timestamp)) AS first_ns,
toUnixTimestamp64Nano(max(EndTimestamp)) AS last_ns,
count() AS runs,
countIf(Status = 'failure') AS failed_runs,
countIf(Status = 'partial') AS partial_runs,
countIf(Status = 'open') AS open_runs,
arraySort(groupUniqArray(100)(RunName)) AS agents,
arraySort(groupUniqArrayIf(100)(UserId, UserId != '')) AS users,
sum(agent_runs.Duration) AS Duration,
sum(agent_runs.LlmCalls) AS LlmCalls,
sum(agent_runs.ToolCalls) AS ToolCalls,
sum(agent_runs.InputTokens) AS InputTokens,
sum(agent_runs.OutputTokens) AS OutputTokens,
sum(agent_runs.CacheReadTokens) AS CacheReadTokens,
sum(agent_runs.CacheWriteTokens) AS CacheWriteTokens,
sum(agent_runs.ReasoningTokens) AS ReasoningTokens,
sum(agent_runs.UnknownUsageCalls) AS UnknownUsageCalls,
sum(agent_runs.BilledCostUSD) AS BilledCostUSD,
sum(agent_runs.ListCostUSD) AS ListCostUSD,
sum(agent_runs.ReportedCostUSD) AS ReportedCostUSD,
sum(agent_runs.UnpricedCalls) AS UnpricedCalls,
argMin(RunId, (Timestamp, RunId)) AS first_run_id,
argMax(RunId, (Timestamp, RunId)) AS last_run_id

-- page --
-- The keys of one page of the sessions that have runs which started between two times, and what they are ordered by. As in
-- agent_sessions, runs that only repeat what another trace has are left out.
SELECT ConversationId, {{value}} AS value, hex(sipHash128(ConversationId)) AS hash
FROM agent_runs FINAL
WHERE Project = {project:String}
    AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}))
    AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64})
    AND Timestamp >= fromUnixTimestamp64Nano({from_ns:Int64}) AND Timestamp < fromUnixTimestamp64Nano({to_ns:Int64})
    AND ConversationId != '' AND DuplicateOfTraceId = ''
GROUP BY ConversationId
HAVING true
    {{conditions}}
    {{after}}
ORDER BY value DESC, hash DESC
LIMIT {limit:UInt32}

-- by_id --
-- Sessions by their ids, in no order, from their runs between two times. In which minutes these started is found without
-- FINAL, which would read every column of all that time.
SELECT {{columns}}
FROM agent_runs FINAL
WHERE Project = {project:String}
    AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}))
    AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64})
    AND Timestamp >= fromUnixTimestamp64Nano({from_ns:Int64}) AND Timestamp < fromUnixTimestamp64Nano({to_ns:Int64})
    AND toStartOfMinute(Timestamp) IN (
        SELECT toStartOfMinute(Timestamp)
        FROM agent_runs
        WHERE Project = {project:String}
            AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}))
            AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64})
            AND ConversationId IN {session_ids:Array(String)})
    AND ConversationId IN {session_ids:Array(String)} AND DuplicateOfTraceId = ''
GROUP BY ConversationId

-- after --
-- Only what comes after the last session of the page before. Ids may be longer than a cursor; their hashes are not.
AND (value, hash) < ({value:Int64}, {hash:String})

-- value_last_at --
-- Nanoseconds since 1970.
toUnixTimestamp64Nano(max(EndTimestamp))

-- value_cost_usd --
-- Billionths of a dollar; less than nothing where it is not known.
toInt64(ifNull(sum(BilledCostUSD), -1) * 1000000000)

-- value_runs --
-- How many there are.
toInt64(count())

-- where_user --
max(UserId IN {user:Array(String)})

-- where_agent --
max(RunName IN {agent:Array(String)})

-- where_environment --
max(Environment IN {environment:Array(String)})

-- where_status --
max(Status IN {status:Array(String)})

-- where_min_cost_usd --
sum(BilledCostUSD) >= {min_cost_usd:Decimal(38, 9)}
