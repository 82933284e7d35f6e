-- First and last second of every trace, under the Collector's name and columns: readers narrow a trace lookup by it. Here
-- it is read from the spans themselves, by their index of trace ids, and costs inserts nothing.
CREATE VIEW IF NOT EXISTS otel_traces_trace_id_ts AS
SELECT
    TraceId,
    min(toDateTime(Timestamp)) AS Start,
    max(toDateTime(Timestamp)) AS End,
    max(otel_traces.KeepDays) AS KeepDays
FROM otel_traces
WHERE TraceId != ''
GROUP BY TraceId
