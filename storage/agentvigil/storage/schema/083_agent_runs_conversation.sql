-- Finds the runs of one conversation without reading those of all.
ALTER TABLE agent_runs ADD INDEX IF NOT EXISTS idx_conversation_id ConversationId TYPE text(tokenizer = 'array')
