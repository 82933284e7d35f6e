-- page --
-- Feedback that was given between two times, the newest first. A span holds events that came long after it began.
SELECT
    toUnixTimestamp64Nano(Timestamp) AS timestamp_ns, FeedbackId, RunId, TraceId, SpanId, Name, Score, Label, Source, Comment,
    ExplanationKey
FROM agent_feedback
WHERE Project = {project:String}
    AND StoredAt >= fromUnixTimestamp64Nano({from_ns:Int64}) - INTERVAL 7 DAY
    AND StoredAt < fromUnixTimestamp64Nano({to_ns:Int64})
    AND Timestamp >= fromUnixTimestamp64Nano({from_ns:Int64}) AND Timestamp < fromUnixTimestamp64Nano({to_ns:Int64})
    {{conditions}}
ORDER BY timestamp_ns DESC, FeedbackId DESC
LIMIT {limit:UInt32}

-- after --
-- Only what comes after the last item of the page before.
AND (toUnixTimestamp64Nano(Timestamp), FeedbackId) < ({timestamp_ns:Int64}, {feedback_id:String})

-- where_run --
has(
    arrayConcat({run:Array(String)}, arrayMap(id -> splitByChar('-', id)[1], {run:Array(String)})),
    RunId)

-- where_name --
Name IN {name:Array(String)}

-- where_label --
Label IN {label:Array(String)}

-- where_min_score --
Score >= {min_score:Float64}

-- where_max_score --
Score <= {max_score:Float64}

-- explanations --
-- What is stored of the explanations that spans and log records were sent with.
SELECT TraceId, SpanId, Key, Text
FROM span_content
WHERE Project = {project:String} AND TraceId IN {trace_ids:Array(String)} AND SpanId IN {span_ids:Array(String)}
    AND Key IN {keys:Array(String)}

-- run_of_span --
-- The run that a span is the top of, else the one that it is a step of.
SELECT RunId
FROM
(
    SELECT RunId, 0 AS place
    FROM agent_runs FINAL
    WHERE Project = {project:String} AND TraceId = {trace_id:String} AND TopSpanId = {span_id:String}
    UNION ALL
    SELECT RunId, 1 AS place
    FROM agent_steps FINAL
    WHERE Project = {project:String} AND TraceId = {trace_id:String} AND SpanId = {span_id:String}
)
ORDER BY place
LIMIT 1
