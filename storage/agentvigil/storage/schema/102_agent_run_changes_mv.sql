-- Counts what is written to agent_runs, voided rows too. The steps of a run are written some moments after it; a process
-- that dies in between settles the trace again, which counts.
CREATE MATERIALIZED VIEW IF NOT EXISTS agent_run_changes_mv TO agent_run_changes AS
SELECT
    Project,
    toStartOfHour(toDateTime(Timestamp, 'UTC')) AS Hour,
    KeepDays,
    count() AS Changes,
    now64(3) AS LastChangeAt
FROM agent_runs
GROUP BY Project, Hour, KeepDays
