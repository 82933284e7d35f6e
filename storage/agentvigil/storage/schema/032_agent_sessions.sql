-- Conversations: all runs with one conversation id. Runs that only repeat what another trace has are left out.
CREATE VIEW IF NOT EXISTS agent_sessions AS
SELECT
    Project,
    ConversationId,
    min(Timestamp) AS FirstTimestamp,
    max(EndTimestamp) AS LastTimestamp,
    count() AS Runs,
    countIf(Status = 'failure') AS FailedRuns,
    countIf(Status = 'partial') AS PartialRuns,
    countIf(Status = 'open') AS OpenRuns,
    arraySort(groupUniqArrayIf(100)(AgentName, AgentName != '')) AS AgentNames,
    anyIf(UserId, UserId != '') AS UserId,
    sum(agent_runs.Duration) AS Duration,
    sum(agent_runs.LlmCalls) AS LlmCalls,
    sum(agent_runs.ToolCalls) AS ToolCalls,
    sum(agent_runs.InputTokens) AS InputTokens,
    sum(agent_runs.OutputTokens) AS OutputTokens,
    sum(agent_runs.BilledCostUSD) AS BilledCostUSD,
    sum(agent_runs.UnpricedCalls) AS UnpricedCalls,
    argMin(RunId, Timestamp) AS FirstRunId,
    argMax(RunId, Timestamp) AS LastRunId
FROM agent_runs FINAL
WHERE ConversationId != '' AND DuplicateOfTraceId = ''
GROUP BY Project, ConversationId
