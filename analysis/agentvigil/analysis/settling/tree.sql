-- What the spans of a batch of traces are to each other. Every statement makes a working table of its own in memory,
-- from those before it; Node numbers the spans of the batch from 1, and 0 is no span.

-- batch --
-- The traces to settle; IsFinal where nobody waits any longer for what is missing.
CREATE TABLE {batch:Identifier} (Project String, TraceId String, IsFinal Bool) ENGINE = Memory

-- add_to_batch --
-- Some of the traces to settle.
INSERT INTO {batch:Identifier}
SELECT project, trace, final
FROM (SELECT {projects:Array(String)} AS projects, {traces:Array(String)} AS traces, {finals:Array(UInt8)} AS finals)
ARRAY JOIN projects AS project, traces AS trace, finals AS final

-- spans --
-- The spans of the batch, each once, with what settling needs of them. Of several spans with one id the longest is
-- believed, and of equally long ones always the same. Numbers that no call can have are taken as unknown.
CREATE TABLE {spans:Identifier} ENGINE = Memory AS
WITH
    indexOf(raw.`Events.Name`, 'exception') AS exception_index,
    raw.`Events.Attributes`[exception_index] AS exception,
    if(raw.ErrorType != '', raw.ErrorType, exception['exception.type']) AS error_type,
    lower(trimBoth(arrayElement(splitByChar('.', error_type), -1))) AS kind_of_error,
    toUInt16OrZero(multiIf(
        raw.SpanAttributes['http.response.status_code'] != '', raw.SpanAttributes['http.response.status_code'],
        raw.SpanAttributes['http.status_code'] != '', raw.SpanAttributes['http.status_code'],
        kind_of_error)) AS http_status,
    substring(if(raw.StatusMessage != '', raw.StatusMessage, exception['exception.message']), 1, 1000) AS failure_message,
    raw.StatusCode = 'Error' OR raw.ErrorType != '' OR raw.FailureType != '' OR raw.FailureCode != ''
        OR http_status >= 400 OR raw.FinishReason = 'error' AS is_in_error,
    {{failure_code}} AS failure_code,
    {{failure_type}} AS failure_type
SELECT
    toUInt32(row_number() OVER (ORDER BY Project, TraceId, Start, SpanId)) AS Node,
    * EXCEPT (type_if_failed, message_if_failed),
    (FailureCode != '')::Bool AS IsFailed,
    (IsFailed AND NOT IsInError)::Bool AS IsSoftFailure,
    if(IsFailed, type_if_failed, '') AS FailureType,
    if(IsFailed, message_if_failed, '') AS FailureMessage
FROM
(
    SELECT
        raw.Project AS Project, raw.TraceId AS TraceId, raw.SpanId AS SpanId, raw.ParentSpanId AS ParentSpanId,
        raw.Timestamp AS Timestamp, raw.IngestedAt AS IngestedAt, raw.KeepDays AS KeepDays,
        least(toUnixTimestamp64Nano(raw.Timestamp), 9000000000000000000) AS Start,
        toUInt64(least(raw.Duration, 31536000000000000)) AS Length,
        Start + toInt64(Length) AS End,
        raw.ServiceName AS ServiceName, raw.SpanName AS SpanName, raw.ScopeName AS ScopeName, raw.Dialect AS Dialect,
        raw.Operation AS Operation, raw.Framework AS Framework, raw.Provider AS Provider,
        if(raw.ResourceAttributes['deployment.environment.name'] != '',
            raw.ResourceAttributes['deployment.environment.name'], raw.ResourceAttributes['deployment.environment'])
            AS Environment,
        (raw.SpanKind IN ('Server', 'Consumer') OR bitAnd(raw.TraceFlags, 768) = 768)::Bool AS HasRemoteParent,
        (raw.Dialect != '')::Bool AS IsAi,
        (raw.Operation IN ('invoke_agent', 'invoke_workflow'))::Bool AS IsAgent,
        raw.IsStep AS IsFrameworkStep,
        (IsAi AND (raw.Operation != '' OR raw.IsStep OR IsCall))::Bool AS IsMeaningful,
        multiIf(raw.Operation IN {{model_operations}}, 'model', raw.Operation = 'execute_tool', 'tool',
            raw.Operation IN {{retrieval_operations}}, 'retrieval', 'other') AS Kind,
        raw.Billing AS Billing,
        (raw.Billing IN ('leaf', 'undecided'))::Bool AS IsCall,
        raw.StepType AS StepType, raw.StepName AS StepName, raw.Attempt AS SaidAttempt,
        if(raw.ResponseModel != '', raw.ResponseModel, raw.RequestModel) AS Model,
        {{model_family}} AS ModelFamily,
        if(match(raw.ResponseId, '^(lc_)?run-'), '', raw.ResponseId) AS ResponseId,
        raw.FinishReason AS FinishReason, raw.AgentName AS AgentName, raw.AgentVersion AS AgentVersion,
        raw.AgentFingerprint AS AgentFingerprint, raw.WorkflowName AS WorkflowName, raw.ConversationId AS ConversationId,
        arrayFilter(
            tag -> tag != '',
            arrayMap(
                key -> multiIf(
                    startsWith(key, 'agentvigil.tag.'), concat(substring(key, 16), '=', raw.SpanAttributes[key]),
                    match(raw.SpanAttributes[key], '^[A-Za-z0-9_.:/@ -]{1,64}$') AND NOT startsWith(raw.SpanAttributes[key], 'sk-'),
                    concat(transform(key, [{{gateway_attributes}}], [{{gateway_tags}}], ''), '=', raw.SpanAttributes[key]),
                    ''),
                arrayFilter(
                    key -> startsWith(key, 'agentvigil.tag.') OR key IN ({{gateway_attributes}}),
                    mapKeys(raw.SpanAttributes)))) AS Tags,
        raw.UserId AS UserId, raw.ToolName AS ToolName, raw.ToolCallId AS ToolCallId,
        if(raw.InputTokens > 1000000000000, NULL, raw.InputTokens) AS InputTokens,
        if(raw.OutputTokens > 1000000000000, NULL, raw.OutputTokens) AS OutputTokens,
        if(raw.CacheReadTokens > 1000000000000, NULL, raw.CacheReadTokens) AS CacheReadTokens,
        if(raw.CacheWriteTokens > 1000000000000, NULL, raw.CacheWriteTokens) AS CacheWriteTokens,
        if(raw.ReasoningTokens > 1000000000000, NULL, raw.ReasoningTokens) AS ReasoningTokens,
        (ifNull(InputTokens, 0) + ifNull(OutputTokens, 0) > 0)::Bool AS HasUsage,
        raw.ListCostUSD AS ListCostUSD, raw.ReportedCostUSD AS ReportedCostUSD, raw.TimeToFirstChunk AS TimeToFirstChunk,
        raw.RetrievedDocuments AS RetrievedDocuments,
        raw.StatusCode AS StatusCode,
        is_in_error::Bool AS IsInError,
        error_type AS ErrorType,
        if(IsAi, failure_code, '') AS FailureCode,
        failure_type AS type_if_failed,
        failure_message AS message_if_failed
    FROM otel_traces AS raw
    WHERE raw.Timestamp >= {from:DateTime64(9)} AND raw.Timestamp <= {to:DateTime64(9)} AND raw.SpanId != ''
        AND raw.TraceId IN (SELECT TraceId FROM {batch:Identifier})
        AND (raw.Project, raw.TraceId) IN (SELECT Project, TraceId FROM {batch:Identifier})
    ORDER BY
        Length DESC,
        cityHash64(raw.ParentSpanId, raw.Timestamp, raw.SpanName, raw.ScopeName, raw.StatusCode, raw.StatusMessage,
            raw.ServiceName, raw.SpanAttributes) DESC,
        raw.IngestedAt
    LIMIT 1 BY Project, TraceId, SpanId
)

-- links --
-- Every span's parent. A span whose parent is not there hangs from the trace's root, if that is there. Spans of one
-- Trace, and with one ParentKey, belong together also where the parent is missing.
CREATE TABLE {links:Identifier} ENGINE = Memory AS
SELECT
    span.Node AS Node,
    span.Trace AS Trace,
    span.Root AS Root,
    multiIf(span.ParentSpanId = '', 0, parent.Node != 0 AND parent.Node != span.Node, parent.Node, span.Root) AS Parent,
    span.ParentSpanId != '' AND Parent = 0 AS IsOrphan
FROM
(
    SELECT
        Node, Project, TraceId, ParentSpanId,
        min(Node) OVER trace AS Trace,
        toUInt32(ifNull(min(if(ParentSpanId = '', Node, NULL)) OVER trace, 0)) AS Root
    FROM {spans:Identifier}
    WINDOW trace AS (PARTITION BY Project, TraceId)
) AS span
LEFT JOIN {spans:Identifier} AS parent
    ON span.Project = parent.Project AND span.TraceId = parent.TraceId AND span.ParentSpanId = parent.SpanId

-- links_without_cycles --
-- The parents again, without those of the spans that are their own ancestors: after so many jumps only such are landed on.
CREATE TABLE {links:Identifier} ENGINE = Memory AS
SELECT
    Node, Trace, Root,
    if(is_own_ancestor, Root, cyclic.Parent) AS Parent,
    cyclic.IsOrphan OR (is_own_ancestor AND Root = 0) AS IsOrphan
FROM
(
    SELECT *, Node IN (SELECT Jump FROM {up:Identifier} WHERE Jump != 0) AS is_own_ancestor
    FROM {cyclic:Identifier}
) AS cyclic

-- tries --
-- Which try each span is. Spans of one parent that do the same with the same tool, model or agent are tries of one
-- thing as long as each before failed and had ended; an attempt said by hand is believed. A try is recovered where a
-- later one of the same thing succeeded.
CREATE TABLE {tries:Identifier} ENGINE = Memory AS
SELECT
    Node,
    if(SaidAttempt > 0, SaidAttempt, toUInt16(least(row_number() OVER (PARTITION BY Siblings, Thing ORDER BY Node), 65535))) AS Attempt,
    IsFailed AND min(IsFailed) OVER (PARTITION BY Siblings, Thing) = 0 AS IsRecovered
FROM
(
    SELECT
        Node, Siblings, SaidAttempt, IsFailed,
        sum(multiIf(SaidAttempt > 1, 0, SaidAttempt = 1, 1, before_failed AND before_end <= Start, 0, 1)) OVER siblings AS Thing
    FROM
    (
        SELECT
            Node, Siblings, SaidAttempt, IsFailed, Start,
            lagInFrame(IsFailed, 1, false) OVER siblings AS before_failed,
            lagInFrame(End, 1, 0) OVER siblings AS before_end
        FROM
        (
            SELECT
                span.Node AS Node, span.SaidAttempt AS SaidAttempt, span.IsFailed AS IsFailed, span.Start AS Start, span.End AS End,
                cityHash64(
                    link.Trace, link.Parent, span.ParentSpanId, span.Operation,
                    multiIf(span.Kind = 'tool' AND span.ToolName != '', span.ToolName, span.Kind = 'model', span.ModelFamily,
                        span.IsAgent AND span.AgentName != '', span.AgentName, span.StepName != '', span.StepName, span.SpanName))
                    AS Siblings
            FROM {spans:Identifier} AS span
            INNER JOIN {links:Identifier} AS link ON span.Node = link.Node
            WHERE span.IsMeaningful
        )
        WINDOW siblings AS (PARTITION BY Siblings ORDER BY Node)
    )
    WINDOW siblings AS (PARTITION BY Siblings ORDER BY Node)
)

-- picks --
-- The critical path under each parent, walked backwards from its end: always the child that ended last before the one
-- picked before began. Children count as far as they lie within their parent, and the last two thousand of them.
CREATE TABLE {picks:Identifier} ENGINE = Memory AS
SELECT Parent, tupleElement(pick, 1) AS Node, tupleElement(pick, 2) AS Picked
FROM
(
    SELECT
        link.Parent AS Parent,
        any(parent.End) AS parent_end,
        arraySlice(
            arraySort(child -> (-tupleElement(child, 3), tupleElement(child, 2), tupleElement(child, 1)), groupArray((
                span.Node, greatest(span.Start, parent.Start) AS start, least(span.End, parent.End) AS end))),
            1, 2000) AS children,
        arrayFold(
            (state, child) -> if(
                tupleElement(child, 3) <= tupleElement(state, 1) AND tupleElement(child, 3) > tupleElement(child, 2),
                (tupleElement(child, 2), arrayPushBack(tupleElement(state, 2),
                    (tupleElement(child, 1), toUInt64(tupleElement(child, 3) - tupleElement(child, 2))))),
                state),
            children,
            (parent_end, CAST([], 'Array(Tuple(UInt32, UInt64))'))) AS walked,
        arrayJoin(tupleElement(walked, 2)) AS pick
    FROM {links:Identifier} AS link
    INNER JOIN {spans:Identifier} AS span ON link.Node = span.Node
    INNER JOIN {spans:Identifier} AS parent ON link.Parent = parent.Node
    WHERE link.Parent != 0
    GROUP BY link.Parent
)

-- up --
-- What stands above each span, one level so far: Jump is where the next level begins, 0 at the top. Top... is the
-- outermost ancestor of a kind, Near... the nearest one, ...Hops how far away it is, and Hops how far we looked.
CREATE TABLE {up:Identifier} ENGINE = Memory AS
SELECT
    link.Node AS Node,
    link.Parent AS Jump,
    toUInt32(link.Parent != 0) AS Hops,
    link.Parent AS Top,
    if(parent.IsAgent OR parent.IsFrameworkStep, parent.Node, 0) AS TopStep,
    toUInt32(TopStep != 0) AS TopStepHops,
    if(parent.IsAgent, parent.Node, 0) AS NearAgent,
    if(parent.IsMeaningful, parent.Node, 0) AS NearStep,
    toUInt32(parent.IsMeaningful) AS StepsAbove,
    if(parent.IsCall, parent.Node, 0) AS NearCall,
    toUInt32(parent.IsCall) AS CallsAbove,
    if(parent.IsCall OR parent.IsAgent OR parent.Kind = 'tool', parent.Node, 0) AS NearActor,
    if(parent.IsFailed AND NOT parent.IsSoftFailure AND NOT try.IsRecovered, parent.Node, 0) AS NearFailed,
    try.IsRecovered AS IsUnderRecovered,
    toUInt32(link.Parent != 0 AND pick.Node = 0) AS UnpickedHops
FROM {links:Identifier} AS link
LEFT JOIN {spans:Identifier} AS parent ON link.Parent = parent.Node
LEFT JOIN {tries:Identifier} AS try ON link.Parent = try.Node
LEFT JOIN {picks:Identifier} AS pick ON link.Parent = pick.Node

-- further_up --
-- The same, looking twice as far: what a span knows and what the span it would jump to knows.
CREATE TABLE {up:Identifier} ENGINE = Memory AS
SELECT
    near.Node AS Node,
    far.Jump AS Jump,
    near.Hops + far.Hops AS Hops,
    if(far.Top != 0, far.Top, near.Top) AS Top,
    if(far.TopStep != 0, far.TopStep, near.TopStep) AS TopStep,
    if(far.TopStep != 0, near.Hops + far.TopStepHops, near.TopStepHops) AS TopStepHops,
    if(near.NearAgent != 0, near.NearAgent, far.NearAgent) AS NearAgent,
    if(near.NearStep != 0, near.NearStep, far.NearStep) AS NearStep,
    near.StepsAbove + far.StepsAbove AS StepsAbove,
    if(near.NearCall != 0, near.NearCall, far.NearCall) AS NearCall,
    near.CallsAbove + far.CallsAbove AS CallsAbove,
    if(near.NearActor != 0, near.NearActor, far.NearActor) AS NearActor,
    if(near.NearFailed != 0, near.NearFailed, far.NearFailed) AS NearFailed,
    near.IsUnderRecovered OR far.IsUnderRecovered AS IsUnderRecovered,
    multiIf(near.UnpickedHops != 0, near.UnpickedHops, far.UnpickedHops != 0, near.Hops + far.UnpickedHops, 0) AS UnpickedHops
FROM {nearer:Identifier} AS near
LEFT JOIN {nearer:Identifier} AS far ON near.Jump = far.Node

-- unfinished --
-- How many spans do not see their top yet.
SELECT count() FROM {up:Identifier} WHERE Jump != 0

-- placed --
-- The run of each span: Run is the node of its top span, or 0 for what has no top in the trace. That is the outermost
-- agent or workflow, with the steps of a framework around it, and where there is none the root. RunAt numbers the runs.
CREATE TABLE {placed:Identifier} ENGINE = Memory AS
SELECT
    *,
    if(Run != 0, Run, Trace) AS RunAt,
    max(IsMeaningful) OVER (PARTITION BY Trace, Run) AS IsRun
FROM
(
    SELECT
        up.Node AS Node, link.Trace AS Trace, up.Hops AS Hops,
        if(up.TopStep != 0, up.TopStep, if(span.IsAgent OR span.IsFrameworkStep, up.Node, 0)) AS outer_step,
        outer_step != 0 AND max(span.IsAgent) OVER (PARTITION BY outer_step) AS has_agent,
        if(up.Top != 0, up.Top, up.Node) AS top,
        multiIf(has_agent, outer_step, top_link.IsOrphan AND NOT top_span.HasRemoteParent, 0, top) AS Run,
        has_agent AS IsInAgent,
        link.Root = 0 AND top_link.IsOrphan AND NOT top_span.HasRemoteParent AS IsUnrooted,
        multiIf(has_agent, if(up.TopStep != 0, up.TopStepHops, 0), up.Hops) AS RunHops,
        span.IsMeaningful AS IsMeaningful,
        up.NearAgent AS NearAgent, up.NearStep AS NearStep, up.StepsAbove AS StepsAbove, up.NearCall AS NearCall,
        up.CallsAbove AS CallsAbove, up.NearActor AS NearActor, up.NearFailed AS NearFailed,
        up.IsUnderRecovered AS IsUnderRecovered, up.UnpickedHops AS UnpickedHops
    FROM {up:Identifier} AS up
    INNER JOIN {links:Identifier} AS link ON up.Node = link.Node
    INNER JOIN {spans:Identifier} AS span ON up.Node = span.Node
    INNER JOIN {links:Identifier} AS top_link ON if(up.Top != 0, up.Top, up.Node) = top_link.Node
    INNER JOIN {spans:Identifier} AS top_span ON if(up.Top != 0, up.Top, up.Node) = top_span.Node
)

-- most_spans --
-- How many spans the largest trace of the batch has.
SELECT max(spans) FROM (SELECT count() AS spans FROM {links:Identifier} GROUP BY Trace)
