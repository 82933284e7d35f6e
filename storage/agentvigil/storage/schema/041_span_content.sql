-- What spans say, as it was sent; NULL where a message of it is gone. Ask for one trace, or a few: each row's messages
-- are looked up.
CREATE VIEW IF NOT EXISTS span_content AS
SELECT
    Project,
    TraceId,
    SpanId,
    Timestamp,
    Key,
    if(
        has(bodies, NULL),
        NULL,
        concat(
            Opening,
            substring(
                arrayStringConcat(arrayMap(body -> concat(Separator, assumeNotNull(body)), bodies)),
                1 + length(Separator)),
            Closing)) AS Text
FROM
(
    SELECT
        *,
        arrayMap(hash -> dictGetOrNull('content_body', 'Body', (toString(Project), hash)), Messages) AS bodies
    FROM span_contents
    FINAL
)
