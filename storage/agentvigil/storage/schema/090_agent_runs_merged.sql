-- A day that got no rows for six hours becomes one part: reading it with FINAL is then reading it, and nothing is merged
-- again and again for each question.
ALTER TABLE agent_runs MODIFY SETTING
    min_age_to_force_merge_seconds = 21600,
    min_age_to_force_merge_on_partition_only = 1
