-- What is usual of a project's agents as of a day: of the runs of the 28 days before it.

-- input_class --
-- What its program says of a run by a tag, the first of these that it has; else the workflow that it is. As for features.
arrayFirst(
    class -> class != '',
    arrayPushBack(
        arrayMap(
            key -> substring(arrayFirst(tag -> startsWith(tag, key), Tags), length(key) + 1),
            ['input_class=', 'route=', 'intent=', 'tenant=']),
        toString(WorkflowName)))

-- step_bucket --
toInt16(round(2 * log2(greatest(Steps, 1))))

-- runs --
-- Runs that are over, each once.
agent_runs FINAL
WHERE Project = {project:String}
    AND toStartOfMinute(Timestamp) >= toDateTime({as_of:Date}, 'UTC') - toIntervalDay(28)
    AND toStartOfMinute(Timestamp) < toDateTime({as_of:Date}, 'UTC')
    AND Status != 'open' AND DuplicateOfTraceId = ''

-- spreads --
-- The spread of what runs cost, take and need. Of each cell 5,000 values at most are kept, picked at random.
INSERT INTO anomaly_baselines
    (Project, AsOf, Environment, Agent, Measure, InputClass, IsAllClasses, StepBucket, MadeAt, Runs, Median, Mad, Q95, Q975)
SETTINGS do_not_merge_across_partitions_select_final = 1
SELECT
    {project:String}, {as_of:Date}, environment, agent, measure, input_class, is_all_classes, if(is_any_steps = 1, -1, step_bucket),
    fromUnixTimestamp64Milli({made_ms:Int64}), runs, quantiles[1],
    arrayReduce('quantileExactInclusive(0.5)', arrayMap(one -> abs(one - quantiles[1]), logs)), quantiles[2], quantiles[3]
FROM
(
    SELECT
        environment, agent, measure, input_class, step_bucket,
        grouping(input_class) AS is_all_classes, grouping(step_bucket) AS is_any_steps, count() AS runs,
        groupArraySample(5000, 1)(log) AS logs,
        arrayReduce('quantilesExactInclusive(0.5, 0.95, 0.975)', logs) AS quantiles
    FROM
    (
        SELECT
            toString(Environment) AS environment, toString(RunName) AS agent, {{input_class}} AS input_class,
            {{step_bucket}} AS step_bucket,
            arrayJoin([
                ('cost', log(ifNull(toFloat64(BilledCostUSD), 0))),
                ('duration', log(Duration / 1e9)),
                ('tokens', log(ifNull(InputTokens, 0) + ifNull(OutputTokens, 0))),
                ('steps', log(Steps))]) AS valued,
            valued.1 AS measure, valued.2 AS log
        FROM {{runs}}
    )
    WHERE isFinite(log)
    GROUP BY GROUPING SETS
    (
        (environment, agent, measure, input_class, step_bucket),
        (environment, agent, measure, step_bucket),
        (environment, agent, measure, input_class),
        (environment, agent, measure)
    )
    HAVING runs >= {fewest_runs:UInt32} AND (measure != 'steps' OR is_any_steps = 1)
)

-- session_spreads --
-- The spread of how many runs conversations have, and of what they cost. A conversation is its first run's agent's.
INSERT INTO anomaly_baselines
    (Project, AsOf, Environment, Agent, Measure, InputClass, IsAllClasses, StepBucket, MadeAt, Runs, Median, Mad, Q95, Q975)
SETTINGS do_not_merge_across_partitions_select_final = 1
SELECT
    {project:String}, {as_of:Date}, environment, agent, measure, '', true, -1, fromUnixTimestamp64Milli({made_ms:Int64}), runs,
    quantiles[1], arrayReduce('quantileExactInclusive(0.5)', arrayMap(one -> abs(one - quantiles[1]), logs)), quantiles[2], quantiles[3]
FROM
(
    SELECT
        environment, agent, measure, count() AS runs, groupArraySample(5000, 1)(log) AS logs,
        arrayReduce('quantilesExactInclusive(0.5, 0.95, 0.975)', logs) AS quantiles
    FROM
    (
        SELECT
            argMin((toString(Environment), toString(RunName)), Timestamp) AS first_run,
            first_run.1 AS environment, first_run.2 AS agent,
            arrayJoin([('session_runs', log(count())), ('session_cost', log(ifNull(toFloat64(sum(BilledCostUSD)), 0)))]) AS valued,
            valued.1 AS measure, valued.2 AS log
        FROM {{runs}} AND ConversationId != ''
        GROUP BY ConversationId
    )
    WHERE isFinite(log)
    GROUP BY environment, agent, measure
    HAVING runs >= {fewest_runs:UInt32}
)

-- tool_sets --
-- Which sets of tools runs use, the 2,000 most frequent of each class. Classes of too few runs to tell are put together.
INSERT INTO anomaly_tool_sets (Project, AsOf, Environment, Agent, InputClass, Tools, MadeAt, Runs, ClassRuns, Versions)
SETTINGS do_not_merge_across_partitions_select_final = 1
SELECT
    {project:String}, {as_of:Date}, environment, agent, class, Tools, fromUnixTimestamp64Milli({made_ms:Int64}),
    sum(runs) AS set_runs, sum(set_runs) OVER (PARTITION BY environment, agent, class), groupUniqArrayArray(100)(versions)
FROM
(
    SELECT
        environment, agent, Tools, runs, versions,
        if(sum(runs) OVER (PARTITION BY environment, agent, input_class) < {fewest_tool_runs:UInt32}, '', input_class) AS class
    FROM
    (
        SELECT
            toString(Environment) AS environment, toString(RunName) AS agent, {{input_class}} AS input_class,
            Tools, count() AS runs, groupUniqArrayIf(100)(AgentVersion, AgentVersion != '') AS versions
        FROM {{runs}} AND Status != 'failure'
        GROUP BY environment, agent, input_class, Tools
    )
)
GROUP BY environment, agent, class, Tools
ORDER BY set_runs DESC, Tools
LIMIT 2000 BY environment, agent, class

-- calls --
-- How many calls of tools there are in runs of four or more.
SELECT sumIf(ToolCalls, ToolCalls >= 4) AS calls FROM {{runs}}

-- streaks --
-- The longest streaks of runs, of one run in `one_in`. Runs of fewer than four calls are counted without a look.
INSERT INTO anomaly_streaks (Project, AsOf, Environment, Agent, Tool, Calls, MadeAt, Runs)
SETTINGS do_not_merge_across_partitions_select_final = 1
SELECT
    {project:String}, {as_of:Date}, environment, agent, streak.tool, streak.calls, fromUnixTimestamp64Milli({made_ms:Int64}), count()
FROM
(
    SELECT toString(Environment) AS environment, toString(RunName) AS agent, RunId AS run_id
    FROM {{runs}} AND sipHash64(RunId) % {one_in:UInt32} = 0
) AS run
LEFT JOIN
(
    {{longest_streaks}}
    FROM
    (
        SELECT *
        FROM agent_steps FINAL
        WHERE Project = {project:String}
            AND toStartOfMinute(Timestamp) >= toDateTime({as_of:Date}, 'UTC') - toIntervalDay(29)
            AND toStartOfMinute(Timestamp) < toDateTime({as_of:Date}, 'UTC') + toIntervalDay(1)
            AND Operation = 'execute_tool' AND BillingNote != 'duplicate' AND ToolName != ''
            AND sipHash64(RunId) % {one_in:UInt32} = 0
            AND RunId IN (SELECT RunId FROM {{runs}} AND ToolCalls >= 4)
    )
    GROUP BY run_id
) AS streak ON run.run_id = streak.run_id
GROUP BY environment, agent, streak.tool, streak.calls

-- longest_streaks --
-- Of each run the tool that is called most often in a row, how often, and in which steps. A tool's call that lies in another
-- call of a tool is the other end of the same call.
SELECT
    RunId AS run_id,
    arraySort(call -> call.1, groupArray((Ordinal, toString(ToolName), SpanId, ParentStepId))) AS all_calls,
    arrayMap(call -> call.3, all_calls) AS ids,
    arrayFilter(call -> NOT has(ids, call.4), all_calls) AS calls_in_order,
    arrayMap((call, place) -> place > 1 AND calls_in_order[place - 1].2 = call.2, calls_in_order, arrayEnumerate(calls_in_order)) AS goes_on,
    arraySort(
        calls -> -toInt64(length(calls)),
        arraySplit((call, is_same) -> NOT is_same, calls_in_order, goes_on))[1] AS longest,
    longest[1].2 AS tool,
    length(longest) AS calls,
    longest[1].1 AS first_ordinal,
    longest[-1].1 AS last_ordinal

-- made --
-- From now on the rows count.
INSERT INTO anomaly_baselines_made (Project, AsOf, MadeAt)
SELECT {project:String}, {as_of:Date}, fromUnixTimestamp64Milli({made_ms:Int64})

-- made_at --
-- When what is usual as of a day was made whole; no row if it never was.
SELECT toUnixTimestamp64Milli(max(MadeAt)) AS made_ms
FROM anomaly_baselines_made
WHERE Project = {project:String} AND AsOf = {as_of:Date}
HAVING count() > 0

-- read_spreads --
SELECT
    toString(Environment) AS environment, toString(Agent) AS agent, toString(Measure) AS measure, toString(InputClass) AS input_class,
    IsAllClasses AS is_all_classes, StepBucket AS step_bucket, Runs AS runs, Median AS median, Mad AS mad, Q95 AS q95, Q975 AS q975
FROM anomaly_baselines FINAL
WHERE Project = {project:String} AND AsOf = {as_of:Date} AND MadeAt = fromUnixTimestamp64Milli({made_ms:Int64})
    AND (Environment, Agent) IN arrayZip({environments:Array(String)}, {agents:Array(String)})

-- read_tool_sets --
SELECT
    toString(Environment) AS environment, toString(Agent) AS agent, toString(InputClass) AS input_class, Tools AS tools,
    Runs AS runs, ClassRuns AS class_runs, Versions AS versions
FROM anomaly_tool_sets FINAL
WHERE Project = {project:String} AND AsOf = {as_of:Date} AND MadeAt = fromUnixTimestamp64Milli({made_ms:Int64})
    AND (Environment, Agent) IN arrayZip({environments:Array(String)}, {agents:Array(String)})

-- read_streaks --
SELECT toString(Environment) AS environment, toString(Agent) AS agent, toString(Tool) AS tool, Calls AS calls, Runs AS runs
FROM anomaly_streaks FINAL
WHERE Project = {project:String} AND AsOf = {as_of:Date} AND MadeAt = fromUnixTimestamp64Milli({made_ms:Int64})
    AND (Environment, Agent) IN arrayZip({environments:Array(String)}, {agents:Array(String)})
