-- Summing the steps of an hour.

-- sum_hours --
-- The sums of some hours of a day. One thread: intake has the machine first.
INSERT INTO agent_step_hours
(
    Project, Hour, KeepDays, IsAllRuns, RunName, HasRun, IsModelCall, IsToolCall, Model, ToolName, Changes,
    Calls, Errors, Retries, InputTokens, OutputTokens, CacheReadTokens, CacheWriteTokens, ReasoningTokens,
    UnknownUsageCalls, BilledCostUSD, UnpricedCalls, Durations, FirstChunks
)
SETTINGS do_not_merge_across_partitions_select_final = 1, max_threads = 1
WITH
    fromUnixTimestamp({first_s:UInt32}) AS first_start,
    fromUnixTimestamp({end_s:UInt32}) AS last_end
SELECT
    {project:String}, fromUnixTimestamp(hour_s), {keep_days:UInt16},
    grouping(run_name) AS is_all_runs, run_name, has_run, is_model_call, is_tool_call, Model, ToolName,
    transform(hour_s, {hours:Array(UInt32)}, {changes:Array(UInt64)}, toUInt64(0)) AS hour_changes,
    {{steps_calls}}, {{steps_errors}}, {{steps_retries}},
    {{steps_input_tokens}}, {{steps_output_tokens}}, {{steps_cache_read_tokens}}, {{steps_cache_write_tokens}},
    {{steps_reasoning_tokens}}, {{steps_calls_without_usage}}, {{steps_cost_usd}}, {{steps_unpriced_calls}},
    {{steps_durations}}, {{steps_first_chunks}}
FROM
(
    SELECT
        step.*,
        toUInt32(intDiv(toUnixTimestamp(step.Timestamp), 3600) * 3600) AS hour_s,
        run.run_id != '' AND ({{run_of_step}}) AS has_run,
        if(has_run, run.run_name, '') AS run_name,
        {{calls_of_models}} AS is_model_call,
        {{calls_of_tools}} AS is_tool_call
    FROM
    (
        SELECT *
        FROM agent_steps FINAL
        WHERE Project = {project:String}
            AND toStartOfMinute(Timestamp) >= first_start AND toStartOfMinute(Timestamp) < last_end
            AND intDiv(toUnixTimestamp(Timestamp), 3600) * 3600 IN {hours:Array(UInt32)}
            AND KeepDays = {keep_days:UInt16}
    ) AS step
    LEFT ANY JOIN
    (
        SELECT RunId AS run_id, RunName AS run_name, Timestamp AS run_timestamp
        FROM agent_runs FINAL
        WHERE Project = {project:String}
            AND toStartOfMinute(Timestamp) >= first_start - 86400 AND toStartOfMinute(Timestamp) < last_end + 3600
            AND DuplicateOfTraceId = ''
    ) AS run ON step.RunId = run.run_id
    WHERE is_model_call OR is_tool_call
)
GROUP BY GROUPING SETS
(
    (hour_s, run_name, has_run, is_model_call, is_tool_call, Model, ToolName),
    (hour_s, is_model_call, is_tool_call, Model, ToolName)
)
