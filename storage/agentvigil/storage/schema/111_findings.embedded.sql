-- What people decide about findings is not told again by anybody, so a power cut must not take it.
ALTER TABLE findings MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1
