-- From the tree of a batch to rows of agent_steps and agent_runs.

-- members --
-- The spans of every run: how deep they are in it, the step each belongs to (itself or the nearest around it), the part
-- of the critical path that is its own, and what its failure is: mended by a retry, a victim of one below, or a cause.
CREATE TABLE {members:Identifier} ENGINE = Memory AS
WITH causing AS
(
    SELECT DISTINCT placed.NearFailed
    FROM {placed:Identifier} AS placed
    INNER JOIN {spans:Identifier} AS span ON placed.Node = span.Node
    LEFT JOIN {tries:Identifier} AS try ON placed.Node = try.Node
    WHERE span.IsFailed AND NOT span.IsSoftFailure AND NOT try.IsRecovered AND NOT placed.IsUnderRecovered
)
SELECT
    placed.Node AS Node, placed.Trace AS Trace, placed.Run AS Run, placed.IsInAgent AS IsInAgent,
    if(placed.Run = 0, span.TraceId, concat(span.TraceId, '-', top.SpanId)) AS RunId,
    span.IsMeaningful AND NOT (placed.RunHops = 0 AND (span.IsAgent OR span.IsFrameworkStep)) AS IsRow,
    toUInt16(least(
        toInt64(placed.StepsAbove) - top_placed.StepsAbove
        - (placed.RunHops != 0 AND (top.IsAgent OR top.IsFrameworkStep) AND top.IsMeaningful), 65535)) AS Depth,
    multiIf(IsRow, placed.Node, Depth > 0, placed.NearStep, 0) AS StepNode,
    if(Depth > 0, placed.NearStep, 0) AS ParentStepNode,
    if(span.IsAgent, placed.Node, placed.NearAgent) AS AgentNode,
    (placed.RunHops = 0 OR pick.Node != 0) AND (placed.UnpickedHops = 0 OR placed.UnpickedHops >= placed.RunHops)
        AS IsOnCriticalPath,
    if(IsOnCriticalPath,
        toUInt64(greatest(toInt64(if(placed.RunHops = 0, span.Length, pick.Picked)) - toInt64(below.Picked), 0)), 0)
        AS CriticalPathTime,
    span.IsFailed AND (try.IsRecovered OR placed.IsUnderRecovered) AS IsRecovered,
    span.IsFailed AND NOT IsRecovered AND placed.Node IN (SELECT NearFailed FROM causing) AS IsVictim,
    span.IsFailed AND NOT IsRecovered AND NOT IsVictim AS IsRootCause,
    placed.NearFailed != 0 AS IsFailureAbove,
    if(try.Node != 0, try.Attempt, 1) AS Attempt
FROM {placed:Identifier} AS placed
INNER JOIN {spans:Identifier} AS span ON placed.Node = span.Node
LEFT JOIN {placed:Identifier} AS top_placed ON placed.Run = top_placed.Node
LEFT JOIN {spans:Identifier} AS top ON placed.Run = top.Node
LEFT JOIN {tries:Identifier} AS try ON placed.Node = try.Node
LEFT JOIN {picks:Identifier} AS pick ON placed.Node = pick.Node
LEFT JOIN (SELECT Parent, sum(Picked) AS Picked FROM {picks:Identifier} GROUP BY Parent) AS below
    ON placed.Node = below.Parent
WHERE placed.IsRun

-- steps --
-- The rows of agent_steps, all but their version.
CREATE TABLE {steps:Identifier} ENGINE = Memory AS
WITH
    paths AS (SELECT StepNode, sum(CriticalPathTime) AS Time FROM {members:Identifier} GROUP BY StepNode),
    covers AS
    (
        SELECT
            Node,
            tupleElement(arrayFold(
                (state, child) -> (
                    tupleElement(state, 1) + greatest(tupleElement(child, 2) - greatest(tupleElement(child, 1), tupleElement(state, 2)), 0),
                    greatest(tupleElement(state, 2), tupleElement(child, 2))),
                arraySort(groupArray((start, end))),
                (toInt64(0), toInt64(-9000000000000000000))), 1) AS Time
        FROM
        (
            SELECT
                member.ParentStepNode AS Node,
                greatest(span.Start, parent.Start) AS start,
                least(span.End, parent.End) AS end
            FROM {members:Identifier} AS member
            INNER JOIN {spans:Identifier} AS span ON member.Node = span.Node
            INNER JOIN {spans:Identifier} AS parent ON member.ParentStepNode = parent.Node
            WHERE member.IsRow
        )
        GROUP BY Node
    )
SELECT
    member.Node AS Node, member.Trace AS Trace, member.Run AS Run, span.Kind AS Kind, span.IsAgent AS IsAgent,
    span.IsCall AS IsCall, span.Start AS Start, span.End AS End, span.ListCostUSD AS ListCostUSD,
    member.IsFailureAbove AS IsFailureAbove,
    span.Project AS Project, span.Timestamp AS Timestamp, span.TraceId AS TraceId, span.SpanId AS SpanId,
    member.RunId AS RunId,
    span.KeepDays AS KeepDays,
    parent.SpanId AS ParentStepId,
    toUInt32(row_number() OVER (PARTITION BY member.Trace, member.Run ORDER BY member.Node)) AS Ordinal,
    member.Depth AS Depth,
    if(span.StepType != '', span.StepType, 'other') AS StepType,
    multiIf(span.StepName != '', span.StepName, span.Kind = 'tool' AND span.ToolName != '', span.ToolName,
        span.IsAgent AND span.AgentName != '', span.AgentName, span.SpanName) AS StepName,
    span.Operation AS Operation,
    if(span.AgentName != '', span.AgentName, agent.AgentName) AS AgentName,
    member.Attempt AS Attempt,
    span.ServiceName AS ServiceName, span.Dialect AS Dialect, span.ScopeName AS ScopeName, span.Provider AS Provider,
    span.Model AS Model, span.ModelFamily AS ModelFamily, span.ToolName AS ToolName, span.ToolCallId AS ToolCallId,
    span.ResponseId AS ResponseId, span.FinishReason AS FinishReason,
    span.Length AS Duration,
    toUInt64(greatest(toInt64(span.Length) - cover.Time, 0)) AS SelfTime,
    member.IsOnCriticalPath AS IsOnCriticalPath,
    path.Time AS CriticalPathTime,
    span.TimeToFirstChunk AS TimeToFirstChunk,
    span.InputTokens AS InputTokens, span.OutputTokens AS OutputTokens, span.CacheReadTokens AS CacheReadTokens,
    span.CacheWriteTokens AS CacheWriteTokens, span.ReasoningTokens AS ReasoningTokens,
    if(Billed, span.ListCostUSD, NULL) AS BilledCostUSD,
    span.ReportedCostUSD AS ReportedCostUSD,
    span.Billing AS Billing,
    span.IsCall AND NOT call.IsSum AND duplicate.Node = 0 AS Billed,
    multiIf(
        span.Billing = 'sum' OR call.IsSum, 'sum',
        NOT span.IsCall, '',
        duplicate.Node != 0, 'duplicate',
        NOT span.HasUsage, if(span.IsFailed AND NOT span.IsSoftFailure, 'failed', 'no tokens'),
        span.ListCostUSD IS NULL, 'no price',
        '') AS BillingNote,
    duplicate.DuplicateOfTraceId AS DuplicateOfTraceId, duplicate.DuplicateOfSpanId AS DuplicateOfSpanId,
    duplicate.DuplicateOfRank AS DuplicateOfRank,
    if(duplicate.IsNested OR call.IsSum, 0, call.Rank) AS SightingRank,
    if(span.IsFailed, 'failure', 'success') AS Status,
    span.FailureType AS FailureType, span.FailureCode AS FailureCode, span.FailureMessage AS FailureMessage,
    span.ErrorType AS ErrorType, span.IsSoftFailure AS IsSoftFailure,
    member.IsRecovered AS IsRecovered, member.IsRootCause AS IsRootCause, member.IsVictim AS IsVictim,
    span.RetrievedDocuments AS RetrievedDocuments,
    -- The client's and the server's span of one call of a tool are one call. MCP's SDK names the tool on the server's only.
    span.Kind = 'tool' AND NOT (parent.Kind = 'tool' AND (parent.ToolName IN (span.ToolName, '') OR span.ToolName = ''))
        AS IsToolCall
FROM {members:Identifier} AS member
INNER JOIN {spans:Identifier} AS span ON member.Node = span.Node
LEFT JOIN {spans:Identifier} AS parent ON member.ParentStepNode = parent.Node
LEFT JOIN {spans:Identifier} AS agent ON member.AgentNode = agent.Node
LEFT JOIN {calls:Identifier} AS call ON member.Node = call.Node
LEFT JOIN {duplicates:Identifier} AS duplicate ON member.Node = duplicate.Node
LEFT JOIN paths AS path ON member.Node = path.StepNode
LEFT JOIN covers AS cover ON member.Node = cover.Node
WHERE member.IsRow

-- runs --
-- The rows of agent_runs, all but their version, with the first failure and the cause of the status still in one piece.
CREATE TABLE {runs:Identifier} ENGINE = Memory AS
WITH
    step_facts AS
    (
        SELECT
            Trace, Run,
            count() AS Steps,
            max(Depth) + 1 AS Depth,
            countIf(Kind = 'model' AND (Billed OR NOT IsCall)) AS LlmCalls,
            countIf(IsToolCall) AS ToolCalls,
            countIf(Kind = 'retrieval') AS Retrievals,
            countIf(IsAgent) AS NestedAgents,
            countIf(Attempt > 1) AS Retries,
            arraySort(groupUniqArrayIf(1000)(Model, IsCall AND Model != '')) AS Models,
            arraySort(groupUniqArrayIf(1000)(ToolName, Kind = 'tool' AND ToolName != '')) AS Tools,
            lower(hex(sipHash128(arrayMap(step -> (step.2, step.3), arraySort(groupArrayIf(
                (Ordinal, StepType, if(Kind = 'tool', ToolName, '')), IsToolCall OR Billed OR NOT (Kind IN ('tool', 'model')))))))) AS Fingerprint,
            sumIf(InputTokens, Billed) AS InputTokens, sumIf(OutputTokens, Billed) AS OutputTokens,
            sumIf(CacheReadTokens, Billed) AS CacheReadTokens, sumIf(CacheWriteTokens, Billed) AS CacheWriteTokens,
            sumIf(ReasoningTokens, Billed) AS ReasoningTokens,
            countIf(Billed AND BillingNote = 'no tokens') AS UnknownUsageCalls,
            countIf(Billed AND BillingNote = 'no price') AS UnpricedCalls,
            sum(BilledCostUSD) AS BilledCostUSD,
            sumIf(ListCostUSD, IsCall) AS ListCostUSD,
            sumIf(ReportedCostUSD, Billed) AS ReportedCostUSD,
            argMinIf(TimeToFirstChunk, Ordinal, TimeToFirstChunk IS NOT NULL AND StepType = 'respond') AS TimeToFirstChunk,
            countIf(IsRootCause) AS StepFailures,
            countIf(IsRecovered) AS RecoveredFailures,
            argMinIf((FailureType, FailureCode, SpanId), Ordinal, Status = 'failure') AS FirstFailure,
            argMaxIf((FailureType, FailureCode, SpanId, FailureMessage), (IsFailureAbove, NOT IsSoftFailure, End, Ordinal), IsRootCause)
                AS RootCause,
            countIf(IsRootCause AND NOT IsSoftFailure) AS HardFailures,
            maxIf(End, IsRootCause AND NOT IsSoftFailure) AS LastFailure,
            maxIf(End, Status = 'success' AND Kind IN ('model', 'tool', 'retrieval')) AS LastSuccess,
            countIf(Status = 'success' AND Kind IN ('model', 'tool', 'retrieval')) AS Successes,
            sumIf(CriticalPathTime, Kind = 'model') AS CriticalPathModelTime,
            sumIf(CriticalPathTime, Kind = 'tool') AS CriticalPathToolTime,
            sumIf(CriticalPathTime, Kind = 'retrieval') AS CriticalPathRetrievalTime,
            if(countIf(BillingNote NOT IN ('duplicate', 'sum')) = 0, anyIf(DuplicateOfTraceId, BillingNote = 'duplicate'), '')
                AS DuplicateOf
        FROM {steps:Identifier}
        GROUP BY Trace, Run
    ),
    span_facts AS
    (
        SELECT
            member.Trace AS Trace, member.Run AS Run,
            any(span.Project) AS Project, any(span.TraceId) AS TraceId, any(member.RunId) AS RunId, max(span.KeepDays) AS KeepDays,
            min(span.Timestamp) AS FirstTimestamp, min(span.Start) AS FirstStart, max(span.End) AS LastEnd,
            count() AS Spans,
            max(placed.IsUnrooted) AS IsUnrooted,
            argMinIf(span.AgentName, member.Node, span.AgentName != '') AS AgentName,
            argMinIf(span.AgentVersion, member.Node, span.AgentVersion != '') AS AgentVersion,
            argMinIf(span.AgentFingerprint, member.Node, span.AgentFingerprint != '') AS AgentFingerprint,
            argMinIf(span.WorkflowName, member.Node, span.WorkflowName != '') AS WorkflowName,
            argMinIf(span.ConversationId, member.Node, span.ConversationId != '') AS ConversationId,
            argMinIf(span.UserId, member.Node, span.UserId != '') AS UserId,
            arraySort(groupUniqArrayArray(100)(span.Tags)) AS Tags,
            argMinIf(span.Environment, member.Node, span.Environment != '') AS Environment,
            argMinIf(span.ServiceName, member.Node, span.ServiceName != '') AS ServiceName,
            argMinIf(span.Framework, member.Node, span.Framework != '') AS Framework,
            argMin(span.SpanName, member.Node) AS SpanName,
            sum(member.CriticalPathTime) AS CriticalPathTime,
            max(span.IngestedAt) AS LastIngestedAt
        FROM {members:Identifier} AS member
        INNER JOIN {spans:Identifier} AS span ON member.Node = span.Node
        INNER JOIN {placed:Identifier} AS placed ON member.Node = placed.Node
        GROUP BY member.Trace, member.Run
    )
SELECT
    fact.Project AS Project,
    if(fact.Run = 0, fact.FirstTimestamp, top.Timestamp) AS Timestamp,
    fact.RunId AS RunId,
    fact.TraceId AS TraceId,
    top.SpanId AS TopSpanId,
    fact.KeepDays AS KeepDays,
    top.IsInError AS is_top_in_error,
    top_member.IsRootCause AND (top.IsAgent OR top.IsFrameworkStep OR NOT top.IsMeaningful) AS is_top_the_cause,
    multiIf(
        fact.IsUnrooted AND NOT batch.IsFinal, 'open',
        is_top_in_error, 'failure',
        step.HardFailures > 0 AND top.StatusCode != 'Ok' AND (step.Successes = 0 OR step.LastFailure > step.LastSuccess), 'failure',
        step.StepFailures > 0, 'partial',
        'success') AS Status,
    multiIf(fact.AgentName != '', fact.AgentName, fact.WorkflowName != '', fact.WorkflowName, top.SpanName != '', top.SpanName,
        fact.SpanName) AS RunName,
    fact.AgentName AS AgentName, fact.AgentVersion AS AgentVersion, fact.AgentFingerprint AS AgentFingerprint,
    fact.WorkflowName AS WorkflowName, fact.ConversationId AS ConversationId, fact.UserId AS UserId,
    fact.Tags AS Tags,
    fact.Environment AS Environment,
    if(top.ServiceName != '', top.ServiceName, fact.ServiceName) AS ServiceName,
    fact.Framework AS Framework,
    if(fact.Run = 0, toUInt64(fact.LastEnd - fact.FirstStart), top.Length) AS Duration,
    fromUnixTimestamp64Nano(if(fact.Run = 0, fact.LastEnd, top.End)) AS EndTimestamp,
    step.TimeToFirstChunk AS TimeToFirstChunk,
    toUInt32(fact.Spans) AS Spans, toUInt32(step.Steps) AS Steps, toUInt16(least(step.Depth, 65535)) AS Depth,
    toUInt32(step.LlmCalls) AS LlmCalls, toUInt32(step.ToolCalls) AS ToolCalls, toUInt32(step.Retrievals) AS Retrievals,
    toUInt32(step.NestedAgents) AS NestedAgents, toUInt32(step.Retries) AS Retries,
    step.Models AS Models, step.Tools AS Tools, step.Fingerprint AS Fingerprint,
    step.InputTokens AS InputTokens, step.OutputTokens AS OutputTokens, step.CacheReadTokens AS CacheReadTokens,
    step.CacheWriteTokens AS CacheWriteTokens, step.ReasoningTokens AS ReasoningTokens,
    toUInt32(step.UnknownUsageCalls) AS UnknownUsageCalls,
    step.BilledCostUSD AS BilledCostUSD, step.ListCostUSD AS ListCostUSD,
    if(step.ReportedCostUSD IS NULL, top.ReportedCostUSD, step.ReportedCostUSD) AS ReportedCostUSD,
    toUInt32(step.UnpricedCalls) AS UnpricedCalls,
    toUInt32(step.StepFailures + is_top_the_cause) AS Failures,
    toUInt32(step.RecoveredFailures) AS RecoveredFailures,
    if(step.FirstFailure.3 != '', step.FirstFailure, if(is_top_the_cause, (top.FailureType, top.FailureCode, top.SpanId), ('', '', '')))
        AS FirstFailure,
    multiIf(
        is_top_the_cause, (top.FailureType, top.FailureCode, top.SpanId, top.FailureMessage),
        step.RootCause.3 != '', step.RootCause,
        is_top_in_error, ('orchestration', 'other', top.SpanId, ''),
        ('', '', '', '')) AS RootCause,
    toUInt64(step.CriticalPathModelTime) AS CriticalPathModelTime, toUInt64(step.CriticalPathToolTime) AS CriticalPathToolTime,
    toUInt64(step.CriticalPathRetrievalTime) AS CriticalPathRetrievalTime,
    toUInt64(fact.CriticalPathTime - step.CriticalPathModelTime - step.CriticalPathToolTime - step.CriticalPathRetrievalTime)
        AS CriticalPathOtherTime,
    fact.Run != 0 AND fact.LastIngestedAt > top.IngestedAt + 10 AS HasLateSpans,
    if(top.IsAgent OR top.IsFrameworkStep, '', step.DuplicateOf) AS DuplicateOfTraceId
FROM span_facts AS fact
LEFT JOIN step_facts AS step ON fact.Trace = step.Trace AND fact.Run = step.Run
LEFT JOIN {spans:Identifier} AS top ON fact.Run = top.Node
LEFT JOIN {members:Identifier} AS top_member ON fact.Run = top_member.Node
INNER JOIN {batch:Identifier} AS batch ON fact.Project = batch.Project AND fact.TraceId = batch.TraceId

-- clock --
-- The store's time, the same for all processes: a version of rows.
SELECT toUnixTimestamp64Micro(now64(6))

-- newest --
-- The newest version among the runs that these traces have, 0 where they have none.
SELECT max(Version) FROM agent_runs
WHERE toStartOfMinute(Timestamp) >= toStartOfMinute({from:DateTime64(9)}) AND toStartOfMinute(Timestamp) <= {to:DateTime64(9)}
    AND (Project, TraceId) IN (SELECT Project, TraceId FROM {batch:Identifier})

-- insert_runs --
-- The runs of the batch in their newest version.
INSERT INTO agent_runs
(
    {{run_columns}},
    FirstFailureType, FirstFailureCode, FirstFailureSpanId,
    RootCauseType, RootCauseCode, RootCauseSpanId, RootCauseMessage,
    Version, SettledAt
)
SETTINGS max_partitions_per_insert_block = 0
SELECT
    {{run_columns}},
    FirstFailure.1, FirstFailure.2, FirstFailure.3,
    RootCause.1, RootCause.2, RootCause.3, RootCause.4,
    {version:UInt64}, now64(3)
FROM {runs:Identifier}

-- insert_steps --
-- Their steps in the same version.
INSERT INTO agent_steps ({{step_columns}}, Version) SETTINGS max_partitions_per_insert_block = 0
SELECT {{step_columns}}, {version:UInt64} FROM {steps:Identifier}

-- bury_steps --
-- Voids the steps that these traces had and have no more: those that are not in this version. A row of another retention
-- class lies in another partition, where nothing takes its place; readers may look at each partition by itself, so it is
-- voided as well, in a version below the new row's.
INSERT INTO agent_steps (Project, Timestamp, TraceId, SpanId, RunId, KeepDays, Version, IsDeleted)
SETTINGS max_partitions_per_insert_block = 0, do_not_merge_across_partitions_select_final = 1
SELECT Project, Timestamp, TraceId, SpanId, RunId, KeepDays, {version:UInt64} - 1, 1
FROM agent_steps FINAL
WHERE toStartOfMinute(Timestamp) >= toStartOfMinute({from:DateTime64(9)}) AND toStartOfMinute(Timestamp) <= {to:DateTime64(9)}
    AND (Project, TraceId) IN (SELECT Project, TraceId FROM {batch:Identifier})
    AND Version < {version:UInt64}

-- bury_runs --
-- Voids the runs that these traces had and have no more, in the same way.
INSERT INTO agent_runs (Project, Timestamp, TraceId, RunId, KeepDays, Version, IsDeleted, SettledAt)
SETTINGS max_partitions_per_insert_block = 0, do_not_merge_across_partitions_select_final = 1
SELECT Project, Timestamp, TraceId, RunId, KeepDays, {version:UInt64} - 1, 1, now64(3)
FROM agent_runs FINAL
WHERE toStartOfMinute(Timestamp) >= toStartOfMinute({from:DateTime64(9)}) AND toStartOfMinute(Timestamp) <= {to:DateTime64(9)}
    AND (Project, TraceId) IN (SELECT Project, TraceId FROM {batch:Identifier})
    AND Version < {version:UInt64}

-- drop --
-- A working table that is not needed any more.
DROP TABLE IF EXISTS {table:Identifier}

-- settled --
-- How many runs the batch has, and the traces that something may still come for.
SELECT count() AS runs, groupUniqArrayIf((Project, TraceId), Status = 'open') AS open_traces FROM {runs:Identifier}

-- left_behind --
-- Working tables that nobody works with any more.
SELECT name FROM system.tables
WHERE database = currentDatabase() AND engine = 'Memory' AND startsWith(name, 'settling_') AND metadata_modification_time < now() - 3600
