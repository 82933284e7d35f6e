-- Counts what is written to agent_steps, voided rows too. The count comes after the rows; a process that dies in between
-- settles their traces again, which counts.
CREATE MATERIALIZED VIEW IF NOT EXISTS agent_step_changes_mv TO agent_step_changes AS
SELECT
    Project,
    toStartOfHour(toDateTime(Timestamp, 'UTC')) AS Hour,
    KeepDays,
    count() AS Changes,
    now64(3) AS LastChangeAt
FROM agent_steps
GROUP BY Project, Hour, KeepDays
