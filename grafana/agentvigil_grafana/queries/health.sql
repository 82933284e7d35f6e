-- Whether telemetry comes in whole, and what is kept out of the store.

-- spans --
-- Spans that began in the time that is shown.
SELECT count() AS spans FROM {{spans}}

-- silence --
-- Time since the last span came in.
SELECT dateDiff('second', max(IngestedAt), now64(3)) AS silence FROM {{spans}} AND IngestedAt >= $__fromTime

-- delay --
-- 95 of 100 spans came in no later than this after they ended: what senders and collectors hold back.
SELECT quantile(0.95)({{delay_s}}) AS p95 FROM {{spans}}

-- unsettled --
-- How far runs are behind spans: spans that came in before are in runs.
SELECT dateDiff('second', max(Time), now64(3)) AS behind FROM settling_state FINAL WHERE Name = 'watermark'

-- withheld --
-- Spans of which the project's policy withheld or replaced something.
SELECT countIf(notEmpty(WithheldKeys)) / nullIf(count(), 0) AS withheld FROM {{spans}}

-- late --
-- Runs of which a span came in more than ten seconds after the top span.
SELECT countIf(HasLateSpans) / nullIf(count(), 0) AS late
FROM agent_runs FINAL
WHERE $__timeFilter(Timestamp) AND {{chosen project in Project}}

-- spans_by_dialect --
-- Spans by the library's way of writing them; "none" are spans that are not about AI, "unknown" about AI in no way we
-- know.
SELECT $__timeInterval(Timestamp) AS time, if(Dialect = '', 'none', toString(Dialect)) AS dialect, count() AS spans
FROM {{spans}}
GROUP BY time, dialect
ORDER BY time, dialect

-- delay_over_time --
-- How long after a span's end it came in.
SELECT
    $__timeInterval(Timestamp) AS time,
    quantile(0.5)({{delay_s}}) AS p50,
    quantile(0.95)({{delay_s}}) AS p95
FROM {{spans}}
GROUP BY time
ORDER BY time

-- withheld_over_time --
-- Spans of which something was withheld, by service.
SELECT $__timeInterval(Timestamp) AS time, toString(ServiceName) AS service, count() AS spans
FROM {{spans}} AND notEmpty(WithheldKeys)
GROUP BY time, service
ORDER BY time, service

-- cut --
-- Attributes, events and links that senders or our limits cut off.
SELECT
    $__timeInterval(Timestamp) AS time,
    sum(DroppedAttributes) AS attributes,
    sum(DroppedEvents) AS events,
    sum(DroppedLinks) AS links
FROM {{spans}}
GROUP BY time
ORDER BY time

-- keys --
-- What was withheld, by key; a number in a key is N. No values are kept, so none can be shown.
SELECT arrayJoin(WithheldKeys) AS key, count() AS spans, uniqExact(ServiceName) AS services, max(Timestamp) AS last_seen
FROM {{spans}} AND notEmpty(WithheldKeys)
GROUP BY key
ORDER BY spans DESC, key
LIMIT 200

-- sources --
-- Who sends what, and how it is understood.
SELECT
    toString(ServiceName) AS service,
    if(Dialect = '', 'none', toString(Dialect)) AS dialect,
    ScopeName AS scope,
    count() AS spans,
    countIf(notEmpty(WithheldKeys)) AS withheld,
    countIf(StatusCode = 'Error') / nullIf(count(), 0) AS failed,
    max(IngestedAt) AS last_seen
FROM {{spans}}
GROUP BY service, dialect, scope
ORDER BY spans DESC, service, dialect, scope
LIMIT 200

-- tables --
-- What the store's tables hold, of all projects.
SELECT name AS table, total_rows AS rows, total_bytes AS bytes
FROM system.tables
WHERE database = currentDatabase() AND total_bytes > 0
ORDER BY bytes DESC, table
LIMIT 100
