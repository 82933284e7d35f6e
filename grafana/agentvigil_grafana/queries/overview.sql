-- How all agents are doing.

-- runs --
-- Finished and open runs in the time that is shown, without those that only repeat another trace's calls.
SELECT count() AS runs FROM {{runs}}

-- failed_share --
-- Runs that failed, of those that ended.
SELECT {{failed_share}} AS failed FROM {{runs}}

-- cost --
-- List prices of all calls, each real call once. Calls without a price are not in it: see the dashboard of costs.
SELECT {{cost}} AS cost FROM {{runs}}

-- slowest --
-- 95 of 100 runs that ended took no longer.
SELECT quantile(0.95)({{seconds}}) AS p95 FROM {{runs}} AND {{ended}}

-- tokens --
-- Input and output tokens of billed calls.
SELECT {{tokens}} AS tokens FROM {{runs}}

-- open_findings --
-- Critical and major findings that nobody resolved, whenever they were found.
SELECT count() AS findings FROM {{findings}} AND State != 'resolved' AND Severity IN ('critical', 'major')

-- runs_by_status --
-- Runs by how they ended. Partial means fine in the end, although a step failed for good.
SELECT
    $__timeInterval(Timestamp) AS time,
    countIf(Status = 'success') AS success,
    countIf(Status = 'partial') AS partial,
    countIf(Status = 'failure') AS failure,
    countIf(Status = 'open') AS open
FROM {{runs}}
GROUP BY time
ORDER BY time

-- failed_share_by_agent --
-- Runs that failed, of those that ended, for the ten agents with most runs.
SELECT $__timeInterval(Timestamp) AS time, toString(RunName) AS agent, {{failed_share}} AS failed
FROM {{runs}} AND {{ended}} AND {{largest_agents}}
GROUP BY time, agent
ORDER BY time, agent

-- cost_by_agent --
-- Billed cost of the ten agents with most runs.
SELECT $__timeInterval(Timestamp) AS time, toString(RunName) AS agent, {{cost}} AS cost
FROM {{runs}} AND {{largest_agents}}
GROUP BY time, agent
ORDER BY time, agent

-- p95_by_agent --
-- 95 of 100 runs took no longer, for the ten agents with most runs.
SELECT $__timeInterval(Timestamp) AS time, toString(RunName) AS agent, quantile(0.95)({{seconds}}) AS p95
FROM {{runs}} AND {{ended}} AND {{largest_agents}}
GROUP BY time, agent
ORDER BY time, agent

-- agents --
-- Every agent with what its runs are together; its name leads to its versions.
SELECT
    toString(RunName) AS agent,
    count() AS runs,
    {{failed_share}} AS failed,
    quantileIf(0.5)({{seconds}}, {{ended}}) AS p50,
    quantileIf(0.95)({{seconds}}, {{ended}}) AS p95,
    {{cost}} AS cost,
    avg(toFloat64(BilledCostUSD)) AS cost_per_run,
    {{tokens}} AS tokens,
    uniqExact({{version}}) AS versions,
    max(Timestamp) AS last_run
FROM {{runs}}
GROUP BY agent
ORDER BY runs DESC, agent
LIMIT 500

-- unresolved --
-- What was found and nobody resolved, the most urgent first.
SELECT
    FoundAt AS found,
    toString(Severity) AS severity,
    toString(Kind) AS kind,
    Subject AS subject,
    Explanation AS explanation,
    FindingId AS finding
FROM {{findings}} AND State != 'resolved' AND NOT (Kind = 'anomaly' AND Severity = 'minor')
ORDER BY {{urgency}}
LIMIT 50
