-- What Grafana's alert rules ask. Texts become labels, the number is what is compared; there are no variables here.

-- findings --
-- Critical and major findings that nobody resolved or acknowledged, by agent.
SELECT
    toString(Project) AS project,
    toString(Agent) AS agent,
    toString(Severity) AS severity,
    toFloat64(count()) AS value
FROM findings FINAL
WHERE State = 'open' AND Severity IN ('critical', 'major')
GROUP BY project, agent, severity
ORDER BY project, agent, severity
LIMIT 500

-- cost --
-- Billed cost of an agent in US dollars.
SELECT toString(Project) AS project, toString(RunName) AS agent, toFloat64(ifNull(sum(BilledCostUSD), 0)) AS value
FROM agent_runs FINAL
WHERE $__timeFilter(Timestamp) AND DuplicateOfTraceId = '' AND BilledCostUSD IS NOT NULL
GROUP BY project, agent
ORDER BY project, agent
LIMIT 500

-- failures --
-- Share of an agent's runs that failed, where twenty or more ended.
SELECT toString(Project) AS project, toString(RunName) AS agent, countIf(Status = 'failure') / count() AS value
FROM agent_runs FINAL
WHERE $__timeFilter(Timestamp) AND DuplicateOfTraceId = '' AND Status != 'open'
GROUP BY project, agent
HAVING count() >= 20
ORDER BY project, agent
LIMIT 500

-- p95 --
-- Seconds in which 95 of 100 runs of an agent ended, where twenty or more did.
SELECT toString(Project) AS project, toString(RunName) AS agent, quantile(0.95)(Duration) / 1e9 AS value
FROM agent_runs FINAL
WHERE $__timeFilter(Timestamp) AND DuplicateOfTraceId = '' AND Status != 'open'
GROUP BY project, agent
HAVING count() >= 20
ORDER BY project, agent
LIMIT 500

-- silence --
-- Seconds since the last span came in; no rows where none did in the time that is looked at.
SELECT toFloat64(dateDiff('second', max(IngestedAt), now64(3))) AS value
FROM otel_traces
WHERE Timestamp >= $__fromTime AND IngestedAt >= $__fromTime
HAVING count() > 0

-- settling --
-- Seconds that runs are behind spans.
SELECT toFloat64(dateDiff('second', max(Time), now64(3))) AS value
FROM settling_state FINAL
WHERE Name = 'watermark'
