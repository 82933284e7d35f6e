-- series_of_runs --
-- Sums of all by time.
SELECT
    {{bucket}} AS bucket,
    1 AS place,
    {{measures}}
FROM {{rows}}
GROUP BY bucket

-- grouped_runs --
-- Sums by time and group. The place of the largest groups counts from 1; that of all others is 0. Users and sessions are
-- many, so which are the largest is found out first, from nothing but their names.
WITH largest AS (
    SELECT
        {{keys}},
        row_number() OVER (ORDER BY count() DESC, {{key_names}}) AS place,
        count() OVER () AS groups_total
    FROM {{rows}}
    GROUP BY {{key_names}}
    ORDER BY place
    LIMIT {groups:UInt32}
)
SELECT
    {{bucket}} AS bucket,
    place,
    any(tuple({{key_names}})) AS labels,
    any(groups_total) AS groups_total,
    {{measures}}
FROM (SELECT *, {{keys}} FROM {{rows}}) AS row
LEFT ANY JOIN largest USING ({{key_names}})
GROUP BY bucket, place

-- grouped_steps --
-- The same of steps, which are so many that they are gone through once: everything is summed for every group there is,
-- and what percentiles are made of is kept, until it is known which groups are the largest.
SELECT
    bucket,
    if(rank <= {groups:UInt32}, rank, 0) AS place,
    any(labels) AS labels,
    any(groups_total) AS groups_total,
    {{measures}}
FROM
(
    SELECT *, max(rank) OVER () AS groups_total
    FROM
    (
        SELECT *, dense_rank() OVER (ORDER BY group_rows DESC, labels) AS rank
        FROM
        (
            SELECT *, tuple({{key_names}}) AS labels, sum(row_count) OVER (PARTITION BY {{key_names}}) AS group_rows
            FROM
            (
                {{parts}}
            )
        )
    )
) AS part
GROUP BY bucket, place

-- parts_of_steps --
SELECT
    {{bucket}} AS bucket,
    {{keys}},
    count() AS row_count,
    {{measures}}
FROM {{rows}}
GROUP BY bucket, {{key_names}}

-- parts_of_hours --
-- The same, with whole hours taken from their sums but for those that have none that hold.
{{parts_of_steps}}
UNION ALL
SELECT
    toUInt32(intDiv(toUnixTimestamp(Hour) * 1000000000 - {origin_ns:Int64}, {interval_ns:Int64})) AS bucket,
    {{hour_keys}},
    sum(Calls) AS row_count,
    {{hour_measures}}
FROM agent_step_hours FINAL
WHERE Project = {project:String}
    AND Hour >= fromUnixTimestamp({from_hour_s:UInt32}) AND Hour < fromUnixTimestamp({to_hour_s:UInt32})
    AND toUnixTimestamp(Hour) NOT IN {raw_hours:Array(UInt32)}
    AND (Hour, KeepDays, Changes) IN (
        SELECT Hour, KeepDays, max(Changes)
        FROM agent_step_hours_made
        WHERE Project = {project:String}
            AND Hour >= fromUnixTimestamp({from_hour_s:UInt32}) AND Hour < fromUnixTimestamp({to_hour_s:UInt32})
        GROUP BY Hour, KeepDays)
    AND ({{calls}})
    {{conditions}}
GROUP BY bucket, {{key_names}}

-- changed_hours --
-- Hours whose sums do not hold.
SELECT DISTINCT toUnixTimestamp(changed.Hour) AS hour_s
FROM
(
    SELECT Hour, KeepDays, sum(Changes) AS Changes
    FROM agent_step_changes
    WHERE Project = {project:String}
        AND Hour >= fromUnixTimestamp({from_hour_s:UInt32}) AND Hour < fromUnixTimestamp({to_hour_s:UInt32})
    GROUP BY Hour, KeepDays
) AS changed
LEFT JOIN
(
    SELECT Hour, KeepDays, max(Changes) AS Changes
    FROM agent_step_hours_made
    WHERE Project = {project:String}
        AND Hour >= fromUnixTimestamp({from_hour_s:UInt32}) AND Hour < fromUnixTimestamp({to_hour_s:UInt32})
    GROUP BY Hour, KeepDays
) AS made ON changed.Hour = made.Hour AND changed.KeepDays = made.KeepDays
WHERE changed.Changes != made.Changes
ORDER BY hour_s
LIMIT {limit:UInt32}

-- no_group --
''

-- hours_of_models --
IsModelCall

-- hours_of_tools --
IsToolCall

-- hours_by_agent --
toString(RunName)

-- hours_by_model --
toString(Model)

-- hours_by_tool --
toString(ToolName)

-- hours_of_all_runs --
AND IsAllRuns

-- hours_of_each_run --
AND NOT IsAllRuns AND HasRun

-- hours_only_agent --
AND RunName IN {agent:Array(String)}

-- hours_only_model --
AND Model IN {model:Array(String)} AND Model != ''

-- hours_only_tool --
AND ToolName IN {tool:Array(String)} AND ToolName != ''

-- bucket --
toUInt32(intDiv(toUnixTimestamp64Nano(Timestamp) - {origin_ns:Int64}, {interval_ns:Int64}))

-- runs_by_agent --
toString(RunName)

-- runs_by_version --
toString(AgentVersion)

-- runs_by_environment --
toString(Environment)

-- runs_by_status --
toString(Status)

-- runs_by_user --
UserId

-- runs_by_session --
ConversationId

-- runs_by_service --
toString(ServiceName)

-- runs_by_framework --
toString(Framework)

-- runs_by_failure_type --
-- Of the root cause.
toString(RootCauseType)

-- runs_by_failure_code --
-- Of the root cause.
toString(RootCauseCode)

-- steps_by_agent --
toString(run_name)

-- steps_by_version --
toString(run_version)

-- steps_by_environment --
toString(run_environment)

-- steps_by_status --
-- Of the run.
toString(run_status)

-- steps_by_user --
run_user

-- steps_by_session --
run_session

-- steps_by_service --
-- Of the run.
toString(run_service)

-- steps_by_framework --
toString(run_framework)

-- steps_by_model --
toString(Model)

-- steps_by_tool --
toString(ToolName)

-- steps_by_failure_type --
-- Of the step itself.
toString(FailureType)

-- steps_by_failure_code --
-- Of the step itself.
toString(FailureCode)

-- only_model --
-- The run may have called others too.
AND step.Model IN {model:Array(String)}

-- only_tool --
-- The run may have called others too.
AND step.ToolName IN {tool:Array(String)}
