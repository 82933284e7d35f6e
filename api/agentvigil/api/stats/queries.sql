-- totals --
-- What the runs are together, and how many sessions, users and agents they are of.
SELECT
    {{measures}},
    uniqExactIf(ConversationId, ConversationId != '') AS sessions,
    uniqExactIf(UserId, UserId != '') AS users,
    uniqExact(RunName) AS agents
FROM {{rows}}

-- top_agents --
SELECT RunName AS agent, count() AS runs, countIf(Status = 'failure') AS failures, countIf(Status = 'open') AS opens, sum(BilledCostUSD) AS cost_usd
FROM {{rows}}
GROUP BY agent
ORDER BY runs DESC, agent
LIMIT 10

-- top_calls --
-- The models that cost most, and the tools that failed most.
SELECT
    if(step.Operation = 'execute_tool', 'tool', 'model') AS kind,
    toString(if(kind = 'tool', step.ToolName, step.Model)) AS name,
    any(step.Provider) AS provider,
    count() AS calls,
    countIf(step.Status = 'failure') AS errors,
    sum(step.BilledCostUSD) AS cost_usd,
    sum(step.InputTokens) AS input_tokens,
    sum(step.OutputTokens) AS output_tokens
FROM {{rows}}
GROUP BY kind, name
ORDER BY kind, if(kind = 'tool', toFloat64(errors), toFloat64(cost_usd)) DESC NULLS LAST, calls DESC, name
LIMIT 10 BY kind
