-- What agents cost, and why.

-- total --
-- List prices of all calls, each real call once.
SELECT {{cost}} AS cost FROM {{runs}} AND {{chosen model among Models}}

-- a_day --
-- Billed cost of the time that is shown, as if all days were like it.
SELECT {{cost}} / greatest(toUnixTimestamp($__toTime) - toUnixTimestamp($__fromTime), 1) * 86400 AS cost_per_day
FROM {{runs}} AND {{chosen model among Models}}

-- a_run --
-- Mean billed cost of the runs that have one.
SELECT avg(toFloat64(BilledCostUSD)) AS cost_per_run FROM {{runs}} AND {{chosen model among Models}}

-- of_failures --
-- Share of the cost that went into runs that failed.
SELECT toFloat64(sumIf(BilledCostUSD, Status = 'failure')) / nullIf({{cost}}, 0) AS wasted
FROM {{runs}} AND {{chosen model among Models}}

-- cached --
-- Share of the input tokens that came from the providers' caches, which cost a fraction of others.
SELECT sum(CacheReadTokens) / nullIf(sumIf(InputTokens, InputTokens IS NOT NULL), 0) AS cached
FROM {{runs}} AND {{chosen model among Models}}

-- unpriced --
-- Billed calls that have no price: every sum of costs lacks them. `agentvigil prices` sets one.
SELECT sum(UnpricedCalls) AS calls FROM {{runs}} AND {{chosen model among Models}}

-- by_agent --
-- Billed cost of the ten agents with most runs.
SELECT $__timeInterval(Timestamp) AS time, toString(RunName) AS agent, {{cost}} AS cost
FROM {{runs}} AND {{largest_agents}} AND {{chosen model among Models}}
GROUP BY time, agent
ORDER BY time, agent

-- a_run_by_agent --
-- Mean billed cost of a run, for the ten agents with most runs.
SELECT $__timeInterval(Timestamp) AS time, toString(RunName) AS agent, avg(toFloat64(BilledCostUSD)) AS cost_per_run
FROM {{runs}} AND BilledCostUSD IS NOT NULL AND {{largest_agents}} AND {{chosen model among Models}}
GROUP BY time, agent
ORDER BY time, agent

-- by_model --
-- Billed cost of calls by the model that answered, from hourly sums. The environment does not count here.
SELECT $__timeInterval(At) AS time, toString(Model) AS model, {{cost}} AS cost
FROM {{model_calls}}
GROUP BY time, model
ORDER BY time, model

-- tokens --
-- Tokens of billed calls by what they are. Cached ones are part of the input and reasoning is part of the output; here
-- each is shown apart.
SELECT
    $__timeInterval(At) AS time,
    toInt64(ifNull(sum(InputTokens), 0)) - toInt64(from_cache) - toInt64(into_cache) AS input,
    ifNull(sum(CacheReadTokens), 0) AS from_cache,
    ifNull(sum(CacheWriteTokens), 0) AS into_cache,
    toInt64(ifNull(sum(OutputTokens), 0)) - toInt64(reasoning) AS output,
    ifNull(sum(ReasoningTokens), 0) AS reasoning
FROM {{model_calls}}
GROUP BY time
ORDER BY time

-- models --
-- Every model that was called: what its calls cost and how much of that has no price.
SELECT
    toString(Model) AS model,
    sum(Calls) AS calls,
    {{cost}} AS cost,
    cost / nullIf(calls, 0) AS cost_per_call,
    {{tokens}} AS tokens,
    sum(UnpricedCalls) AS unpriced
FROM {{model_calls}}
GROUP BY model
ORDER BY cost DESC, model
LIMIT 200

-- users --
-- Whom the money was spent for, where runs say it.
SELECT
    UserId AS user,
    count() AS runs,
    {{cost}} AS cost,
    avg(toFloat64(BilledCostUSD)) AS cost_per_run,
    {{tokens}} AS tokens
FROM {{runs}} AND UserId != '' AND {{chosen model among Models}}
GROUP BY user
ORDER BY cost DESC, user
LIMIT 50

-- dearest --
-- The runs that cost most. A run opens in the API, its trace in Explore.
SELECT
    Timestamp AS began,
    toString(RunName) AS agent,
    toFloat64(BilledCostUSD) AS cost,
    toUInt64(ifNull(InputTokens, 0) + ifNull(OutputTokens, 0)) AS tokens,
    LlmCalls AS model_calls,
    toString(Status) AS status,
    RunId AS run,
    TraceId AS trace
FROM {{runs}} AND BilledCostUSD IS NOT NULL AND {{chosen model among Models}}
ORDER BY cost DESC, run
LIMIT 50
