-- How many rows of a day and project had something withheld or replaced, by signal and key.
CREATE VIEW IF NOT EXISTS withheld_attributes AS
SELECT Project, toDate(Timestamp) AS Day, 'traces' AS Signal, arrayJoin(WithheldKeys) AS Key, count() AS Records
FROM otel_traces
GROUP BY Project, Day, Signal, Key
UNION ALL
SELECT Project, toDate(Timestamp) AS Day, 'logs' AS Signal, arrayJoin(WithheldKeys) AS Key, count() AS Records
FROM otel_logs
GROUP BY Project, Day, Signal, Key
UNION ALL
SELECT Project, toDate(TimeUnix) AS Day, 'metrics' AS Signal, arrayJoin(WithheldKeys) AS Key, count() AS Records
FROM otel_metrics_gauge
GROUP BY Project, Day, Signal, Key
UNION ALL
SELECT Project, toDate(TimeUnix) AS Day, 'metrics' AS Signal, arrayJoin(WithheldKeys) AS Key, count() AS Records
FROM otel_metrics_sum
GROUP BY Project, Day, Signal, Key
UNION ALL
SELECT Project, toDate(TimeUnix) AS Day, 'metrics' AS Signal, arrayJoin(WithheldKeys) AS Key, count() AS Records
FROM otel_metrics_histogram
GROUP BY Project, Day, Signal, Key
UNION ALL
SELECT Project, toDate(TimeUnix) AS Day, 'metrics' AS Signal, arrayJoin(WithheldKeys) AS Key, count() AS Records
FROM otel_metrics_exponential_histogram
GROUP BY Project, Day, Signal, Key
UNION ALL
SELECT Project, toDate(TimeUnix) AS Day, 'metrics' AS Signal, arrayJoin(WithheldKeys) AS Key, count() AS Records
FROM otel_metrics_summary
GROUP BY Project, Day, Signal, Key
