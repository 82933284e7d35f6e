-- What fails, where and why.

-- failed --
-- Runs that failed.
SELECT countIf(Status = 'failure') AS runs FROM {{runs}}

-- failed_share --
-- Runs that failed, of those that ended.
SELECT {{failed_share}} AS failed FROM {{runs}}

-- partial --
-- Runs that were fine in the end although a step failed for good.
SELECT countIf(Status = 'partial') AS runs FROM {{runs}}

-- mended --
-- Steps that failed and that a retry mended, of all steps that failed.
SELECT sum(RecoveredFailures) / nullIf(sum(RecoveredFailures) + sum(Failures), 0) AS mended FROM {{runs}}

-- by_cause --
-- Runs that failed or were partial, by the code of their root cause.
SELECT $__timeInterval(Timestamp) AS time, toString(RootCauseCode) AS cause, count() AS runs
FROM {{runs}} AND RootCauseCode != ''
GROUP BY time, cause
ORDER BY time, cause

-- share_by_agent --
-- Runs that failed, of those that ended, for the ten agents with most runs.
SELECT $__timeInterval(Timestamp) AS time, toString(RunName) AS agent, {{failed_share}} AS failed
FROM {{runs}} AND {{ended}} AND {{largest_agents}}
GROUP BY time, agent
ORDER BY time, agent

-- causes --
-- Root causes of runs that failed or were partial, the most frequent first.
SELECT
    toString(RootCauseType) AS type,
    toString(RootCauseCode) AS code,
    count() AS runs,
    toString(topK(1)(RunName)[1]) AS most_in,
    max(Timestamp) AS last_seen
FROM {{runs}} AND RootCauseCode != ''
GROUP BY type, code
ORDER BY runs DESC, type, code
LIMIT 100

-- steps --
-- Steps that failed, by tool or model: by themselves, mended by a retry, or because a step inside them failed.
SELECT
    toString(StepType) AS step,
    toString(if(ToolName != '', ToolName, if(Model != '', Model, StepName))) AS name,
    toString(FailureCode) AS code,
    count() AS failures,
    countIf(IsRecovered) AS mended,
    countIf(IsRootCause) AS root_causes,
    max(Timestamp) AS last_seen
FROM agent_failures
WHERE $__timeFilter(Timestamp) AND {{chosen project in Project}} AND NOT IsVictim
    AND (Project, RunId) IN (
        SELECT Project, RunId
        FROM {{runs}} AND (Failures > 0 OR RecoveredFailures > 0 OR Status != 'success'))
GROUP BY step, name, code
ORDER BY failures DESC, step, name, code
LIMIT 100

-- retries --
-- Steps that are another try of a failed one, a run.
SELECT $__timeInterval(Timestamp) AS time, toString(RunName) AS agent, avg(Retries) AS retries
FROM {{runs}} AND {{largest_agents}}
GROUP BY time, agent
ORDER BY time, agent

-- latest --
-- Runs that failed or were partial, the newest first. A run opens in the API, where its root cause is told; its trace
-- opens in Explore.
SELECT
    Timestamp AS began, toString(RunName) AS agent, toString(Status) AS status, toString(RootCauseType) AS type,
    toString(RootCauseCode) AS code, RootCauseMessage AS message, {{seconds}} AS duration, RunId AS run,
    TraceId AS trace
FROM {{runs}} AND Status IN ('failure', 'partial')
ORDER BY Timestamp DESC, run
LIMIT 100
