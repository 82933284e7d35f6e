-- The runs that were there before the view. Some may be counted twice, which does no harm: the number only has to change
-- with the runs.
INSERT INTO agent_run_changes (Project, Hour, KeepDays, Changes, LastChangeAt)
SETTINGS max_partitions_per_insert_block = 0
SELECT Project, toStartOfHour(toDateTime(Timestamp, 'UTC')) AS Hour, KeepDays, count(), now64(3)
FROM agent_runs
GROUP BY Project, Hour, KeepDays
