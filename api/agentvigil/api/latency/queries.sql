-- window --
-- How long the runs of a time take, and how many began in each hour.
SELECT
    count() AS runs,
    sum(Duration) AS duration_ns,
    quantilesExactInclusive(0.5, 0.75, 0.9, 0.95, 0.99, 1)(Duration) AS durations,
    quantilesExactInclusive(0.5, 0.75, 0.9, 0.95, 0.99, 1)(TimeToFirstChunk) AS first_chunks,
    sum(CriticalPathModelTime) AS model_ns,
    sum(CriticalPathToolTime) AS tool_ns,
    sum(CriticalPathRetrievalTime) AS retrieval_ns,
    toInt64(duration_ns) - toInt64(model_ns + tool_ns + retrieval_ns) AS other_ns,
    sumMap(map(toUnixTimestamp(toStartOfHour(Timestamp, 'UTC')), 1)) AS runs_by_hour
FROM {{rows}}
    AND Status != 'open'

-- steps --
-- What lies on the critical paths of the runs of some hours, by what steps do. Steps are looked for in the hour that their run
-- began in and in the next one.
SELECT
    kind, name, sum(steps_of_run) AS steps, count() AS runs, sum(path_of_run) AS path_ns,
    sum(path_of_run * path_of_run) AS path_squares, quantilesExactInclusiveArray(0.5, 0.95)(durations) AS durations
FROM
(
    SELECT
        kind, name, RunId, count() AS steps_of_run, toFloat64(sum(CriticalPathTime)) AS path_of_run, groupArray(Duration) AS durations
    FROM
    (
        SELECT
            RunId, CriticalPathTime, Duration,
            transform(toString(Operation), {operations:Array(String)}, {kinds:Array(String)}, 'other') AS kind,
            multiIf(kind = 'model' AND Model != '', toString(Model), kind = 'tool' AND ToolName != '', toString(ToolName), toString(StepName)) AS name
        FROM agent_steps FINAL
        WHERE Project = {project:String}
            AND toStartOfMinute(Timestamp) IN (
                SELECT DISTINCT toDateTime(hour_s + 60 * arrayJoin(range(120)))
                FROM (SELECT arrayJoin({hours:Array(UInt32)}) AS hour_s))
            AND RunId IN (SELECT RunId FROM {{sampled}})
    )
    GROUP BY kind, name, RunId
)
GROUP BY kind, name
ORDER BY path_ns DESC, kind, name
LIMIT 1000

-- sampled_runs --
-- How many runs that is, and what they take.
SELECT count() AS runs, sum(Duration) AS duration_ns
FROM {{sampled}}

-- sampled --
{{rows}}
    AND Status != 'open'
    AND toStartOfMinute(Timestamp) IN (
        SELECT toDateTime(hour_s + 60 * arrayJoin(range(60)))
        FROM (SELECT arrayJoin({hours:Array(UInt32)}) AS hour_s))
