-- Parts of the queries of several dashboards. {{name}} is another part; {{chosen NAME in COLUMN}} and {{chosen NAME
-- among
-- COLUMN}}, for an array, hold where the dashboard's variable NAME has that value, or all of them.

-- runs --
agent_runs FINAL
WHERE $__timeFilter(Timestamp) AND DuplicateOfTraceId = '' AND {{of_runs}}

-- of_runs --
{{chosen project in Project}}
    AND {{chosen environment in Environment}}
    AND {{chosen agent in RunName}}

-- version --
if(AgentVersion != '', toString(AgentVersion), AgentFingerprint)

-- ended --
Status != 'open'

-- failed_share --
countIf(Status = 'failure') / nullIf(countIf({{ended}}), 0)

-- seconds --
Duration / 1e9

-- tokens --
toUInt64(ifNull(sum(InputTokens), 0) + ifNull(sum(OutputTokens), 0))

-- cost --
toFloat64(sum(BilledCostUSD))

-- largest_agents --
-- Those with most runs, so that a chart stays readable.
RunName IN (SELECT RunName FROM {{runs}} GROUP BY RunName ORDER BY count() DESC, RunName LIMIT 10)

-- spans --
otel_traces
WHERE $__timeFilter(Timestamp) AND {{chosen project in Project}}

-- delay_s --
-- From a span's end until it came in.
greatest(toUnixTimestamp64Milli(IngestedAt) - toUnixTimestamp64Milli(Timestamp) - Duration / 1e6, 0) / 1e3

-- findings --
findings FINAL
WHERE {{chosen project in Project}} AND {{chosen environment in Environment}} AND {{chosen agent in Agent}}

-- urgency --
transform(Severity, ['critical', 'major', 'minor'], [1, 2, 3], 4), FoundAt DESC, FindingId

-- calls --
-- Calls of models and tools: whole hours from their sums, and what came after the last of these from the steps
-- themselves.
(
    SELECT
        Hour AS At, IsModelCall, IsToolCall, Model, ToolName, Calls, Errors, Retries, InputTokens, OutputTokens,
        CacheReadTokens, CacheWriteTokens, ReasoningTokens, BilledCostUSD, UnpricedCalls, Durations, FirstChunks
    FROM agent_step_hours FINAL
    WHERE Hour >= toStartOfHour($__fromTime) AND Hour <= $__toTime AND NOT IsAllRuns AND HasRun
        AND {{chosen project in Project}} AND {{chosen agent in RunName}}
        AND (Project, Hour, KeepDays, Changes) IN (
            SELECT Project, Hour, KeepDays, max(Changes)
            FROM agent_step_hours_made
            WHERE Hour >= toStartOfHour($__fromTime) AND Hour <= $__toTime AND {{chosen project in Project}}
            GROUP BY Project, Hour, KeepDays)
    UNION ALL
    SELECT
        toStartOfMinute(Timestamp) AS At, Billed AS IsModelCall, Operation = 'execute_tool' AS IsToolCall,
        Model, ToolName,
        count() AS Calls, countIf(Status = 'failure') AS Errors, countIf(Attempt > 1) AS Retries,
        sumIf(InputTokens, Billed) AS InputTokens, sumIf(OutputTokens, Billed) AS OutputTokens,
        sumIf(CacheReadTokens, Billed) AS CacheReadTokens, sumIf(CacheWriteTokens, Billed) AS CacheWriteTokens,
        sumIf(ReasoningTokens, Billed) AS ReasoningTokens, sum(BilledCostUSD) AS BilledCostUSD,
        countIf(Billed AND BillingNote = 'no price') AS UnpricedCalls,
        quantilesTDigestState(0.5, 0.95, 0.99)(Duration) AS Durations,
        quantilesTDigestState(0.5, 0.95)(TimeToFirstChunk) AS FirstChunks
    FROM agent_steps FINAL
    WHERE Timestamp >= greatest($__fromTime, (
            SELECT max(Hour) + INTERVAL 1 HOUR
            FROM agent_step_hours_made
            WHERE {{chosen project in Project}} AND Hour >= $__fromTime - INTERVAL 1 DAY))
        AND Timestamp <= $__toTime
        AND {{chosen project in Project}}
        AND (Billed OR (Operation = 'execute_tool' AND BillingNote != 'duplicate'))
        AND (Project, RunId) IN (
            SELECT Project, RunId
            FROM agent_runs FINAL
            WHERE Timestamp >= $__fromTime - INTERVAL 1 DAY AND Timestamp <= $__toTime AND DuplicateOfTraceId = ''
                AND {{chosen project in Project}} AND {{chosen agent in RunName}})
    GROUP BY At, IsModelCall, IsToolCall, Model, ToolName
)

-- model_calls --
{{calls}}
WHERE IsModelCall AND Model != '' AND {{chosen model in Model}}

-- tool_calls --
{{calls}}
WHERE IsToolCall AND ToolName != ''
