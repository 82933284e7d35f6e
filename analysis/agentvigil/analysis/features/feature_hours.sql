-- Counting the finished runs of an hour. docs/features.md says what each feature means.

-- models --
-- The models that the most calls from the first hour to two hours after the last went to: whose context windows are looked up.
SELECT Provider, Model
FROM agent_steps FINAL
WHERE Project = {project:String} AND Billed AND InputTokens IS NOT NULL
    AND toStartOfMinute(Timestamp) >= fromUnixTimestamp({first_s:UInt32}) - 3600
    AND toStartOfMinute(Timestamp) < fromUnixTimestamp({end_s:UInt32}) + 7200
GROUP BY Provider, Model
ORDER BY count() DESC, Provider, Model
LIMIT 500
SETTINGS do_not_merge_across_partitions_select_final = 1, max_threads = 1

-- sum_hours --
-- The counts of hours of one day. One thread: intake has the machine first. The steps of each run are put into one array,
-- so that every feature is made of one look at them. Each run becomes a row for each thing that is counted of it, and these are
-- added up. Last, what comes from outside without end (names of tools, models, versions, classes) is cut down to the most
-- frequent. A run that has several of the others counts once for them: it is a bit in a bitmap. The rows come as one
-- block, since readers take those of an hour for whole.
INSERT INTO agent_feature_hours
(
    Project, Hour, KeepDays, Environment, Agent, InputClass, AgentVersion, Model, Feature, Key, Bin, Changes, N, S
)
SETTINGS
    do_not_merge_across_partitions_select_final = 1, max_threads = 1, max_block_size = 8192,
    min_insert_block_size_rows = 100000000, min_insert_block_size_bytes = 10000000000
WITH
    fromUnixTimestamp({first_s:UInt32}) AS hour_start,
    fromUnixTimestamp({end_s:UInt32}) AS hour_end,
    finished AS
    (
        SELECT
            intDiv(toUnixTimestamp(Timestamp), 3600) * 3600 AS hour_s,
            RunId AS run_id, TraceId AS trace_id, TopSpanId AS top_span_id, Environment AS environment, RunName AS agent,
            toUnixTimestamp64Nano(Timestamp) AS began_ns, EndTimestamp AS ended_at, Status AS status,
            RootCauseType AS cause_type, RootCauseCode AS cause_code, Duration AS duration_ns, TimeToFirstChunk AS first_chunk_s,
            BilledCostUSD AS cost_usd, InputTokens AS input_tokens, OutputTokens AS output_tokens, Steps AS step_count,
            Retries AS retries, Models AS models, Tools AS tool_names,
            if(AgentVersion != '', toString(AgentVersion), AgentFingerprint) AS version,
            arrayFirst(
                class -> class != '',
                arrayPushBack(
                    arrayMap(
                        key -> substring(arrayFirst(tag -> startsWith(tag, key), Tags), length(key) + 1),
                        ['input_class=', 'route=', 'intent=', 'tenant=']),
                    toString(WorkflowName))) AS input_class
        FROM agent_runs FINAL
        WHERE Project = {project:String}
            AND toStartOfMinute(Timestamp) >= hour_start AND toStartOfMinute(Timestamp) < hour_end
            AND KeepDays = {keep_days:UInt16}
            AND hour_s IN {hours:Array(UInt32)}
            AND Status != 'open' AND DuplicateOfTraceId = ''
    ),
    run AS
    (
        SELECT
            * EXCEPT (runs_of_version, runs_of_class)
            REPLACE (
                if(dense_rank() OVER (PARTITION BY hour_s, environment, agent ORDER BY runs_of_version DESC, version)
                    > {most_versions:UInt32}, '(other)', version) AS version,
                if(dense_rank() OVER (PARTITION BY hour_s, environment, agent ORDER BY runs_of_class DESC, input_class)
                    > {most_classes:UInt32}, '(other)', input_class) AS input_class)
        FROM
        (
            SELECT
                *,
                count() OVER (PARTITION BY hour_s, environment, agent, version) AS runs_of_version,
                count() OVER (PARTITION BY hour_s, environment, agent, input_class) AS runs_of_class
            FROM finished
        )
    ),
    step AS
    (
        SELECT *
        FROM agent_steps FINAL
        WHERE Project = {project:String}
            AND toStartOfMinute(Timestamp) >= hour_start - 3600
            -- As for calls of hours: a step more than a day after its run began is not looked for.
            AND toStartOfMinute(Timestamp)
                < least(hour_end + 86400, toDateTime((SELECT max(ended_at) FROM finished)) + 3600)
            AND RunId IN (SELECT run_id FROM finished)
    ),
    seen AS
    (
        SELECT
            step.RunId AS run_id,
            arraySort(
                step -> step.ordinal,
                groupArrayIf(
                    CAST(
                        (
                            step.Ordinal, cityHash64(step.ParentStepId), step.Depth,
                            toUnixTimestamp64Nano(step.Timestamp), step.Duration,
                            step.Billed AND step.Operation IN {{model_operations}},
                            step.Operation = 'execute_tool' AND step.BillingNote != 'duplicate'
                                -- The client's and the server's span of one call, as settling counts them.
                                AND NOT (around.SpanId != '' AND (around.ToolName IN (step.ToolName, '') OR step.ToolName = '')),
                            step.Operation = 'invoke_agent',
                            step.Status = 'failure',
                            step.Attempt > 1,
                            multiIf(step.FailureCode = 'empty_retrieval', 0, step.RetrievedDocuments IS NULL, -1,
                                step.RetrievedDocuments > 0),
                            step.ToolName,
                            step.FinishReason,
                            transform(concat(step.Provider, '\n', step.Model), {window_models:Array(String)}, {windows:Array(UInt64)}, 0)
                                AS window,
                            multiIf(window = 0 OR step.InputTokens IS NULL, '', step.InputTokens * 4 < window, 'low',
                                step.InputTokens * 2 > window, 'high', 'middle')
                        ),
                        'Tuple(ordinal UInt32, parent UInt64, depth UInt16, start_ns Int64, duration_ns UInt64, is_model Bool,
                            is_tool Bool, is_agent Bool, is_failed Bool, is_retry Bool, found Int8, tool String,
                            finish_reason String, window UInt64, fill String)'),
                    -- Without second sightings, and without calls that stand for those inside them.
                    step.Ordinal <= 2000 AND step.BillingNote != 'duplicate'
                        AND NOT (step.BillingNote = 'sum' AND step.Operation IN {{model_operations}}))) AS steps,
            sumMapIf(
                [toString(step.Model)],
                [toUInt64(1)],
                [ifNull(step.InputTokens, 0)], [toUInt64(step.InputTokens IS NOT NULL)],
                [ifNull(step.OutputTokens, 0)], [toUInt64(step.OutputTokens IS NOT NULL)],
                [ifNull(step.CacheReadTokens, 0)], [toUInt64(step.CacheReadTokens IS NOT NULL)],
                [toFloat64(ifNull(step.BilledCostUSD, 0))], [toUInt64(step.BilledCostUSD IS NOT NULL)],
                [toUInt64(step.Attempt > 1)],
                step.Billed) AS usage
        FROM step
        LEFT ANY JOIN (SELECT TraceId, SpanId, ToolName FROM step WHERE Operation = 'execute_tool') AS around
            ON step.TraceId = around.TraceId AND step.ParentStepId = around.SpanId
        GROUP BY run_id
    ),
    -- Level by level, each a query of its own: what the engine is given as one would be copied wherever it is named.
    -- Runs that somebody judged, and whether they had said that they were sure: by the top span, else by the last one.
    judged AS
    (
        SELECT named.run_id AS run_id, any(named.trace_id) AS trace_id, any(named.top_span_id) AS top_span_id, max(judgement.IsBad) AS is_bad
        FROM (SELECT run_id, trace_id, top_span_id, arrayJoin([run_id, trace_id]) AS name FROM finished) AS named
        INNER JOIN
        (
            SELECT RunId, IsBad
            FROM agent_run_judgements
            WHERE Project = {project:String} AND GivenAt >= hour_start - 3600
        ) AS judgement ON named.name = judgement.RunId
        GROUP BY run_id
    ),
    sure AS
    (
        SELECT judged.run_id AS run_id, any(judged.is_bad) AS is_bad
        FROM
        (
            SELECT TraceId, SpanId, Timestamp, toFloat64OrZero(SpanAttributes[{{confidence}}]) AS confidence
            FROM otel_traces
            WHERE Project = {project:String} AND TraceId IN (SELECT trace_id FROM judged)
                AND Timestamp >= hour_start - 3600 AND Timestamp < hour_end + 86400
                AND SpanAttributes[{{confidence}}] != ''
        ) AS said
        INNER JOIN judged ON said.TraceId = judged.trace_id
        GROUP BY run_id
        HAVING argMax(said.confidence, (said.SpanId = judged.top_span_id, said.Timestamp)) >= 0.8
    ),
    parted AS
    (
        SELECT
            run.*,
            toUInt32(rowNumberInAllBlocks()) AS run_number,
            sure.run_id != '' AS is_sure,
            sure.is_bad AS is_bad,
            seen.usage AS usage,
            arrayElement(
                arraySort(
                    (model, tokens) -> (-toInt64(tokens), model),
                    arrayFilter(model -> model != '', usage.1),
                    arrayFilter((tokens, model) -> model != '', arrayMap((i, o) -> i + o, usage.3, usage.5), usage.1)),
                1) AS run_model,
            seen.steps AS steps,
            arrayFilter(step -> step.is_tool, steps) AS tools,
            arrayFilter(step -> step.is_model, steps) AS calls,
            arrayFilter(step -> step.found >= 0, steps) AS searches,
            arraySort(step -> (step.depth, step.ordinal), arrayFilter(step -> step.is_agent, steps)) AS agents,
            -- Each call of a model with the steps up to the next one; what comes before the first call is a part too.
            arraySplit(step -> step.is_model, steps) AS parts,
            arraySort(step -> (step.parent, step.ordinal), steps) AS by_parent
        FROM run
        LEFT ANY JOIN seen ON run.run_id = seen.run_id
        LEFT ANY JOIN sure ON run.run_id = sure.run_id
    ),
    paired AS
    (
        SELECT
            *,
            arrayZip(arrayPopBack(tools), arrayPopFront(tools)) AS tool_pairs,
            arrayZip(arrayPopBack(agents), arrayPopFront(agents)) AS agent_pairs,
            arrayMap(part -> arrayFilter(step -> step.is_tool, part), parts) AS tools_of_parts,
            calls[1].ordinal AS first_call,
            -- Tools that one answer of a model asked for: those of one parent with no call of a model of that parent between.
            arraySplit(
                (step, parent_before) -> step.is_model OR step.parent != parent_before,
                by_parent,
                arrayPopBack(arrayPushFront(arrayMap(step -> step.parent, by_parent), 0))) AS stretches,
            arrayFilter(
                turn -> length(turn) > 1,
                arrayMap(
                    stretch -> arrayFilter(
                        step -> step.is_tool AND NOT step.is_retry AND first_call > 0 AND step.ordinal > first_call, stretch),
                    stretches)) AS turns
        FROM parted
    ),
    found AS
    (
        SELECT
            *,
            arrayDistinct(arrayMap(pair -> concat(pair.1.tool, '>', pair.2.tool), tool_pairs)) AS tool_orders,
            arrayExists(step -> step.is_failed, tools) AS has_tool_error,
            arrayExists(
                pair -> pair.1.is_failed AND pair.1.tool != pair.2.tool
                    AND pair.2.start_ns >= pair.1.start_ns + pair.1.duration_ns,
                tool_pairs) AS has_tool_switch,
            arrayDistinct(arrayFilter(reason -> reason != '', arrayMap(step -> step.finish_reason, calls))) AS finish_reasons,
            arrayExists(step -> step.found = 0, searches) AS has_empty_search,
            status != 'failure' AND notEmpty(calls) AND calls[-1].finish_reason = 'stop'
                AND (notEmpty(searches) AND searches[-1].found = 0
                    OR notEmpty(tools) AND arrayAll(step -> step.is_failed, tools)) AS is_unfounded,
            arrayMap(
                (part, used, used_before) -> (
                    if(part[1].is_model, part[1].fill, ''),
                    arrayExists(step -> step.is_failed OR step.is_retry, arrayPopFront(part))
                        OR (notEmpty(used) AND notEmpty(used_before) AND used[1].tool = used_before[-1].tool)),
                parts,
                tools_of_parts,
                arrayPopBack(arrayPushFront(tools_of_parts, arrayFilter(step -> false, steps)))) AS fills,
            arraySum(
                turn -> if(
                    arrayExists(
                        (step, end_before_ns) -> step.start_ns < end_before_ns,
                        turn,
                        arrayPopBack(arrayPushFront(arrayMap(step -> step.start_ns + toInt64(step.duration_ns), turn), 0))),
                    0,
                    arraySum(step -> step.duration_ns, turn) - arrayMax(step -> step.duration_ns, turn)),
                turns) AS lost_ns
        FROM paired
    ),
    told AS
    (
        SELECT
            hour_s, environment, agent, input_class, version, run_number,
            arrayConcat(
                -- Whether it is so, feature, key.
                arrayMap(
                    row -> (row.2, row.3, 0::Int16, run_model, 1., 0.),
                    arrayFilter(
                        row -> row.1,
                        [
                            (true, 'status', ''),
                            (status != 'success', 'status', toString(status)),
                            (true, 'failure', ''),
                            (cause_type != '', 'failure', concat(cause_type, '/', cause_code)),
                            (true, 'tool', ''),
                            (notEmpty(tool_pairs), 'tool_order', ''),
                            (notEmpty(finish_reasons), 'finish_reason', ''),
                            (notEmpty(models), 'response_model', ''),
                            (notEmpty(searches), 'retrieval', ''),
                            (has_empty_search, 'retrieval', 'empty'),
                            (true, 'retry', ''),
                            (retries > 0, 'retry', 'any'),
                            (notEmpty(tools), 'tool_error', ''),
                            (has_tool_error, 'tool_error', 'any'),
                            (notEmpty(tools), 'tool_switch', ''),
                            (has_tool_switch, 'tool_switch', 'any'),
                            (notEmpty(searches) OR notEmpty(tools), 'unfounded', ''),
                            (is_unfounded, 'unfounded', 'any'),
                            (is_sure, 'confident', ''),
                            (is_sure AND is_bad, 'confident', 'bad')
                        ])),
                arrayMap(name -> ('tool', toString(name), 0::Int16, run_model, 1., 0.), tool_names),
                arrayMap(name -> ('response_model', toString(name), 0::Int16, run_model, 1., 0.), models),
                arrayMap(pair -> ('tool_order', pair, 0::Int16, run_model, 1., 0.), tool_orders),
                arrayMap(reason -> ('finish_reason', reason, 0::Int16, run_model, 1., 0.), finish_reasons),
                arrayMap(
                    row -> (
                        row.1, '', if(row.2 <= 0, -32768, floor(8 * log2(row.2)))::Int16, run_model, 1., assumeNotNull(row.2)),
                    arrayFilter(
                        row -> row.2 IS NOT NULL,
                        [
                            ('duration', duration_ns / 1e9),
                            ('time_to_first_chunk', first_chunk_s),
                            ('cost', toFloat64(cost_usd)),
                            ('input_tokens', toFloat64(input_tokens)),
                            ('output_tokens', toFloat64(output_tokens)),
                            ('steps', toFloat64(step_count)),
                            ('sequential_share', if(notEmpty(turns), least(lost_ns / greatest(duration_ns, 1), 1), NULL))
                        ])),
                arrayMap(told -> ('context', told.1, 0::Int16, run_model, 1., toFloat64(told.2)), arrayFilter(told -> told.1 != '', fills)),
                arrayMap(
                    pair -> (
                        'cascade', if(pair.1.is_failed, 'after_failure', 'after_success'), 0::Int16, run_model, 1.,
                        toFloat64(pair.2.is_failed)),
                    arrayFilter(
                        pair -> pair.1.depth = pair.2.depth AND pair.2.start_ns >= pair.1.start_ns + pair.1.duration_ns,
                        agent_pairs)),
                arrayFlatten(
                    arrayMap(
                        (model, calls, i, i_known, o, o_known, c, c_known, usd, usd_known, retries) -> arrayMap(
                            row -> ('usage', row.2, 0::Int16, model, 1., row.3),
                            arrayFilter(
                                row -> row.1,
                                [
                                    (true, 'calls', toFloat64(calls)),
                                    (i_known > 0, 'input_tokens', toFloat64(i)),
                                    (o_known > 0, 'output_tokens', toFloat64(o)),
                                    (c_known > 0, 'cache_read_tokens', toFloat64(c)),
                                    (usd_known > 0, 'cost_usd', usd),
                                    (true, 'retries', toFloat64(retries))
                                ])),
                        usage.1, usage.2, usage.3, usage.4, usage.5, usage.6, usage.7, usage.8, usage.9, usage.10, usage.11)))
                AS rows
        FROM found
    ),
    cell AS
    (
        SELECT
            hour_s, environment, agent, input_class, version, row.4 AS model, row.1 AS feature, row.2 AS key, row.3 AS bin,
            sum(row.5) AS n, sum(row.6) AS s, groupBitmapState(run_number) AS runs
        FROM told
        ARRAY JOIN rows AS row
        GROUP BY ALL
    )
SELECT
    {project:String}, fromUnixTimestamp(toUInt32(hour_s)), {keep_days:UInt16},
    environment, agent, input_class, version,
    if(rank_of_model > {most_models:UInt32}, '(other)', model) AS kept_model,
    feature,
    -- The empty key is the most frequent always.
    if(rank_of_key > {most_keys:UInt32} + 1, '(other)', key) AS kept_key,
    bin,
    transform(toUInt32(hour_s), {hours:Array(UInt32)}, {changes:Array(UInt64)}, toUInt64(0)) AS hour_changes,
    if(feature IN ('context', 'cascade'), toUInt64(sum(n)), groupBitmapMerge(runs)),
    sum(s)
FROM
(
    SELECT
        *,
        dense_rank() OVER (PARTITION BY hour_s, environment, agent, feature ORDER BY n_of_key DESC, key) AS rank_of_key,
        dense_rank() OVER (PARTITION BY hour_s, environment, agent, feature = 'usage' ORDER BY n_of_model DESC, model) AS rank_of_model
    FROM
    (
        SELECT
            *,
            sum(n) OVER (PARTITION BY hour_s, environment, agent, feature, key) AS n_of_key,
            sumIf(n, (feature, key) IN (('status', ''), ('usage', 'calls')))
                OVER (PARTITION BY hour_s, environment, agent, feature = 'usage', model) AS n_of_model
        FROM cell
    )
)
GROUP BY hour_s, environment, agent, input_class, version, kept_model, feature, kept_key, bin

-- new_judgements --
-- Feedback that came in since a time, says good or bad, and is not noted yet. Where there are score and label, either may
-- say that it is bad.
SELECT Project, GivenAt, KeepDays, RunId, FeedbackId, IsBad
FROM
(
    SELECT
        Project, toDateTime(Timestamp, 'UTC') AS GivenAt, KeepDays, RunId, FeedbackId, IngestedAt,
        lower(Label) IN {bad_labels:Array(String)} AS is_bad_label,
        is_bad_label OR ifNull(Score < 0.5, false) AS IsBad
    FROM agent_feedback
    WHERE IngestedAt >= {since:DateTime64(3)} AND RunId != ''
        AND (Score IS NOT NULL OR is_bad_label OR lower(Label) IN {good_labels:Array(String)})
)
WHERE (Project, GivenAt, RunId, FeedbackId) NOT IN
(
    SELECT Project, GivenAt, RunId, FeedbackId
    FROM agent_run_judgements
    WHERE GivenAt >= {since:DateTime64(3)} - toIntervalDay(7)
)

-- count_judgements --
-- How many of these there are.
SELECT count() FROM ({{new_judgements}}) SETTINGS max_threads = 1

-- note_changes --
-- Their runs' hours have to be summed again. The rows are written some moments later, while the hours count as not quiet.
INSERT INTO agent_run_changes (Project, Hour, KeepDays, Changes, LastChangeAt)
SETTINGS max_partitions_per_insert_block = 0, max_threads = 1
SELECT run.Project, toStartOfHour(toDateTime(run.Timestamp, 'UTC')) AS Hour, run.KeepDays, count(), now64(3)
FROM agent_runs AS run
WHERE (run.Project, run.TraceId) IN (SELECT Project, splitByChar('-', RunId)[1] FROM ({{new_judgements}}))
GROUP BY run.Project, Hour, run.KeepDays

-- note_judgements --
-- Notes them.
INSERT INTO agent_run_judgements (Project, GivenAt, KeepDays, RunId, FeedbackId, IsBad)
SETTINGS max_partitions_per_insert_block = 0, max_threads = 1
{{new_judgements}}
