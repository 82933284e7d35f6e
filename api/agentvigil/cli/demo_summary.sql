-- demo_summary --
-- One row per agent and version: its runs since some moment, how many failed, how long they took, and what they called.
SELECT
    AgentName AS agent,
    AgentVersion AS version,
    countIf(Operation = 'invoke_agent') AS runs,
    countIf(Operation = 'invoke_agent' AND StatusCode = 'Error') AS failed_runs,
    round(quantileExactIf(0.5)(Duration, Operation = 'invoke_agent') / 1e9, 2) AS p50_seconds,
    round(quantileExactIf(0.95)(Duration, Operation = 'invoke_agent') / 1e9, 2) AS p95_seconds,
    countIf(Operation IN ('chat', 'generate_content', 'text_completion')) AS llm_calls,
    countIf(Operation = 'execute_tool') AS tool_calls,
    countIf(Operation = 'execute_tool' AND StatusCode = 'Error') AS tool_errors,
    -- Leaf calls only: a span of an agent or workflow may repeat the sum of what is below it.
    sumIf(ifNull(InputTokens, 0), Operation IN ('chat', 'generate_content', 'text_completion')) AS input_tokens,
    sumIf(ifNull(OutputTokens, 0), Operation IN ('chat', 'generate_content', 'text_completion')) AS output_tokens
FROM otel_traces
WHERE IngestedAt >= {since:DateTime64(3)} AND AgentName != ''
GROUP BY agent, version
ORDER BY agent, version

-- demo_stored --
-- Spans and agent runs stored since some moment.
SELECT count() AS spans, countIf(Operation = 'invoke_agent') AS runs
FROM otel_traces
WHERE IngestedAt >= {since:DateTime64(3)}
