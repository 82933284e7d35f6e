-- size --
-- Bytes on disk of the tables of rows and of content.
SELECT sum(bytes_on_disk)
FROM system.parts
WHERE active AND database = currentDatabase() AND (table LIKE 'otel\_%' OR table IN ('span_contents', 'content_messages'))

-- rows_of_requests --
-- The rows of some requests; the star stands for the columns that an INSERT fills.
SELECT *
FROM {table:Identifier}
WHERE IngestedAt >= {received_from:DateTime64(3)} AND has(arrayMap(h -> toFixedString(unhex(h), 16), {hashes:Array(String)}), RequestHash)

-- clear --
-- Gives the disk back at once.
TRUNCATE TABLE {table:Identifier}

-- content_sizes --
-- How many bytes some requests' spans and log records said.
SELECT RequestHash, sum(length(Body))
FROM
(
    SELECT DISTINCT RequestHash, Project, arrayJoin(Messages) AS Hash
    FROM span_contents
    WHERE IngestedAt >= {received_from:DateTime64(3)} AND has(arrayMap(h -> toFixedString(unhex(h), 16), {hashes:Array(String)}), RequestHash)
) AS said
LEFT JOIN content_messages USING (Project, Hash)
GROUP BY RequestHash

-- messages_of_requests --
-- The messages that some requests' spans and log records said.
SELECT *
FROM content_messages
WHERE (Project, Hash) IN
(
    SELECT Project, arrayJoin(Messages)
    FROM span_contents
    WHERE IngestedAt >= {received_from:DateTime64(3)} AND has(arrayMap(h -> toFixedString(unhex(h), 16), {hashes:Array(String)}), RequestHash)
)

-- rows_waiting --
-- Whether a table has rows.
SELECT count() > 0 FROM {table:Identifier}
