-- As for otel_traces: acknowledged means stored, and small parts are merged many at a time.
ALTER TABLE otel_metrics_sum MODIFY SETTING
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_free_disk_bytes_to_perform_insert = 268435456,
    merge_selector_base = 50,
    min_bytes_for_wide_part = 67108864
