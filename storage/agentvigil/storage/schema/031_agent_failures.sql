-- Every failure with the run it belongs to: steps that failed, and runs that failed by themselves, in no step.
CREATE VIEW IF NOT EXISTS agent_failures AS
SELECT
    Project, Timestamp, TraceId, RunId, SpanId, StepType, StepName, Operation, AgentName, Attempt, Provider, Model,
    ToolName, FailureType, FailureCode, FailureMessage, ErrorType, IsSoftFailure, IsRecovered, IsRootCause, IsVictim, Duration
FROM agent_steps FINAL
WHERE Status = 'failure' AND BillingNote != 'duplicate'
UNION ALL
SELECT
    Project, Timestamp, TraceId, RunId, TopSpanId AS SpanId, 'other' AS StepType, RunName AS StepName,
    'invoke_agent' AS Operation, AgentName, 1 AS Attempt, '' AS Provider, '' AS Model, '' AS ToolName,
    RootCauseType AS FailureType, RootCauseCode AS FailureCode, RootCauseMessage AS FailureMessage, '' AS ErrorType,
    false AS IsSoftFailure, false AS IsRecovered, true AS IsRootCause, false AS IsVictim, Duration
FROM agent_runs FINAL
WHERE RootCauseSpanId != '' AND RootCauseSpanId = TopSpanId
    AND (Project, RunId) NOT IN (SELECT Project, RunId FROM agent_steps FINAL WHERE endsWith(RunId, concat('-', SpanId)))
