-- runs --
-- Runs at random, with what else requests ask for.
SELECT
    RunId AS run, TraceId AS trace, RunName AS agent, AgentVersion AS version, UserId AS user, ConversationId AS session,
    Environment AS environment, Tools[1 + rand(1) % length(Tools)] AS tool, Models[1] AS model,
    toString(round(ifNull(BilledCostUSD, 0) * 2, 4)) AS cost, toString(intDiv(Duration, 1000000)) AS duration
FROM agent_runs FINAL
WHERE notEmpty(Tools) AND notEmpty(Models) AND AgentVersion != '' AND UserId != '' AND ConversationId != ''
ORDER BY rand(2)
LIMIT 200

-- failed_runs --
-- Failed runs at random.
SELECT RunId AS failed_run
FROM agent_runs FINAL
WHERE Status = 'failure'
ORDER BY rand()
LIMIT 200
