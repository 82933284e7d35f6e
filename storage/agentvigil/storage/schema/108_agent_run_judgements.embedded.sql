-- The place up to which feedback was noted is remembered after the judgements; a power cut must not leave it alone.
ALTER TABLE agent_run_judgements MODIFY SETTING
    fsync_after_insert = 1,
    fsync_part_directory = 1
