-- As for agent_runs: a change that is forgotten would leave sums that are wrong for good.
ALTER TABLE agent_run_changes MODIFY SETTING
    fsync_after_insert = 1,
    fsync_part_directory = 1
