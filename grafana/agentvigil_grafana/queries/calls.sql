-- Calls of models and tools, from hourly sums.

-- model_calls --
-- Real calls of models, each once, embeddings too.
SELECT sum(Calls) AS calls FROM {{model_calls}}

-- model_errors --
-- Calls of models that failed.
SELECT sum(Errors) / nullIf(sum(Calls), 0) AS failed FROM {{model_calls}}

-- tool_calls --
-- Calls of tools, a client's and a server's span of one call once.
SELECT sum(Calls) AS calls FROM {{tool_calls}}

-- tool_errors --
-- Calls of tools that failed.
SELECT sum(Errors) / nullIf(sum(Calls), 0) AS failed FROM {{tool_calls}}

-- calls_by_model --
-- Calls by the model that answered, else the one that was asked.
SELECT $__timeInterval(At) AS time, toString(Model) AS model, sum(Calls) AS calls
FROM {{model_calls}}
GROUP BY time, model
ORDER BY time, model

-- p95_by_model --
-- 95 of 100 calls took no longer.
SELECT
    $__timeInterval(At) AS time,
    toString(Model) AS model,
    quantilesTDigestMerge(0.5, 0.95, 0.99)(Durations)[2] / 1e9 AS p95
FROM {{model_calls}}
GROUP BY time, model
ORDER BY time, model

-- calls_by_tool --
-- Calls of each tool.
SELECT $__timeInterval(At) AS time, toString(ToolName) AS tool, sum(Calls) AS calls
FROM {{tool_calls}}
GROUP BY time, tool
ORDER BY time, tool

-- errors_by_tool --
-- Calls of each tool that failed.
SELECT $__timeInterval(At) AS time, toString(ToolName) AS tool, sum(Errors) / nullIf(sum(Calls), 0) AS failed
FROM {{tool_calls}}
GROUP BY time, tool
ORDER BY time, tool

-- models --
-- Every model that was called.
SELECT
    toString(Model) AS model,
    sum(Calls) AS calls,
    sum(Errors) / nullIf(sum(Calls), 0) AS failed,
    sum(Retries) AS retries,
    quantilesTDigestMerge(0.5, 0.95, 0.99)(Durations)[1] / 1e9 AS p50,
    quantilesTDigestMerge(0.5, 0.95, 0.99)(Durations)[2] / 1e9 AS p95,
    quantilesTDigestMerge(0.5, 0.95)(FirstChunks)[2] AS first_chunk,
    sum(InputTokens) AS input_tokens,
    sum(OutputTokens) AS output_tokens,
    {{cost}} AS cost,
    sum(UnpricedCalls) AS unpriced
FROM {{model_calls}}
GROUP BY model
ORDER BY calls DESC, model
LIMIT 200

-- tools --
-- Every tool that was called.
SELECT
    toString(ToolName) AS tool,
    sum(Calls) AS calls,
    sum(Errors) / nullIf(sum(Calls), 0) AS failed,
    sum(Retries) AS retries,
    quantilesTDigestMerge(0.5, 0.95, 0.99)(Durations)[1] / 1e9 AS p50,
    quantilesTDigestMerge(0.5, 0.95, 0.99)(Durations)[2] / 1e9 AS p95
FROM {{tool_calls}}
GROUP BY tool
ORDER BY calls DESC, tool
LIMIT 200
