-- page --
-- One page of agents with what their runs are together.
SELECT
    RunName AS agent,
    {{measures}},
    {{seen}},
    uniqExactIf({{version}}, {{version}} != '') AS versions,
    arraySort(groupUniqArrayIf(100)(Environment, Environment != '')) AS environments,
    {{value}} AS value
FROM {{rows}}
GROUP BY agent
{{having}}
ORDER BY value {{direction}}, agent {{direction}}
LIMIT {limit:UInt32}

-- seen --
toUnixTimestamp64Nano(min(Timestamp)) AS first_seen_ns,
toUnixTimestamp64Nano(max(Timestamp)) AS last_seen_ns,
arraySort(groupUniqArrayArray(100)(Models)) AS models,
arraySort(groupUniqArrayArray(100)(Tools)) AS tools

-- after --
-- Only what comes after the last item of the page before; pages go down.
HAVING (value, agent) < ({value:Int64}, {after_agent:String})

-- before --
-- Only what comes after the last item of the page before; pages go up.
HAVING (value, agent) > ({value:Int64}, {after_agent:String})

-- value_name --
-- The name itself stands behind it.
toInt64(0)

-- value_runs --
toInt64(count())

-- value_failure_rate --
-- Billionths of the runs that ended; less than nothing where none did.
if(countIf(Status != 'open') = 0, -1, toInt64(1e9 * countIf(Status = 'failure') / countIf(Status != 'open')))

-- value_duration_p95_ms --
-- Nanoseconds; less than nothing where no run ended.
if(countIf(Status != 'open') = 0, -1, toInt64(quantileExactInclusiveIf(0.95)(Duration, Status != 'open')))

-- value_cost_usd --
-- Billionths of a dollar; less than nothing where it is not known.
toInt64(ifNull(sum(BilledCostUSD), -1) * 1000000000)

-- value_tokens --
-- Less than nothing where they are not known.
toInt64(if(sum(InputTokens) IS NULL AND sum(OutputTokens) IS NULL, -1, ifNull(sum(InputTokens), 0) + ifNull(sum(OutputTokens), 0)))

-- value_last_seen --
toUnixTimestamp64Nano(max(Timestamp))

-- exists --
-- Without FINAL, which would read every column of the order: at worst it finds a run that is void by now.
SELECT 1 AS found
FROM agent_runs
WHERE Project = {project:String} AND RunName = {name:String} AND DuplicateOfTraceId = '' AND IsDeleted = 0
LIMIT 1

-- version --
-- What tells versions apart: what was said, else the fingerprint of system prompt, tools and model.
if(AgentVersion != '', toString(AgentVersion), AgentFingerprint)

-- of_versions --
AND {{version}} IN {versions:Array(String)}

-- versions_in_short --
-- The newest versions, in the order in which they were first seen.
SELECT *
FROM (
    SELECT
        {{version}} AS key,
        toString(any(AgentVersion)) AS version,
        count() AS runs,
        toUnixTimestamp64Nano(min(Timestamp)) AS first_seen_ns,
        toUnixTimestamp64Nano(max(Timestamp)) AS last_seen_ns
    FROM {{rows}}
    GROUP BY key
    ORDER BY first_seen_ns DESC, key DESC
    LIMIT {limit:UInt32}
)
ORDER BY first_seen_ns, key

-- versions --
-- The newest versions, in the order in which they were first seen, and how many there are.
SELECT *
FROM (
    WITH {{of_a_run}}
    SELECT
        {{version}} AS key,
        toString(any(AgentVersion)) AS version,
        arraySort(groupUniqArrayIf(100)(AgentFingerprint, AgentFingerprint != '')) AS fingerprints,
        {{measures}},
        {{per_run}},
        {{seen}},
        count() OVER () AS versions_total
    FROM {{rows}}
    GROUP BY key
    ORDER BY first_seen_ns DESC, key DESC
    LIMIT {limit:UInt32}
)
ORDER BY first_seen_ns, key

-- per_run --
-- Of a run: number of runs where it is known, mean and variance.
(count(BilledCostUSD), avg(toFloat64(BilledCostUSD)), varSampStable(toFloat64(BilledCostUSD))) AS cost_of_a_run,
(count(known_tokens), avg(known_tokens), varSampStable(known_tokens)) AS tokens_of_a_run,
(count(), avg(Steps), varSampStable(Steps)) AS steps_of_a_run,
(count(known_duration), avg(known_duration), varSampStable(known_duration)) AS duration_of_a_run

-- of_a_run --
-- What is not known of it is NULL.
if(InputTokens IS NULL AND OutputTokens IS NULL, NULL, toFloat64(ifNull(InputTokens, 0) + ifNull(OutputTokens, 0))) AS known_tokens,
if(Status = 'open', NULL, toFloat64(Duration)) AS known_duration

-- failures --
-- Root causes of runs that failed or were partial, the most frequent first.
SELECT {{version}} AS key, RootCauseType AS failure_type, RootCauseCode AS failure_code, count() AS runs
FROM {{rows}}
    AND RootCauseCode != ''
GROUP BY key, failure_type, failure_code
ORDER BY runs DESC, failure_type, failure_code

-- models --
-- In how many runs each model was called.
SELECT {{version}} AS key, toString(arrayJoin(Models)) AS name, count() AS runs
FROM {{rows}}
GROUP BY key, name

-- tools --
-- In how many runs each tool was called, how often, with the sum of the squares of that, and how often it failed, by code.
-- A run's last steps may lie behind the time.
SELECT
    key, name, count() AS runs, sum(calls_of_run) AS calls, sum(calls_of_run * calls_of_run) AS squares,
    sum(length(codes_of_run)) AS errors, sumMap(codes_of_run, arrayMap(code -> toUInt64(1), codes_of_run)) AS errors_by_code
FROM (
    SELECT
        run.key AS key, toString(step.ToolName) AS name, step.RunId AS run_id,
        count() AS calls_of_run, groupArrayIf(toString(step.FailureCode), step.Status = 'failure') AS codes_of_run
    FROM {{steps}}
    GROUP BY key, name, run_id
)
GROUP BY key, name

-- steps_of_versions --
agent_steps AS step FINAL
SEMI LEFT JOIN (SELECT RunId AS run_id, {{version}} AS key FROM {{rows}}) AS run ON step.RunId = run.run_id
WHERE step.Project = {project:String}
    AND toStartOfMinute(step.Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano(greatest({from_ns:Int64} - 86400000000000, 0)))
    AND toStartOfMinute(step.Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64} + 86400000000000)
    AND step.Operation = 'execute_tool' AND step.BillingNote != 'duplicate' AND step.ToolName != ''
