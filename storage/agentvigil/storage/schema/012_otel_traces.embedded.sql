-- Acknowledged means stored, through a power cut too; retention needs room to work in. On a machine of a few cores
-- merging competes with intake, so small parts are merged many at a time, and what an insert writes stays in one file
-- instead of some sixty (docs/decisions/0002).
ALTER TABLE otel_traces MODIFY SETTING
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_free_disk_bytes_to_perform_insert = 268435456,
    merge_selector_base = 50,
    min_bytes_for_wide_part = 67108864
