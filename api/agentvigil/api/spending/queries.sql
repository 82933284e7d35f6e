-- by_agent --
-- What the runs of each agent cost, the dearest first.
SELECT toString(RunName) AS name, sum(BilledCostUSD) AS cost_usd
FROM {{rows}}
    AND BilledCostUSD > 0
GROUP BY name
ORDER BY cost_usd DESC, name
LIMIT {limit:UInt32}

-- by_user --
-- What the runs for each user cost, the dearest first; the empty user is not known.
SELECT UserId AS name, sum(BilledCostUSD) AS cost_usd
FROM {{rows}}
    AND BilledCostUSD > 0
GROUP BY name
ORDER BY cost_usd DESC, name
LIMIT {limit:UInt32}

-- by_model --
-- What the calls of each model cost, the dearest first.
SELECT toString(step.Model) AS name, sum(step.BilledCostUSD) AS cost_usd
FROM {{rows}}
    AND step.BilledCostUSD > 0
GROUP BY name
ORDER BY cost_usd DESC, name
LIMIT {limit:UInt32}

-- hours --
-- What the runs of each hour cost, by when they started, and how many of their calls have no price.
SELECT
    intDiv(toUnixTimestamp64Nano(Timestamp), 3600000000000) AS hour,
    sum(BilledCostUSD) AS cost_usd,
    sum(UnpricedCalls) AS unpriced_calls
FROM {{rows}}
GROUP BY hour
ORDER BY hour

-- hours_of_models --
-- The same of calls of models, by when the calls were made.
SELECT
    intDiv(toUnixTimestamp64Nano(step.Timestamp), 3600000000000) AS hour,
    sum(step.BilledCostUSD) AS cost_usd,
    toUInt64(countIf(step.BillingNote = 'no price')) AS unpriced_calls
FROM {{rows}}
GROUP BY hour
ORDER BY hour

-- only_models --
-- Calls of these models, whatever others their runs called.
AND step.Model IN {model:Array(String)}
