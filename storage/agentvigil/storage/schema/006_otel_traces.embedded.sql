-- Acknowledged means stored, through a power cut too, and retention needs room to work in.
ALTER TABLE otel_traces MODIFY SETTING
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_free_disk_bytes_to_perform_insert = 268435456
