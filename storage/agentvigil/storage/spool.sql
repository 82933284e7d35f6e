-- size --
-- Bytes on disk of the tables of rows.
SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table LIKE 'otel\_%'

-- rows_of_requests --
-- The rows of some requests; the star stands for the columns that an INSERT fills.
SELECT *
FROM {table:Identifier}
WHERE IngestedAt >= {received_from:DateTime64(3)} AND has(arrayMap(h -> toFixedString(unhex(h), 16), {hashes:Array(String)}), RequestHash)

-- clear --
-- Gives the disk back at once.
TRUNCATE TABLE {table:Identifier}
