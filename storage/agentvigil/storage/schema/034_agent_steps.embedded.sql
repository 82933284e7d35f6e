-- As for agent_runs.
ALTER TABLE agent_steps MODIFY SETTING
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_free_disk_bytes_to_perform_insert = 268435456,
    min_bytes_for_wide_part = 67108864
