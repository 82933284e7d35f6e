-- Runs of agents as they stand in the store: spans, steps and runs that agree with each other, made by hash of the run's
-- number. Ten spans a run: a web request, an agent, a plan, a tool and its HTTP call, a search (or plain HTTP), a second
-- plan, a tool, an embedding (or plain HTTP) and the answer.

-- make_view --
-- The spans of `runs` runs that are spread evenly over the `days` days before `end`, of those numbered from `first`.
CREATE OR REPLACE VIEW made_spans AS
WITH
    [('openai', 'gpt-4o', 'gpt-4o-2024-08-06', 2500, 10000), ('openai', 'gpt-4o-mini', 'gpt-4o-mini-2024-07-18', 150, 600),
        ('anthropic', 'claude-sonnet-4-5', 'claude-sonnet-4-5-20250929', 3000, 15000),
        ('gcp.gemini', 'gemini-2.5-flash', 'gemini-2.5-flash', 300, 2500), ('openai', 'gpt-4.1', 'gpt-4.1-2025-04-14', 2000, 8000),
        ('ollama', 'house-model', 'house-model', 0, 0)] AS models,
    sipHash64(run, span, 'span') AS g
SELECT
    run, h, span,
    lower(hex(sipHash128(run))) AS trace_id,
    lower(hex(sipHash64(run, span))) AS span_id,
    [0, 1, 2, 2, 4, 2, 2, 2, if(is_embedding, 2, 10), 2][span] AS parent,
    if(parent = 0, '', lower(hex(sipHash64(run, parent)))) AS parent_id,
    concat(trace_id, '-', lower(hex(sipHash64(run, 2)))) AS run_id,
    began, run_ns,
    began + toIntervalNanosecond(toUInt64(run_ns * [0, 0.003, 0.01, 0.205, 0.21, 0.33, 0.39, 0.6, 0.735, 0.733][span])) AS span_began,
    toUInt64(run_ns * [1, 0.99, 0.19, 0.12, 0.1, 0.05, 0.2, 0.13, 0.24, 0.255][span] * if(span <= 2, 1, 0.4 + 0.6 * (g % 1000) / 1000)) AS span_ns,
    agent, concat(['support', 'billing', 'search', 'triage', 'writer', 'planner', 'coder', 'ops'][agent % 8 + 1], '-', toString(agent)) AS agent_name,
    concat('1.', toString(release), '.0') AS agent_version,
    concat('service-', toString(agent % 12)) AS service,
    multiIf(s2 % 100 < 80, 'production', s2 % 100 < 95, 'staging', 'development') AS environment,
    concat('session-', lower(hex(s))) AS conversation_id,
    concat('user-', toString(toUInt32(20000 * pow((s3 % 1000000) / 1000000, 2)))) AS user_id,
    multiIf(
        span IN (3, 7, 10), 'chat', span IN (4, 8), 'execute_tool', span = 6 AND is_retrieval, 'retrieval',
        span = 9 AND is_embedding, 'embeddings', span = 2, 'invoke_agent', '') AS operation,
    span > 2 AND operation != '' AS is_step,
    multiIf(operation = 'execute_tool', 'tool', operation IN ('retrieval', 'embeddings'), 'retrieve', span = 10, 'respond', 'plan') AS step_type,
    [0, 0, 1, 2, 0, 3, 3 + is_retrieval, 4 + is_retrieval, 6 + is_retrieval, 5 + is_retrieval][span] AS ordinal,
    if(operation = 'chat', models[if(span = 7 AND h % 5 = 0, (agent + 1) % 6, agent % 6) + 1], ('', '', '', 0, 0)) AS m,
    m.1 AS provider, m.2 AS request_model, m.3 AS model,
    if(operation = 'execute_tool', concat('tool_', toString((agent * 3 + if(span = 4 OR is_recovered, h % 3, h % 4 + 3)) % 25)), '') AS tool,
    if(operation = 'chat' AND g % 200 != 0, 300 + g % 3000, NULL) AS input_tokens,
    if(operation = 'chat' AND g % 200 != 0, 20 + intDiv(g, 4096) % 600, NULL) AS output_tokens,
    if(operation = 'chat' AND h % 3 = 0, input_tokens - input_tokens % 256, NULL) AS cached_tokens,
    if(m.4 = 0, NULL, CAST(toDecimal64(input_tokens * m.4 + output_tokens * m.5, 0) * toDecimal64('0.000000001', 9), 'Nullable(Decimal(18, 9))')) AS cost_usd,
    if(operation = 'chat', 0.1 + (g % 997) / 800, NULL) AS first_chunk_s,
    (is_model_failure AND span = 10) OR (is_tool_failure AND span = 8) OR ((is_partial OR is_recovered) AND span = 4) AS is_failed_step,
    is_empty_search AND span = 6 AND is_retrieval AS is_empty,
    (is_model_failure OR is_tool_failure) AND span <= 2 AS is_failed_top,
    is_model_failure, is_tool_failure, is_partial, is_recovered, is_empty_search, is_retrieval,
    is_recovered AND span = 8 AS is_retry,
    if(is_failed_step OR is_empty, if(span = 10, 'model', if(span = 6, 'retrieval', 'tool')), '') AS failure_type,
    multiIf(
        is_empty, 'empty_retrieval',
        is_failed_step AND span = 10, ['rate_limited', 'timeout', 'context_length_exceeded', 'unavailable', 'content_filtered'][toUInt8(5 * pow(h % 1009 / 1009, 2)) + 1],
        is_failed_step, ['timeout', 'tool_error', 'not_found', 'invalid_request', 'unavailable'][toUInt8(5 * pow(h % 1009 / 1009, 2)) + 1],
        '') AS failure_code,
    if(is_failed_step, concat('no luck after ', toString(10 + h % 20), ' s'), '') AS failure_message
FROM
(
    SELECT
        run, h, s, s2, s3, agent,
        fromUnixTimestamp64Nano(toUnixTimestamp64Nano({end:DateTime64(9)}) - toInt64({days:UInt32} * 86400e9)
            + toInt64((run + (h % 10007) / 10007) * {days:UInt32} * 86400e9 / {runs:UInt64}), 'UTC') AS began,
        toUInt64(1e6 * least(600000, (1200 + 150 * agent) * exp(0.8 * sqrt(-2 * log((h % 99991 + 1) / 99992)) * cos(2 * pi() * (intDiv(h, 99991) % 9973) / 9973)))) AS run_ns,
        least(11, intDiv((run + agent * intDiv({runs:UInt64}, 320)) * 8, {runs:UInt64}) + (h % 23 = 0)) AS release,
        intDiv(h, 1000) % 1000 AS fate,
        fate < 30 AS is_model_failure, fate BETWEEN 30 AND 49 AS is_tool_failure, fate BETWEEN 50 AND 79 AS is_partial,
        fate BETWEEN 80 AND 89 AS is_empty_search, fate BETWEEN 90 AND 139 AS is_recovered,
        intDiv(h, 7) % 10 < 7 AS is_retrieval, intDiv(h, 11) % 10 < 3 AS is_embedding
    FROM
    (
        SELECT
            number + {first:UInt64} AS run, sipHash64(run) AS h,
            -- A session has four runs, each some minutes after the one before.
            sipHash64('session', intDiv(run, 400) * 100 + run % 100) AS s, sipHash64(s, 2) AS s2, sipHash64(s, 3) AS s3,
            toUInt16(40 * pow((s % 1000003) / 1000003, 3)) AS agent
        FROM numbers({count:UInt64})
    )
)
ARRAY JOIN range(1, 11) AS span

-- spans --
-- Its rows as intake leaves them.
INSERT INTO otel_traces
    (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName, ScopeVersion,
    SpanAttributes, Duration, StatusCode, StatusMessage, KeepDays, IngestedAt, RequestHash, RequestSpans, Dialect, Operation, Billing,
    StepType, Provider, RequestModel, ResponseModel, ResponseId, FinishReason, AgentName, AgentVersion, ToolName, ToolCallId,
    ConversationId, UserId, InputTokens, OutputTokens, CacheReadTokens, TokenConvention, TimeToFirstChunk, ErrorType, ListCostUSD,
    AgentFingerprint)
SELECT
    span_began, trace_id, span_id, parent_id,
    multiIf(span = 1, 'POST /ask', span = 2, concat('invoke_agent ', agent_name), operation = 'chat', concat('chat ', request_model),
        operation = 'execute_tool', concat('execute_tool ', tool), operation = 'retrieval', 'retrieval docs', operation = 'embeddings', 'embeddings text-embedding-3', 'GET'),
    if(span = 1, 'Server', if(span IN (3, 5, 7, 9, 10), 'Client', 'Internal')),
    service,
    map('deployment.environment.name', environment, 'host.name', concat('host-', toString(h % 16)), 'service.name', service, 'service.version', agent_version,
        'telemetry.sdk.language', 'python', 'telemetry.sdk.name', 'opentelemetry', 'telemetry.sdk.version', '1.38.0'),
    if(span = 1, 'opentelemetry.instrumentation.fastapi', if(operation = '', 'opentelemetry.instrumentation.httpx', 'opentelemetry.instrumentation.genai.langchain')),
    '1.0',
    mapSort(multiIf(
        span = 1, map('http.request.method', 'POST', 'http.route', '/ask', 'http.response.status_code', if(is_failed_top, '500', '200'), 'url.scheme', 'https', 'network.protocol.version', '1.1', 'server.address', 'shop.example'),
        operation = '', map('http.request.method', 'GET', 'url.full', 'https://example.org/', 'http.response.status_code', '200', 'server.address', 'example.org', 'server.port', '443'),
        operation = 'invoke_agent', map('gen_ai.operation.name', operation, 'gen_ai.agent.name', agent_name, 'gen_ai.agent.version', agent_version, 'gen_ai.conversation.id', conversation_id, 'user.id', user_id, 'gen_ai.agent.id', concat('a', toString(agent))),
        operation = 'execute_tool', map('gen_ai.operation.name', operation, 'gen_ai.tool.name', tool, 'gen_ai.tool.call.id', concat('call_', span_id), 'gen_ai.tool.type', 'function', 'gen_ai.conversation.id', conversation_id, 'error.type', failure_code),
        operation IN ('retrieval', 'embeddings'), map('gen_ai.operation.name', operation, 'gen_ai.data_source.id', 'docs', 'gen_ai.conversation.id', conversation_id),
        map('gen_ai.operation.name', operation, 'gen_ai.provider.name', provider, 'gen_ai.request.model', request_model, 'gen_ai.response.model', model, 'gen_ai.response.id', concat('chatcmpl-', span_id),
            'gen_ai.usage.input_tokens', toString(assumeNotNull(input_tokens)), 'gen_ai.usage.output_tokens', toString(assumeNotNull(output_tokens)), 'gen_ai.response.finish_reasons', if(span = 10, '["stop"]', '["tool_calls"]'),
            'gen_ai.request.temperature', '0.2', 'gen_ai.request.max_tokens', '4096', 'gen_ai.conversation.id', conversation_id, 'error.type', failure_code))),
    span_ns,
    if(is_failed_step OR is_failed_top, 'Error', 'Unset'),
    failure_message,
    90,
    toDateTime64(began + toIntervalNanosecond(run_ns), 3, 'UTC') + toIntervalMillisecond(500 + h % 1500),
    sipHash128(run, 'request'),
    10,
    if(operation = '', '', 'otel_genai'), operation, multiIf(operation = 'chat', 'leaf', operation = 'invoke_agent', 'sum', operation = '', '', 'none'),
    if(is_step, step_type, if(operation = '', '', 'other')), provider, request_model, model, if(operation = 'chat', concat('chatcmpl-', span_id), ''),
    if(operation = 'chat', if(span = 10, 'stop', 'tool_call'), ''), if(operation = '', '', agent_name), if(operation = '', '', agent_version), tool,
    if(operation = 'execute_tool', concat('call_', span_id), ''), if(operation = '', '', conversation_id), if(operation = 'invoke_agent', user_id, ''),
    input_tokens, output_tokens, cached_tokens, if(operation = 'chat', 'total', ''), first_chunk_s, failure_code, cost_usd,
    if(operation = 'invoke_agent', lower(hex(sipHash128(agent, agent_version))), '')
FROM made_spans(end = {end:DateTime64(9)}, days = {days:UInt32}, runs = {runs:UInt64}, first = {first:UInt64}, count = {count:UInt64})

-- steps --
-- Steps as settling leaves them. Version 1 has all runs; version 2 has one in twenty again, which got a late span.
INSERT INTO agent_steps
    (Project, Timestamp, TraceId, SpanId, RunId, Version, IsDeleted, KeepDays, ParentStepId, Ordinal, Depth, StepType, StepName, Operation, AgentName,
    Attempt, ServiceName, Dialect, ScopeName, Provider, Model, ModelFamily, ToolName, ToolCallId, ResponseId, FinishReason, Duration, SelfTime,
    IsOnCriticalPath, CriticalPathTime, TimeToFirstChunk, InputTokens, OutputTokens, CacheReadTokens, ListCostUSD, BilledCostUSD, Billing, Billed,
    BillingNote, SightingRank, Status, FailureType, FailureCode, FailureMessage, ErrorType, IsSoftFailure, IsRecovered, IsRootCause, RetrievedDocuments)
SELECT
    'default', span_began, trace_id, span_id, run_id, {version:UInt64}, 0, 90, '', ordinal, 0, step_type,
    if(operation = 'chat', concat('chat ', request_model), if(tool != '', tool, operation)), operation, agent_name, 1 + is_retry, service, 'otel_genai',
    'opentelemetry.instrumentation.genai.langchain', provider, model, request_model, tool, if(tool = '', '', concat('call_', span_id)),
    if(operation = 'chat', concat('chatcmpl-', span_id), ''), if(operation = 'chat', if(span = 10, 'stop', 'tool_call'), ''), span_ns, span_ns, span != 9,
    if(span = 9, 0, span_ns), first_chunk_s, input_tokens, output_tokens, cached_tokens, cost_usd, cost_usd, if(operation = 'chat', 'leaf', 'none'),
    operation = 'chat', if(operation != 'chat', 'none', if(input_tokens IS NULL, 'no tokens', if(cost_usd IS NULL, 'no price', ''))), if(operation = 'chat', 1, 0),
    if(failure_code = '', 'success', 'failure'), failure_type, failure_code, failure_message, failure_code, is_empty,
    is_recovered AND is_failed_step, (is_failed_step OR is_empty) AND NOT is_recovered, if(operation = 'retrieval', if(is_empty, 0, 1 + h % 8), NULL)
FROM made_spans(end = {end:DateTime64(9)}, days = {days:UInt32}, runs = {runs:UInt64}, first = {first:UInt64}, count = {count:UInt64})
WHERE is_step AND ({version:UInt64} = 1 OR sipHash64(run, 'late') % 20 = 0)

-- runs --
-- Runs as settling leaves them, made of their spans. Those of version 2 were first seen without their answer.
INSERT INTO agent_runs
    (Project, Timestamp, RunId, TraceId, TopSpanId, Version, IsDeleted, KeepDays, SettledAt, Status, RunName, AgentName, AgentVersion, AgentFingerprint,
    ConversationId, UserId, Environment, ServiceName, Framework, EndTimestamp, Duration, TimeToFirstChunk, Spans, Steps, Depth, LlmCalls, ToolCalls,
    Retrievals, Retries, Models, Tools, Fingerprint, InputTokens, OutputTokens, CacheReadTokens, UnknownUsageCalls, BilledCostUSD, ListCostUSD,
    UnpricedCalls, Failures, RecoveredFailures, FirstFailureType, FirstFailureCode, FirstFailureSpanId, RootCauseType, RootCauseCode, RootCauseSpanId,
    RootCauseMessage, CriticalPathModelTime, CriticalPathToolTime, CriticalPathRetrievalTime, CriticalPathOtherTime, HasLateSpans)
WITH {version:UInt64} = 1 AND sipHash64(run, 'late') % 20 = 0 AS is_early
SELECT
    'default', anyIf(span_began, span = 2), any(run_id), any(trace_id), anyIf(span_id, span = 2), {version:UInt64}, 0, 90,
    toDateTime64(max(began) + toIntervalNanosecond(max(run_ns)), 3, 'UTC') + toIntervalSecond(5 + {version:UInt64}),
    multiIf(is_early, 'open', any(is_model_failure OR is_tool_failure), 'failure', any(is_partial) OR max(is_empty), 'partial', 'success'),
    any(agent_name), any(agent_name), any(agent_version), lower(hex(sipHash128(any(agent), any(agent_version)))), any(conversation_id), any(user_id),
    any(environment), any(service), 'langchain', anyIf(span_began + toIntervalNanosecond(span_ns), span = 2) AS ended, anyIf(span_ns, span = 2),
    anyIf(first_chunk_s, span = 3), 9, countIf(is_step), 1, countIf(operation = 'chat'), countIf(operation = 'execute_tool'), countIf(is_step AND step_type = 'retrieve'),
    countIf(is_retry), arraySort(groupUniqArrayIf(model, model != '')), arraySort(groupUniqArrayIf(tool, tool != '')),
    lower(hex(sipHash64(arraySort(groupArrayIf((ordinal, step_type, tool), is_step))))),
    sum(input_tokens), sum(output_tokens), sum(cached_tokens), countIf(operation = 'chat' AND input_tokens IS NULL), sum(cost_usd), sum(cost_usd),
    countIf(operation = 'chat' AND input_tokens IS NOT NULL AND cost_usd IS NULL), countIf((is_failed_step OR is_empty) AND NOT is_recovered), countIf(is_failed_step AND is_recovered),
    anyIf(failure_type, failure_type != ''), anyIf(failure_code, failure_code != ''), anyIf(span_id, failure_code != ''),
    anyIf(failure_type, failure_type != '' AND NOT is_recovered), anyIf(failure_code, failure_code != '' AND NOT is_recovered), anyIf(span_id, failure_code != '' AND NOT is_recovered),
    anyIf(failure_message, failure_code != '' AND NOT is_recovered),
    sumIf(span_ns, operation = 'chat'), sumIf(span_ns, operation = 'execute_tool'), sumIf(span_ns, operation = 'retrieval'), anyIf(span_ns, span = 2) - sumIf(span_ns, is_step AND span != 9),
    {version:UInt64} = 2
FROM made_spans(end = {end:DateTime64(9)}, days = {days:UInt32}, runs = {runs:UInt64}, first = {first:UInt64}, count = {count:UInt64})
WHERE {version:UInt64} = 1 OR sipHash64(run, 'late') % 20 = 0
GROUP BY run

-- void_runs --
-- One run in a hundred was first seen without its top, under the trace's id alone, in version 1; version 2 makes that void.
INSERT INTO agent_runs (Project, Timestamp, RunId, TraceId, Version, IsDeleted, KeepDays, SettledAt, Status, RunName, Duration, Spans, Steps)
SELECT 'default', span_began, trace_id, trace_id, {version:UInt64}, {version:UInt64} - 1, 90, now64(3), 'open', 'chat gpt-4o', span_ns, 1, 1
FROM made_spans(end = {end:DateTime64(9)}, days = {days:UInt32}, runs = {runs:UInt64}, first = {first:UInt64}, count = {count:UInt64})
WHERE span = 3 AND sipHash64(run, 'late') % 100 = 0

-- past_days --
-- The partitions of runs and steps that have been quiet for long enough to be merged into one part.
SELECT table, partition_id AS partition FROM system.parts
WHERE active AND database = currentDatabase() AND table IN ('agent_runs', 'agent_steps') AND toDate(extract(partition, '[0-9-]{10}')) < toDate({end:DateTime64(9)}) - 1
GROUP BY table, partition_id HAVING count() > 1

-- merge_day --
-- One of them becomes one part.
OPTIMIZE TABLE {table:Identifier} PARTITION ID {partition:String} FINAL

-- settled --
-- A server that opens the store has nothing left to settle.
INSERT INTO settling_state (Name, Time, Holder, Version) SELECT 'watermark', {end:DateTime64(9)} + INTERVAL 1 MINUTE, 'benchmark', 1

-- drop_view --
DROP VIEW IF EXISTS made_spans

-- check --
-- What is stored and that it agrees: each figure once from runs, once from steps or spans.
SELECT
    (SELECT count() FROM otel_traces) AS spans,
    (SELECT count() FROM agent_runs) AS run_rows,
    (SELECT count() FROM agent_steps) AS step_rows,
    (SELECT count() FROM agent_steps FINAL) AS steps,
    (SELECT (count(), sum(Steps), sum(InputTokens), sum(BilledCostUSD), countIf(RootCauseSpanId != '')) FROM agent_runs FINAL) AS by_runs,
    (SELECT (uniqExact(RunId), count(), sum(InputTokens), sum(BilledCostUSD), uniqExactIf(RunId, IsRootCause)) FROM agent_steps FINAL) AS by_steps,
    (SELECT (uniqExact(TraceId), sum(InputTokens), sum(ListCostUSD)) FROM otel_traces) AS by_spans

-- parts --
SELECT table, count() AS parts, uniqExact(partition) AS partitions, sum(rows) AS stored_rows, formatReadableSize(sum(bytes_on_disk)) AS size
FROM system.parts WHERE active AND database = currentDatabase() AND table IN ('otel_traces', 'agent_steps', 'agent_runs')
GROUP BY table ORDER BY table
