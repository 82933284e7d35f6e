-- Tells an insert which messages are there and stay long enough. It keeps nothing: each look reads the index of
-- content_messages, so that it never says that a message is there which is not.
CREATE DICTIONARY IF NOT EXISTS content_expiry
(
    Project String,
    Hash UUID,
    Expires Date
)
PRIMARY KEY Project, Hash
SOURCE(CLICKHOUSE(TABLE 'content_expiries' {{dictionary_access}}))
LAYOUT(COMPLEX_KEY_DIRECT)
