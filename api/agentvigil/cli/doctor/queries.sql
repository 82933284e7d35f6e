-- find_spans --
-- How many spans the test trace has, and how many of them hold content, under its key or anywhere else
-- in the row.
SELECT
    count() AS items,
    countIf(mapContains(SpanAttributes, {content_key:String}) OR position(toString(tuple(*)), {canary:String}) > 0)
        AS with_content
FROM otel_traces
WHERE ServiceName = {service:String} AND TraceId = {trace_id:String}

-- find_logs --
-- The same for the log records of the test trace.
SELECT
    count() AS items,
    countIf(mapContains(LogAttributes, {content_key:String}) OR position(toString(tuple(*)), {canary:String}) > 0)
        AS with_content
FROM otel_logs
WHERE ServiceName = {service:String} AND TraceId = {trace_id:String}

-- find_metrics --
-- The same for the data points of the test metric, which carry the trace id as an attribute.
SELECT
    count() AS items,
    countIf(mapContains(Attributes, {content_key:String}) OR position(toString(tuple(*)), {canary:String}) > 0)
        AS with_content
FROM otel_metrics_gauge
WHERE ServiceName = {service:String} AND Attributes[{run_key:String}] = {trace_id:String}

-- clock --
-- The store's clock in milliseconds since 1970.
SELECT toUnixTimestamp64Milli(now64(3)) AS now_ms

-- disks --
-- The server's disks; a bucket says it has all the room there is.
SELECT name, path, free_space, total_space FROM system.disks WHERE total_space < 1e18 ORDER BY name

-- schema_exists --
-- Whether the database is there.
SELECT count() FROM system.databases WHERE name = {database:String}
