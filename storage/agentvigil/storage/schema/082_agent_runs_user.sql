-- Finds the runs of one user without reading those of all.
ALTER TABLE agent_runs ADD INDEX IF NOT EXISTS idx_user_id UserId TYPE text(tokenizer = 'array')
