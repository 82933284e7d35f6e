-- Runs to look at, what is in them, and what was found.

-- columns --
-- What is looked at of a run.
SELECT
    toString(Project) AS project, toString(Environment) AS environment, toString(RunName) AS agent, {{input_class}} AS input_class,
    RunId AS run_id, TraceId AS trace_id, toUnixTimestamp64Nano(Timestamp) AS started_ns, toUnixTimestamp64Nano(EndTimestamp) AS ended_ns,
    toUnixTimestamp64Milli(SettledAt) AS settled_ms, toString(AgentVersion) AS version, Status = 'failure' AS has_failed,
    Steps AS steps, ToolCalls AS tool_calls, Tools AS tools, Duration / 1e9 AS duration_s, toFloat64(BilledCostUSD) AS cost_usd,
    if(InputTokens IS NULL AND OutputTokens IS NULL, NULL, ifNull(InputTokens, 0) + ifNull(OutputTokens, 0)) AS tokens

-- settled_runs --
-- Runs by when they were settled. Without FINAL: a later version of a run is settled later, and then looked at again.
{{columns}}
FROM agent_runs
WHERE SettledAt >= fromUnixTimestamp64Milli({from_ms:Int64}) AND SettledAt < fromUnixTimestamp64Milli({to_ms:Int64})
    AND (settled_ms, project, run_id) > ({after_ms:Int64}, {after_project:String}, {after_run:String})
    AND IsDeleted = 0 AND Status != 'open' AND DuplicateOfTraceId = ''
ORDER BY settled_ms, project, run_id
LIMIT {limit:UInt32}

-- started_runs --
-- Runs by when they began.
{{columns}}
FROM agent_runs FINAL
WHERE toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}))
    AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64})
    AND Timestamp >= fromUnixTimestamp64Nano({from_ns:Int64}) AND Timestamp < fromUnixTimestamp64Nano({to_ns:Int64})
    AND (started_ns, project, run_id) > ({after_ns:Int64}, {after_project:String}, {after_run:String})
    AND Status != 'open' AND DuplicateOfTraceId = ''
ORDER BY started_ns, project, run_id
LIMIT {limit:UInt32}
SETTINGS do_not_merge_across_partitions_select_final = 1

-- runs_by_id --
{{columns}}
FROM agent_runs FINAL
WHERE Project = {project:String}
    AND toStartOfMinute(Timestamp) >= toDateTime({day:Date}, 'UTC') AND toStartOfMinute(Timestamp) < toDateTime({day:Date}, 'UTC') + toIntervalDay(1)
    AND TraceId IN {trace_ids:Array(String)} AND RunId IN {run_ids:Array(String)}

-- streaks_of_runs --
{{longest_streaks}}
FROM
(
    SELECT *
    FROM agent_steps FINAL
    WHERE Project = {project:String}
        AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64} - 600000000000))
        AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64} + 600000000000)
        AND RunId IN {run_ids:Array(String)}
        AND Operation = 'execute_tool' AND BillingNote != 'duplicate' AND ToolName != ''
)
GROUP BY run_id

-- steps_of_run --
-- The steps of a run in order, the first 5,000.
SELECT {{step}}
FROM agent_steps FINAL
WHERE Project = {project:String}
    AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64} - 600000000000))
    AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64} + 600000000000)
    AND TraceId = {trace_id:String} AND RunId = {run_id:String}
ORDER BY ordinal
LIMIT 5000

-- step --
-- What a step took by itself, which of several that do the same it is, and in which run.
RunId AS run_id, Ordinal AS ordinal,
multiIf(ToolName != '' AND Operation = 'execute_tool', 'tool', Model != '' AND Billed, 'model', 'step') AS kind,
multiIf(kind = 'tool', toString(ToolName), kind = 'model', toString(Model), toString(StepName)) AS name,
CriticalPathTime / 1e9 AS duration_s, toFloat64(ifNull(BilledCostUSD, 0)) AS cost_usd,
toFloat64(if(Billed, ifNull(InputTokens, 0) + ifNull(OutputTokens, 0), 0)) AS tokens

-- usual_runs --
-- The last 200 runs like one, of the 28 days before its day.
SELECT RunId AS run_id, TraceId AS trace_id, toUnixTimestamp64Nano(Timestamp) AS started_ns
FROM {{runs}}
    AND Environment = {environment:String} AND RunName = {agent:String} AND Status != 'failure'
    AND ({any_steps:Bool} OR {{step_bucket}} = {bucket:Int16})
ORDER BY Timestamp DESC
LIMIT 200
SETTINGS do_not_merge_across_partitions_select_final = 1

-- usual_steps --
-- What steps usually take, by what they do, and how many of them a run that has any has.
SELECT
    kind, name, count() / uniqExact(run_id) AS steps_of_run, uniqExact(run_id) AS runs,
    quantileExactInclusive(0.5)(duration_s) AS duration_s, quantileExactInclusive(0.5)(cost_usd) AS cost_usd,
    quantileExactInclusive(0.5)(tokens) AS tokens
FROM
(
    SELECT {{step}}
    FROM agent_steps FINAL
    WHERE Project = {project:String}
        AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64} - 600000000000))
        AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64} + 86400000000000)
        AND TraceId IN {trace_ids:Array(String)} AND RunId IN {run_ids:Array(String)}
)
GROUP BY kind, name

-- sessions --
-- What the conversations are together that runs of a time belong to, of the runs of seven days.
SELECT
    toString(Project) AS project, ConversationId AS conversation_id, count() AS runs, toFloat64(sum(BilledCostUSD)) AS cost_usd,
    min(toUnixTimestamp64Nano(Timestamp)) AS started_ns, max(toUnixTimestamp64Nano(EndTimestamp)) AS ended_ns,
    argMin((RunId, toString(Environment), toString(RunName)), Timestamp) AS first_run,
    argMax((RunId, ifNull(BilledCostUSD, 0)), ifNull(BilledCostUSD, 0)) AS dearest_run
FROM agent_runs FINAL
WHERE toStartOfMinute(Timestamp) >= fromUnixTimestamp64Milli({to_ms:Int64}) - toIntervalDay(7)
    AND Status != 'open' AND DuplicateOfTraceId = ''
    AND (Project, ConversationId) IN (
        SELECT Project, ConversationId
        FROM agent_runs
        WHERE SettledAt >= fromUnixTimestamp64Milli({from_ms:Int64}) AND SettledAt < fromUnixTimestamp64Milli({to_ms:Int64})
            AND ConversationId != '')
GROUP BY project, conversation_id
HAVING runs >= 5 OR cost_usd >= 0.05
SETTINGS do_not_merge_across_partitions_select_final = 1

-- found_before --
-- What was found of days that runs began on.
SELECT
    toString(Project) AS project, toString(Environment) AS environment, toString(Agent) AS agent, Day AS day,
    AnomalyId AS anomaly_id, toString(Kind) AS kind, Excess AS excess, IsTold AS is_told
FROM run_anomalies FINAL
WHERE Project = {project:String} AND Day = {day:Date}
    AND (Environment, Agent) IN arrayZip({environments:Array(String)}, {agents:Array(String)})

-- read_watermark --
-- Before when all that was settled is looked at.
SELECT toUnixTimestamp64Milli(Time) AS watermark_ms, Version AS version
FROM settling_state WHERE Name = {name:String} ORDER BY Version DESC LIMIT 1

-- write_watermark --
INSERT INTO settling_state (Name, Time, Holder, Version)
SELECT {name:String}, fromUnixTimestamp64Milli({watermark_ms:Int64}), {holder:String}, {version:UInt64}
