-- A day of agent runs, made inside ClickHouse.

-- generate --
-- The spans of the runs numbered from first, eight each: a web request, an agent, a plan, a tool and its HTTP call, a
-- search, an answer, and the same answer as a second instrumentation sees it. Every tenth tool fails. Run n of the
-- day's starts n/runs of a day after its beginning, and is taken in when it has ended.
INSERT INTO otel_traces
    (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName, ScopeVersion,
    SpanAttributes, Duration, StatusCode, StatusMessage, KeepDays, IngestedAt)
SETTINGS max_insert_threads = 1
WITH
    sipHash64(run) AS h,
    {day:DateTime64(9)} + toIntervalMillisecond(intDiv(run * 86400000, {runs:UInt64})) AS began,
    [0, 1, 2, 2, 4, 2, 2, 7][span] AS parent,
    [0, 2, 10, 610, 620, 1010, 1210, 1215][span] AS offset_ms,
    [3000, 2990, 590, 390, 350, 190, 1700, 1690][span] AS duration_ms,
    toString(100 + h % 900) AS input_tokens,
    span = 4 AND h % 10 = 0 AS is_failed
SELECT
    began + toIntervalMillisecond(offset_ms),
    lower(hex(sipHash128(run))),
    lower(hex(sipHash64(run, span))),
    if(parent = 0, '', lower(hex(sipHash64(run, parent)))),
    ['POST /ask', concat('invoke_agent agent', toString(h % 20)), 'chat gpt-4o', 'execute_tool search', 'GET', 'retrieval docs', 'chat gpt-4o', 'chat gpt-4o'][span],
    if(span = 1, 'Server', if(span IN (5, 8), 'Client', 'Internal')),
    concat('service', toString(h % 5)),
    map('deployment.environment.name', 'prod', 'service.name', concat('service', toString(h % 5))),
    ['opentelemetry.instrumentation.fastapi', 'opentelemetry.instrumentation.genai.langchain', 'opentelemetry.instrumentation.genai.langchain', 'opentelemetry.instrumentation.genai.langchain', 'opentelemetry.instrumentation.httpx', 'opentelemetry.instrumentation.genai.langchain', 'opentelemetry.instrumentation.genai.langchain', 'opentelemetry.instrumentation.genai.openai'][span],
    '1.0',
    mapSort(multiIf(
        span = 1, map('http.request.method', 'POST', 'http.route', '/ask'),
        span = 2, map('gen_ai.operation.name', 'invoke_agent', 'gen_ai.agent.name', concat('agent', toString(h % 20)), 'gen_ai.conversation.id', concat('c', toString(intDiv(run, 4)))),
        span = 4, map('gen_ai.operation.name', 'execute_tool', 'gen_ai.tool.name', concat('tool', toString(h % 7)), 'error.type', if(is_failed, 'TimeoutError', '')),
        span = 5, map('http.request.method', 'GET', 'url.full', 'https://example.org/'),
        span = 6, map('gen_ai.operation.name', 'retrieval', 'gen_ai.data_source.id', 'docs'),
        map('gen_ai.operation.name', 'chat', 'gen_ai.provider.name', 'openai', 'gen_ai.request.model', 'gpt-4o', 'gen_ai.response.model', 'gpt-4o-2024-08-06',
            'gen_ai.usage.input_tokens', input_tokens, 'gen_ai.usage.output_tokens', toString(10 + h % 90),
            'gen_ai.response.finish_reasons', if(span = 3, '["tool_calls"]', '["stop"]'),
            'gen_ai.response.id', if(span = 7, '', concat('chatcmpl-', lower(hex(sipHash64(run, span)))))))),
    duration_ms * 1000000,
    if(is_failed, 'Error', 'Unset'),
    if(is_failed, 'no answer in 10 s', ''),
    90,
    toDateTime64(began, 3) + INTERVAL 4 SECOND
FROM
(
    SELECT {first:UInt64} + number AS run, arrayJoin(range(1, 9)) AS span
    FROM numbers({count:UInt64})
)

-- rows_read --
-- Rows that all queries of this process read from tables since it began.
SELECT value FROM system.events WHERE event = 'SelectedRows'

-- check --
-- Runs, their billed calls and steps.
SELECT count(), sum(LlmCalls), sum(Steps), countIf(Status = 'partial') FROM agent_runs FINAL
