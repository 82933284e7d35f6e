-- An agent, version against version.

-- of_versions --
{{runs}} AND {{chosen version in if(AgentVersion != '', toString(AgentVersion), AgentFingerprint)}}

-- runs --
-- Runs of the chosen versions in the time that is shown.
SELECT count() AS runs FROM {{of_versions}}

-- failed --
-- Runs that failed, of those that ended.
SELECT {{failed_share}} AS failed FROM {{of_versions}}

-- p95 --
-- 95 of 100 runs that ended took no longer.
SELECT quantile(0.95)({{seconds}}) AS p95 FROM {{of_versions}} AND {{ended}}

-- cost --
-- Mean billed cost of the runs that have one.
SELECT avg(toFloat64(BilledCostUSD)) AS cost_per_run FROM {{of_versions}}

-- versions --
-- Versions side by side, the newest first: what was said, else the fingerprint of prompt, tools and model.
SELECT
    toString(RunName) AS agent,
    {{version}} AS version,
    min(Timestamp) AS first_run,
    count() AS runs,
    {{failed_share}} AS failed,
    countIf(Status = 'partial') / nullIf(countIf({{ended}}), 0) AS partial,
    quantileIf(0.5)({{seconds}}, {{ended}}) AS p50,
    quantileIf(0.95)({{seconds}}, {{ended}}) AS p95,
    avg(toFloat64(BilledCostUSD)) AS cost_per_run,
    avg(InputTokens) AS input_tokens,
    avg(OutputTokens) AS output_tokens,
    avg(Steps) AS steps,
    avg(Retries) AS retries
FROM {{of_versions}}
GROUP BY agent, version
ORDER BY first_run DESC, agent, version
LIMIT 50

-- runs_by_version --
-- Runs of each version: when one took over from another.
SELECT $__timeInterval(Timestamp) AS time, concat(RunName, ' ', {{version}}) AS version, count() AS runs
FROM {{of_versions}}
GROUP BY time, version
ORDER BY time, version
LIMIT 20000

-- failed_by_version --
-- Runs that failed, of those that ended.
SELECT $__timeInterval(Timestamp) AS time, concat(RunName, ' ', {{version}}) AS version, {{failed_share}} AS failed
FROM {{of_versions}} AND {{ended}}
GROUP BY time, version
ORDER BY time, version
LIMIT 20000

-- p95_by_version --
-- 95 of 100 runs took no longer.
SELECT
    $__timeInterval(Timestamp) AS time,
    concat(RunName, ' ', {{version}}) AS version,
    quantile(0.95)({{seconds}}) AS p95
FROM {{of_versions}} AND {{ended}}
GROUP BY time, version
ORDER BY time, version
LIMIT 20000

-- cost_by_version --
-- Mean billed cost of a run.
SELECT
    $__timeInterval(Timestamp) AS time,
    concat(RunName, ' ', {{version}}) AS version,
    avg(toFloat64(BilledCostUSD)) AS cost_per_run
FROM {{of_versions}} AND BilledCostUSD IS NOT NULL
GROUP BY time, version
ORDER BY time, version
LIMIT 20000

-- tools --
-- How many runs of each version used a tool, and how often a run did not fail then.
SELECT
    toString(RunName) AS agent,
    {{version}} AS version,
    toString(arrayJoin(Tools)) AS tool,
    count() AS runs,
    {{failed_share}} AS failed
FROM {{of_versions}}
GROUP BY agent, version, tool
ORDER BY agent, version DESC, runs DESC, tool
LIMIT 200

-- causes --
-- Root causes of runs that failed or were partial, by version.
SELECT
    toString(RunName) AS agent,
    {{version}} AS version,
    toString(RootCauseType) AS type,
    toString(RootCauseCode) AS code,
    count() AS runs
FROM {{of_versions}} AND RootCauseCode != ''
GROUP BY agent, version, type, code
ORDER BY runs DESC, agent, version, type, code
LIMIT 100

-- findings --
-- What was found about the agent, the newest first.
SELECT
    FoundAt AS found,
    toString(Severity) AS severity,
    toString(Kind) AS kind,
    toString(State) AS state,
    toString(Feature) AS feature,
    Explanation AS explanation,
    FindingId AS finding
FROM {{findings}}
ORDER BY FoundAt DESC, finding
LIMIT 50

-- latest --
-- The newest runs. A run opens in the API, its trace in Explore.
SELECT
    Timestamp AS began,
    toString(RunName) AS agent,
    {{version}} AS version,
    toString(Status) AS status,
    {{seconds}} AS duration,
    toFloat64(BilledCostUSD) AS cost,
    Steps AS steps,
    RunId AS run,
    TraceId AS trace
FROM {{of_versions}}
ORDER BY Timestamp DESC, run
LIMIT 100
