-- Finds the bodies of messages without a join, which would read all of them.
CREATE DICTIONARY IF NOT EXISTS content_body
(
    Project String,
    Hash UUID,
    Body String
)
PRIMARY KEY Project, Hash
SOURCE(CLICKHOUSE(TABLE 'content_messages' {{dictionary_access}}))
LAYOUT(COMPLEX_KEY_DIRECT)
