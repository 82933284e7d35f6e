-- The row that says an hour is summed is written after the sums; a power cut must not leave it alone.
ALTER TABLE agent_feature_hours MODIFY SETTING
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_bytes_for_wide_part = 67108864
