-- candidates --
-- Traces that may begin between two times, the newest first: where they have a root there by its start, else where a run
-- of theirs began. A trace begins elsewhere if it has an earlier root, or a root at all where it is here by a run.
SELECT TraceId, if(max(IsRoot), minIf(StartNs, IsRoot), min(StartNs)) AS started_ns
FROM
(
    WITH SpanName AS Name, StatusCode = 'Error' AS IsError
    SELECT TraceId, true AS IsRoot, min(toUnixTimestamp64Nano(Timestamp)) AS StartNs
    FROM otel_traces
    WHERE Project = {project:String} AND ParentSpanId = '' AND TraceId != ''
        AND toDateTime(Timestamp) >= toDateTime(fromUnixTimestamp64Nano({from_ns:Int64}))
        AND toDateTime(Timestamp) <= toDateTime(fromUnixTimestamp64Nano({to_ns:Int64}))
        AND Timestamp >= fromUnixTimestamp64Nano({from_ns:Int64}) AND Timestamp < fromUnixTimestamp64Nano({to_ns:Int64})
        {{conditions}}
        {{root_conditions}}
        {{after}}
    GROUP BY TraceId
    UNION ALL
    WITH RunName AS Name, Status = 'failure' AS IsError
    SELECT TraceId, false AS IsRoot, min(toUnixTimestamp64Nano(Timestamp)) AS StartNs
    FROM agent_runs FINAL
    WHERE Project = {project:String} AND DuplicateOfTraceId = '' AND TraceId != ''
        AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}))
        AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64})
        AND Timestamp >= fromUnixTimestamp64Nano({from_ns:Int64}) AND Timestamp < fromUnixTimestamp64Nano({to_ns:Int64})
        {{conditions}}
        {{run_conditions}}
        {{after}}
    GROUP BY TraceId
)
GROUP BY TraceId
ORDER BY started_ns DESC, TraceId DESC
LIMIT {limit:UInt32}

-- after --
-- Only what comes after the last trace of the page before.
AND (toUnixTimestamp64Nano(Timestamp), TraceId) < ({after_ns:Int64}, {after_id:String})

-- root_with_runs --
-- Of roots, those in whose trace a run began within a day of the times searched. The index of trace ids would be asked
-- for each of them, for longer than reading takes: identity keeps it out.
AND identity(TraceId) IN (
    SELECT TraceId
    FROM agent_runs FINAL
    WHERE Project = {project:String} AND DuplicateOfTraceId = ''
        AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}) - INTERVAL 1 DAY)
        AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64}) + INTERVAL 1 DAY)

-- root_without_runs --
-- Of roots, the others.
AND identity(TraceId) NOT IN (
    SELECT TraceId
    FROM agent_runs FINAL
    WHERE Project = {project:String} AND DuplicateOfTraceId = ''
        AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}) - INTERVAL 1 DAY)
        AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64}) + INTERVAL 1 DAY)

-- no_run --
-- What has no run is not found by one.
AND false

-- where_name --
Name IN {name:Array(String)}

-- where_service --
ServiceName IN {service:Array(String)}

-- where_status --
IsError = ({status:String} = 'error')

-- where_min_duration_ms --
Duration >= {min_duration_ms:Float64} * 1000000

-- where_max_duration_ms --
Duration <= {max_duration_ms:Float64} * 1000000

-- roots --
-- Traces by their ids, in no order: their first root as it was taken in last, and how many spans they have. A span that
-- was delivered twice counts once.
SELECT
    TraceId, root.1 AS started_ns, root.2 AS Name, root.3 AS ServiceName, root.4 = 'Error' AS IsError, root.5 AS Duration,
    spans, error_spans, has_root, (true {{conditions}}) AS matches
FROM
(
    SELECT
        TraceId,
        max(ParentSpanId = '') AS has_root,
        argMinIf(
            (toUnixTimestamp64Nano(Timestamp), SpanName, ServiceName, StatusCode, otel_traces.Duration),
            (Timestamp, SpanId, -toUnixTimestamp64Milli(IngestedAt)),
            ParentSpanId = '') AS root,
        uniqExact(SpanId, Timestamp, SpanName) AS spans,
        uniqExactIf(SpanId, Timestamp, SpanName, StatusCode = 'Error') AS error_spans
    FROM otel_traces
    WHERE Project = {project:String} AND TraceId IN {trace_ids:Array(String)}
    GROUP BY TraceId
)

-- runs --
-- The runs of traces, in no order of these: the first one, which stands for a root that is missing, and all ids by start.
SELECT
    TraceId, first.1 AS started_ns, first.2 AS Name, first.3 AS ServiceName, first.4 = 'failure' AS IsError,
    first.5 AS Duration, run_ids, (true {{conditions}}) AS matches
FROM
(
    SELECT
        TraceId,
        argMin(
            (toUnixTimestamp64Nano(Timestamp), RunName, ServiceName, Status, agent_runs.Duration),
            (Timestamp, RunId)) AS first,
        arrayMap(run -> run.2, arraySort(groupArray((Timestamp, RunId)))) AS run_ids
    FROM agent_runs FINAL
    WHERE Project = {project:String} AND TraceId IN {trace_ids:Array(String)} AND DuplicateOfTraceId = ''
    GROUP BY TraceId
)

-- place --
-- The runs of a trace: their ids by start, without those that only repeat another trace's calls, and from when to when all
-- of them go.
SELECT
    arrayMap(run -> run.2, arraySort(groupArrayIf((Timestamp, RunId), DuplicateOfTraceId = ''))) AS run_ids,
    count() AS runs,
    toUnixTimestamp64Nano(min(Timestamp)) AS first_ns,
    toUnixTimestamp64Nano(max(EndTimestamp)) AS last_ns
FROM agent_runs FINAL
WHERE Project = {project:String} AND TraceId = {trace_id:String}

-- near_its_runs --
-- Spans are looked for near the runs of their trace, since each part of the table has an index of its own to ask.
AND Timestamp >= fromUnixTimestamp64Nano({near_from_ns:Int64}) AND Timestamp <= fromUnixTimestamp64Nano({near_to_ns:Int64})

-- spans --
-- The first spans of a trace by start, without what they say. What has the same id, start and name is one span that was
-- delivered several times, and told as it was taken in last; what has only the same id is another span.
SELECT
    SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, toUnixTimestamp64Nano(Timestamp) AS timestamp_ns, Duration,
    StatusCode, StatusMessage, Operation, AgentName, ToolName, if(ResponseModel != '', ResponseModel, RequestModel) AS Model,
    InputTokens, OutputTokens, CacheReadTokens, CacheWriteTokens, ReasoningTokens, ListCostUSD, StepType, StepName, Attempt,
    ErrorType, FailureType, FailureCode, length(Events.Name) AS events, length(Links.SpanId) AS links
FROM otel_traces
WHERE Project = {project:String} AND TraceId = {trace_id:String} {{bounds}}
ORDER BY Timestamp, SpanId, SpanName, IngestedAt DESC
LIMIT 1 BY Timestamp, SpanId, SpanName
LIMIT {limit:UInt32}

-- spans_total --
-- How many spans a trace has, each once.
SELECT uniqExact(SpanId, Timestamp, SpanName) AS spans
FROM otel_traces
WHERE Project = {project:String} AND TraceId = {trace_id:String} {{bounds}}

-- spans_with_content --
-- The spans of a trace of which a text is stored.
SELECT DISTINCT SpanId
FROM span_contents
WHERE Project = {project:String} AND TraceId = {trace_id:String} {{bounds}}

-- span --
-- One span whole, as it was taken in last.
SELECT
    TraceId, SpanId, ParentSpanId, TraceState, TraceFlags, SpanName, SpanKind, ServiceName,
    toUnixTimestamp64Nano(Timestamp) AS timestamp_ns, Duration, StatusCode, StatusMessage, ScopeName, ScopeVersion,
    ScopeSchemaUrl, ResourceSchemaUrl, ResourceAttributes, ScopeAttributes, SpanAttributes,
    arrayMap(time -> toUnixTimestamp64Nano(time), Events.Timestamp) AS event_times_ns, Events.Name AS event_names,
    Events.Attributes AS event_attributes, Links.TraceId AS link_traces, Links.SpanId AS link_spans,
    Links.TraceState AS link_states, Links.Attributes AS link_attributes, DroppedAttributes, DroppedEvents, DroppedLinks,
    WithheldKeys, KeepDays, toUnixTimestamp64Milli(IngestedAt) AS received_ms, Dialect, Operation, IsStep, Billing, StepType, StepName, Attempt, Provider,
    RequestModel, ResponseModel, ResponseId, FinishReason, AgentName, AgentVersion, AgentFingerprint, WorkflowName, ToolName,
    ToolCallId, ConversationId, UserId, Framework, RetrievedDocuments, InputTokens, OutputTokens, CacheReadTokens,
    CacheWriteTokens, ReasoningTokens, InputAudioTokens, OutputAudioTokens, CacheReadAudioTokens, TokenConvention,
    ServiceTier, ListCostUSD, ReportedCostUSD, TimeToFirstChunk, ErrorType, FailureType, FailureCode
FROM otel_traces
WHERE Project = {project:String} AND TraceId = {trace_id:String} AND SpanId = {span_id:String} {{bounds}}
ORDER BY IngestedAt DESC, Timestamp, SpanName
LIMIT 1

-- content --
-- The texts of a span that its project lets be stored; NULL for one of which a message is gone.
SELECT Key, Text
FROM span_content
WHERE Project = {project:String} AND TraceId = {trace_id:String} AND SpanId = {span_id:String}
ORDER BY Key
