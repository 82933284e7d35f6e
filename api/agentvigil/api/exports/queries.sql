-- runs --
-- A row for each run, in no order.
SELECT
    RunId AS id,
    toString(Project) AS project,
    TraceId AS trace_id,
    nullIf(TopSpanId, '') AS top_span_id,
    RunName AS agent,
    nullIf(toString(AgentVersion), '') AS version,
    toString(Status) AS status,
    toTimeZone(Timestamp, 'UTC') AS started_at,
    if(Status = 'open', NULL, toTimeZone(EndTimestamp, 'UTC')) AS ended_at,
    Duration / 1000000 AS duration_ms,
    TimeToFirstChunk * 1000 AS time_to_first_chunk_ms,
    nullIf(toString(Environment), '') AS environment,
    nullIf(toString(ServiceName), '') AS service,
    nullIf(UserId, '') AS user,
    nullIf(ConversationId, '') AS session,
    nullIf(toString(WorkflowName), '') AS workflow,
    nullIf(toString(Framework), '') AS framework,
    Steps AS steps,
    Spans AS spans,
    Depth AS depth,
    LlmCalls AS llm_calls,
    ToolCalls AS tool_calls,
    Retrievals AS retrievals,
    NestedAgents AS nested_agents,
    Retries AS retries,
    Models AS models,
    Tools AS tools,
    InputTokens AS input_tokens,
    OutputTokens AS output_tokens,
    CacheReadTokens AS cache_read_tokens,
    CacheWriteTokens AS cache_write_tokens,
    ReasoningTokens AS reasoning_tokens,
    UnknownUsageCalls AS calls_without_tokens,
    BilledCostUSD AS billed_usd,
    ListCostUSD AS list_usd,
    ReportedCostUSD AS reported_usd,
    UnpricedCalls AS unpriced_calls,
    Failures AS failures,
    RecoveredFailures AS recovered_failures,
    nullIf(toString(FirstFailureType), '') AS first_failure_type,
    nullIf(toString(FirstFailureCode), '') AS first_failure_code,
    nullIf(FirstFailureSpanId, '') AS first_failure_span_id,
    nullIf(toString(RootCauseType), '') AS root_cause_type,
    nullIf(toString(RootCauseCode), '') AS root_cause_code,
    nullIf(RootCauseSpanId, '') AS root_cause_span_id,
    nullIf(RootCauseMessage, '') AS root_cause_message,
    CriticalPathModelTime / 1000000 AS critical_path_model_ms,
    CriticalPathToolTime / 1000000 AS critical_path_tool_ms,
    CriticalPathRetrievalTime / 1000000 AS critical_path_retrieval_ms,
    CriticalPathOtherTime / 1000000 AS critical_path_other_ms,
    Fingerprint AS shape,
    nullIf(AgentFingerprint, '') AS prompt_fingerprint,
    HasLateSpans AS has_late_spans,
    toTimeZone(SettledAt, 'UTC') AS settled_at
FROM agent_runs FINAL
WHERE Project = {project:String}
    AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}))
    AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64})
    AND Timestamp >= fromUnixTimestamp64Nano({from_ns:Int64}) AND Timestamp < fromUnixTimestamp64Nano({to_ns:Int64})
    AND DuplicateOfTraceId = ''
    {{conditions}}

-- steps --
-- A row for each step that began in a time, in no order.
SELECT
    RunId AS run_id,
    toString(Project) AS project,
    TraceId AS trace_id,
    SpanId AS span_id,
    nullIf(ParentStepId, '') AS parent_step_id,
    Ordinal AS ordinal,
    Depth AS depth,
    toString(StepType) AS type,
    toString(StepName) AS name,
    nullIf(toString(Operation), '') AS operation,
    nullIf(toString(AgentName), '') AS agent,
    Attempt AS attempt,
    toString(Status) AS status,
    toTimeZone(Timestamp, 'UTC') AS started_at,
    Duration / 1000000 AS duration_ms,
    SelfTime / 1000000 AS self_time_ms,
    IsOnCriticalPath AS is_on_critical_path,
    CriticalPathTime / 1000000 AS critical_path_ms,
    TimeToFirstChunk * 1000 AS time_to_first_chunk_ms,
    nullIf(toString(ServiceName), '') AS service,
    nullIf(toString(Provider), '') AS provider,
    nullIf(toString(Model), '') AS model,
    nullIf(toString(ToolName), '') AS tool,
    nullIf(ToolCallId, '') AS tool_call_id,
    nullIf(ResponseId, '') AS response_id,
    nullIf(toString(FinishReason), '') AS finish_reason,
    RetrievedDocuments AS retrieved_documents,
    InputTokens AS input_tokens,
    OutputTokens AS output_tokens,
    CacheReadTokens AS cache_read_tokens,
    CacheWriteTokens AS cache_write_tokens,
    ReasoningTokens AS reasoning_tokens,
    BilledCostUSD AS billed_usd,
    ListCostUSD AS list_usd,
    ReportedCostUSD AS reported_usd,
    Billed AS is_billed,
    nullIf(toString(BillingNote), '') AS billing_note,
    nullIf(DuplicateOfSpanId, '') AS duplicate_of_span_id,
    nullIf(toString(FailureType), '') AS failure_type,
    nullIf(toString(FailureCode), '') AS failure_code,
    nullIf(FailureMessage, '') AS failure_message,
    nullIf(toString(ErrorType), '') AS error_type,
    IsSoftFailure AS is_soft,
    IsRecovered AS is_recovered,
    IsRootCause AS is_root_cause,
    IsVictim AS is_victim,
    nullIf(toString(Dialect), '') AS dialect,
    nullIf(toString(ScopeName), '') AS instrumentation
FROM agent_steps FINAL
WHERE Project = {project:String}
    AND toStartOfMinute(Timestamp) >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}))
    AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64})
    AND Timestamp >= fromUnixTimestamp64Nano({from_ns:Int64}) AND Timestamp < fromUnixTimestamp64Nano({to_ns:Int64})
    {{conditions}}

-- of_runs --
-- Only steps of such runs; a run may have begun a day before its step.
AND RunId IN (
    SELECT RunId
    FROM agent_runs FINAL
    WHERE Project = {project:String}
        AND toStartOfMinute(Timestamp)
            >= toStartOfMinute(fromUnixTimestamp64Nano({from_ns:Int64}) - INTERVAL 1 DAY)
        AND toStartOfMinute(Timestamp) <= fromUnixTimestamp64Nano({to_ns:Int64})
        {{conditions}})

-- where_step_type --
StepType IN {type:Array(String)}

-- where_step_tool --
ToolName IN {tool:Array(String)}

-- where_step_model --
Model IN {model:Array(String)}

-- where_step_failed --
(Status = 'failure') = {failed:Bool}

-- where_step_run --
RunId IN {run:Array(String)}

-- spans --
-- A row for each span, as its project's policy let it be stored, in no order. What people and models said is not in it.
SELECT
    TraceId AS trace_id,
    SpanId AS span_id,
    nullIf(ParentSpanId, '') AS parent_span_id,
    toString(Project) AS project,
    toString(SpanName) AS name,
    toString(SpanKind) AS kind,
    toTimeZone(Timestamp, 'UTC') AS started_at,
    Duration / 1000000 AS duration_ms,
    toString(StatusCode) AS status,
    nullIf(StatusMessage, '') AS status_message,
    nullIf(toString(ServiceName), '') AS service,
    nullIf(ScopeName, '') AS instrumentation,
    nullIf(toString(Operation), '') AS operation,
    nullIf(toString(StepType), '') AS step_type,
    nullIf(toString(Provider), '') AS provider,
    nullIf(toString(RequestModel), '') AS request_model,
    nullIf(toString(ResponseModel), '') AS response_model,
    nullIf(ResponseId, '') AS response_id,
    nullIf(toString(FinishReason), '') AS finish_reason,
    nullIf(toString(AgentName), '') AS agent,
    nullIf(toString(AgentVersion), '') AS version,
    nullIf(toString(ToolName), '') AS tool,
    nullIf(ToolCallId, '') AS tool_call_id,
    nullIf(ConversationId, '') AS session,
    nullIf(UserId, '') AS user,
    InputTokens AS input_tokens,
    OutputTokens AS output_tokens,
    CacheReadTokens AS cache_read_tokens,
    CacheWriteTokens AS cache_write_tokens,
    ReasoningTokens AS reasoning_tokens,
    ListCostUSD AS list_usd,
    ReportedCostUSD AS reported_usd,
    nullIf(toString(ErrorType), '') AS error_type,
    nullIf(toString(FailureType), '') AS failure_type,
    nullIf(toString(FailureCode), '') AS failure_code,
    nullIf(toString(Dialect), '') AS dialect,
    SpanAttributes AS attributes,
    ResourceAttributes AS resource_attributes,
    arrayMap(
        (name, time, said) -> CAST(
            (name, toTimeZone(time, 'UTC'), said),
            'Tuple(name String, at DateTime64(9, \'UTC\'), attributes Map(String, String))'),
        Events.Name, Events.Timestamp, Events.Attributes) AS events,
    arrayMap(
        (trace_id, span_id, said) -> CAST(
            (trace_id, span_id, said), 'Tuple(trace_id String, span_id String, attributes Map(String, String))'),
        Links.TraceId, Links.SpanId, Links.Attributes) AS links,
    toTimeZone(IngestedAt, 'UTC') AS received_at
FROM otel_traces
WHERE Project = {project:String}
    AND Timestamp >= fromUnixTimestamp64Nano({from_ns:Int64}) AND Timestamp < fromUnixTimestamp64Nano({to_ns:Int64})
    {{conditions}}

-- where_span_service --
ServiceName IN {service:Array(String)}

-- where_span_agent --
AgentName IN {agent:Array(String)}

-- where_span_trace --
TraceId IN {trace:Array(String)}

-- where_span_operation --
Operation IN {operation:Array(String)}

-- findings --
-- A row for each finding that was found in a time, in no order.
SELECT
    FindingId AS id,
    toString(Project) AS project,
    toString(Kind) AS kind,
    toString(Detector) AS detector,
    toString(Subject) AS subject,
    toString(Feature) AS feature,
    toString(State) AS state,
    toString(Severity) AS severity,
    toTimeZone(FoundAt, 'UTC') AS found_at,
    toTimeZone(LastSeenAt, 'UTC') AS last_seen_at,
    toTimeZone(WindowStart, 'UTC') AS window_start,
    toTimeZone(WindowEnd, 'UTC') AS window_end,
    toTimeZone(BaselineStart, 'UTC') AS baseline_start,
    toTimeZone(BaselineEnd, 'UTC') AS baseline_end,
    BaselineValue AS baseline_value,
    WindowValue AS window_value,
    Statistic AS statistic,
    EvidenceLevel AS evidence_level,
    EffectSize AS effect_size,
    Explanation AS explanation,
    ExampleRuns AS example_runs,
    StableKey AS stable_key,
    nullIf(toString(Environment), '') AS environment,
    nullIf(toString(SubjectType), '') AS subject_type,
    nullIf(toString(Agent), '') AS agent,
    nullIf(Stream, '') AS stream,
    nullIf(toString(Direction), '') AS direction,
    nullIf(toString(Resolution), '') AS resolution,
    nullIf(toString(Judgement), '') AS judgement,
    toTimeZone(AcknowledgedAt, 'UTC') AS acknowledged_at,
    toTimeZone(ResolvedAt, 'UTC') AS resolved_at,
    toTimeZone(ChangedAt, 'UTC') AS changed_at,
    toTimeZone(ChangedFrom, 'UTC') AS changed_from,
    toTimeZone(ChangedTo, 'UTC') AS changed_to,
    WindowLow AS window_low,
    WindowHigh AS window_high,
    nullIf(toString(Unit), '') AS unit,
    Threshold AS threshold,
    Runs AS runs,
    toDecimal128(UsdPerDay, 9) AS usd_per_day,
    FailedRunsPerDay AS failed_runs_per_day,
    TypicalRuns AS typical_runs,
    Models AS models,
    if(IncidentId = '', FindingId, IncidentId) AS incident_id,
    nullIf(Details, '') AS details
FROM findings FINAL
WHERE Project = {project:String}
    AND FoundAt >= fromUnixTimestamp64Nano({from_ns:Int64}) AND FoundAt < fromUnixTimestamp64Nano({to_ns:Int64})
    {{conditions}}

-- exported --
-- The rows with each cell as the format needs it.
SELECT
    {{cells}}
FROM
(
{{rows}}
) AS rows

-- cell --
-- A cell as it is.
{{column}}

-- cell_text --
-- Text whose bytes every reader takes.
toValidUTF8({{column}})

-- cell_csv_text --
-- Text that no spreadsheet takes for a formula: where it begins like one, also behind spaces, an apostrophe stands before.
if(
    match({{column}}, '^[\\s\\x{00a0}\\x{2000}-\\x{200b}\\x{202f}\\x{3000}\\x{feff}]*[=+\\-@\\x{ff1d}\\x{ff0b}\\x{ff0d}\\x{ff20}]|^[\\t\\r\\n]'),
    concat('\'', toValidUTF8({{column}})),
    toValidUTF8({{column}}))

-- cell_csv_json --
-- A list or map, which CSV has no form for. Its JSON begins with a bracket, so it is no formula.
toJSONString({{column}})
