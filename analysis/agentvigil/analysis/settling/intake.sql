-- What came in, and where the traces are that it belongs to.

-- arrivals --
-- How many spans each second of intake brought.
SELECT toStartOfSecond(IngestedAt) AS second, count() AS spans
FROM otel_traces
WHERE IngestedAt >= {from:DateTime64(3)} AND IngestedAt < {to:DateTime64(3)}
GROUP BY second
ORDER BY second
LIMIT {limit:UInt64}

-- arrived --
-- The traces that spans came in for.
CREATE TABLE {arrived:Identifier} ENGINE = Memory AS
SELECT
    Project, TraceId, min(Timestamp) AS First, max(Timestamp) AS Last, count() AS Spans, max(Dialect != '') AS IsAi,
    min(IngestedAt) AS FirstIngestedAt, max(IngestedAt) AS LastIngestedAt
FROM otel_traces
WHERE IngestedAt >= {from:DateTime64(3)} AND IngestedAt < {to:DateTime64(3)} AND TraceId != ''
GROUP BY Project, TraceId

-- arrived_spans --
-- How many spans that was.
SELECT sum(Spans) FROM {arrived:Identifier}

-- touched --
-- Those of them that make runs: a span of AI came in, or any span and there are runs already. All their spans start
-- between First and Last, those too that came in before.
WITH
    (SELECT (min(First) - INTERVAL 1 HOUR, max(Last) + INTERVAL 1 HOUR) FROM {arrived:Identifier}) AS range,
    touched AS
    (
        SELECT *
        FROM {arrived:Identifier}
        WHERE IsAi OR (Project, TraceId) IN (
            SELECT Project, TraceId
            FROM agent_runs
            WHERE toStartOfMinute(Timestamp) >= toStartOfMinute(range.1) AND toStartOfMinute(Timestamp) <= range.2
                AND TraceId IN (SELECT TraceId FROM {arrived:Identifier} WHERE NOT IsAi))
    )
SELECT
    touched.Project AS Project,
    touched.TraceId AS TraceId,
    if(known.Spans = 0, touched.First, least(touched.First, toDateTime64(known.Start, 9))) AS First,
    if(known.Spans = 0, touched.Last, greatest(touched.Last, toDateTime64(known.End, 9) + INTERVAL 1 SECOND)) AS Last,
    touched.Spans AS Spans,
    touched.FirstIngestedAt AS FirstIngestedAt,
    touched.LastIngestedAt AS LastIngestedAt
FROM touched
LEFT JOIN
(
    SELECT TraceId, min(Start) AS Start, max(End) AS End, count() AS Spans
    FROM otel_traces_trace_id_ts
    WHERE TraceId IN (SELECT TraceId FROM touched)
    GROUP BY TraceId
) AS known ON touched.TraceId = known.TraceId

-- located --
-- Traces by their ids: between which times all their spans start, and whether a run of theirs is open.
SELECT
    wanted.1 AS Project,
    wanted.2 AS TraceId,
    toDateTime64(known.Start, 9) AS First,
    toDateTime64(known.End, 9) + INTERVAL 1 SECOND AS Last,
    0 AS Spans,
    run.IsOpen AS IsOpen
FROM (SELECT arrayJoin(arrayZip({projects:Array(String)}, {traces:Array(String)})) AS wanted) AS wish
INNER JOIN
(
    SELECT TraceId, min(Start) AS Start, max(End) AS End
    FROM otel_traces_trace_id_ts
    WHERE TraceId IN {traces:Array(String)}
    GROUP BY TraceId
) AS known ON wanted.2 = known.TraceId
LEFT JOIN
(
    SELECT Project, TraceId, max(Status = 'open') AS IsOpen
    FROM agent_runs FINAL
    WHERE TraceId IN {traces:Array(String)}
    GROUP BY Project, TraceId
) AS run ON wanted.1 = run.Project AND wanted.2 = run.TraceId

-- recosted --
-- The traces with runs whose list costs were changed, as noted in a time.
SELECT DISTINCT Project, TraceId
FROM agent_runs
WHERE TraceId IN (
        SELECT TraceId FROM agentvigil_recosted_traces
        WHERE RecostedAt >= {from:DateTime64(3)} AND RecostedAt < {to:DateTime64(3)})

-- recosting --
-- Until when changes of costs were noted that are made by now; nothing while one is being made.
SELECT max(RecostedAt) AS noted
FROM agentvigil_recosted_traces
WHERE RecostedAt < {to:DateTime64(3)} AND NOT EXISTS (
    SELECT 1 FROM system.mutations WHERE database = currentDatabase() AND table IN ('otel_traces', 'otel_traces_local') AND NOT is_done)

-- stored_by_day --
-- How many spans are stored of each day, by the names of their partitions: nothing is read.
SELECT toDate(extract(partition, '[0-9]{4}-[0-9]{2}-[0-9]{2}')) AS Day, sum(rows)
FROM system.parts
WHERE database = currentDatabase() AND table IN ('otel_traces', 'otel_traces_local') AND active
GROUP BY Day
