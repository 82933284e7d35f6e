-- How long runs take, and where the time goes.

-- p50 --
-- Half of the runs that ended took no longer.
SELECT quantile(0.5)({{seconds}}) AS p50 FROM {{runs}} AND {{ended}}

-- p95 --
-- 95 of 100 runs that ended took no longer.
SELECT quantile(0.95)({{seconds}}) AS p95 FROM {{runs}} AND {{ended}}

-- p99 --
-- 99 of 100 runs that ended took no longer.
SELECT quantile(0.99)({{seconds}}) AS p99 FROM {{runs}} AND {{ended}}

-- first_chunk --
-- 95 of 100 runs whose first model call was streamed had its first chunk by then.
SELECT quantile(0.95)(TimeToFirstChunk) AS p95 FROM {{runs}} AND TimeToFirstChunk IS NOT NULL

-- quantiles --
-- Durations of runs that ended.
SELECT
    $__timeInterval(Timestamp) AS time,
    quantile(0.5)({{seconds}}) AS p50,
    quantile(0.95)({{seconds}}) AS p95,
    quantile(0.99)({{seconds}}) AS p99
FROM {{runs}} AND {{ended}}
GROUP BY time
ORDER BY time

-- p95_by_agent --
-- 95 of 100 runs took no longer, for the ten agents with most runs.
SELECT $__timeInterval(Timestamp) AS time, toString(RunName) AS agent, quantile(0.95)({{seconds}}) AS p95
FROM {{runs}} AND {{ended}} AND {{largest_agents}}
GROUP BY time, agent
ORDER BY time, agent

-- critical_path --
-- Mean time of a run by what it waited for: only what would have made the run shorter counts.
SELECT
    $__timeInterval(Timestamp) AS time,
    avg(CriticalPathModelTime) / 1e9 AS models,
    avg(CriticalPathToolTime) / 1e9 AS tools,
    avg(CriticalPathRetrievalTime) / 1e9 AS retrieval,
    avg(CriticalPathOtherTime) / 1e9 AS other
FROM {{runs}} AND {{ended}}
GROUP BY time
ORDER BY time

-- models --
-- 95 of 100 calls of a model took no longer, from hourly sketches. The environment does not count here.
SELECT
    $__timeInterval(At) AS time,
    toString(Model) AS model,
    quantilesTDigestMerge(0.5, 0.95, 0.99)(Durations)[2] / 1e9 AS p95
FROM {{model_calls}}
GROUP BY time, model
ORDER BY time, model

-- by_agent --
-- Where the time of each agent's runs goes, by shares of the critical path.
SELECT
    toString(RunName) AS agent,
    count() AS runs,
    quantile(0.5)({{seconds}}) AS p50,
    quantile(0.95)({{seconds}}) AS p95,
    sum(CriticalPathModelTime) / nullIf(sum(Duration), 0) AS models_share,
    sum(CriticalPathToolTime) / nullIf(sum(Duration), 0) AS tools_share,
    sum(CriticalPathRetrievalTime) / nullIf(sum(Duration), 0) AS retrieval_share,
    quantile(0.95)(TimeToFirstChunk) AS first_chunk
FROM {{runs}} AND {{ended}}
GROUP BY agent
ORDER BY p95 DESC, agent
LIMIT 200

-- slowest --
-- The runs that took longest. A run opens in the API, its trace in Explore.
SELECT
    Timestamp AS began,
    toString(RunName) AS agent,
    {{seconds}} AS duration,
    Steps AS steps,
    Retries AS retries,
    toString(Status) AS status,
    RunId AS run,
    TraceId AS trace
FROM {{runs}} AND {{ended}}
ORDER BY duration DESC, run
LIMIT 50
