-- When each key was last used, to about half a minute.
CREATE TABLE IF NOT EXISTS agentvigil_key_uses
(
    KeyId String,
    LastUsedAt DateTime64(3)
)
ENGINE = ReplacingMergeTree(LastUsedAt)
ORDER BY KeyId
