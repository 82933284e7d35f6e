-- mapping --
-- How each key of each source was read on the days of a time.
SELECT
    ScopeName AS scope, ScopeVersion AS scope_version, toString(Dialect) AS dialect, Key AS key, Reading AS reading,
    any(Targets) AS targets, sum(Spans) AS spans, toUnixTimestamp64Nano(max(LastSeen)) AS last_seen_ns
FROM mapping_report
WHERE Project = {project:String} AND Day >= {from_day:Date} AND Day <= {to_day:Date}
    {{conditions}}
GROUP BY scope, scope_version, dialect, key, reading
{{after}}
ORDER BY scope, scope_version, dialect, key, reading
LIMIT {limit:UInt32}

-- after --
-- Only what comes after the last item of the page before.
HAVING (scope, scope_version, dialect, key, reading)
    > ({after_scope:String}, {after_version:String}, {after_dialect:String}, {after_key:String}, {after_reading:String})

-- where_scope --
ScopeName IN {scope:Array(String)}

-- where_dialect --
Dialect IN {dialect:Array(String)}

-- where_reading --
Reading IN {reading:Array(String)}

-- withheld --
-- What of a project was withheld or replaced on the days of a time, most records first.
SELECT Signal AS signal, toString(Key) AS key, sum(Records) AS records
FROM withheld_attributes
WHERE Project = {project:String} AND Day >= {from_day:Date} AND Day <= {to_day:Date}
GROUP BY signal, key
ORDER BY records DESC, signal, key
LIMIT {limit:UInt32}

-- content --
-- What is stored of what a project said: spans that say something, messages, and their bytes.
SELECT
    (
        SELECT uniq(TraceId, SpanId)
        FROM span_contents
        WHERE Project = {project:String}
    ) AS spans,
    count() AS messages,
    sum(length(Body)) AS bytes
FROM content_messages
WHERE Project = {project:String}
