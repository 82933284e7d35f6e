-- landed_requests --
-- How many rows of each of these requests a table has; received_from narrows the search to recent granules.
SELECT RequestHash, count() AS rows
FROM {table:Identifier}
WHERE IngestedAt >= {received_from:DateTime64(3)} AND RequestHash IN (SELECT arrayJoin(arrayMap(h -> toFixedString(unhex(h), 16), {hashes:Array(String)})))
GROUP BY RequestHash

-- newest_request --
-- When the newest row of a table was taken in; 1970 if there is none. A clock that was ahead is not believed.
SELECT max(IngestedAt)
FROM {table:Identifier}
WHERE IngestedAt <= now64(3) + 60 AND RequestHash != toFixedString('', 16)

-- recent_requests --
-- Every request taken in since received_from: of how many rows it is, and how many of them this table has.
SELECT RequestHash, any({count_column:Identifier}) AS items, count() AS rows, max(IngestedAt) AS received_at
FROM {table:Identifier}
WHERE IngestedAt >= {received_from:DateTime64(3)} AND RequestHash != toFixedString('', 16)
GROUP BY RequestHash
ORDER BY received_at DESC
LIMIT {limit:UInt64}

-- delete_requests --
-- Takes the rows of requests that are stored in part, so that their senders can send them again.
DELETE FROM {{rows_of_table}}
WHERE IngestedAt >= {received_from:DateTime64(3)} AND has(arrayMap(h -> toFixedString(unhex(h), 16), {hashes:Array(String)}), RequestHash)

-- index_traces --
-- Writes the traces of recent intake into their index again, which changes nothing for those it has. The index is filled
-- after the spans: a process that dies or an insert that fails in between leaves spans that are stored and in no index.
INSERT INTO otel_traces_trace_id_ts (TraceId, Start, End, KeepDays) SETTINGS max_partitions_per_insert_block = 0
SELECT TraceId, min(toDateTime(Timestamp)), max(toDateTime(Timestamp)), max(KeepDays)
FROM otel_traces
WHERE IngestedAt >= {received_from:DateTime64(3)} AND TraceId != ''
GROUP BY TraceId

-- has_hash_key --
-- Whether there is a key.
SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = 'agentvigil_hash_key'

-- make_hash_key --
-- A view and no table: making one with its key inside is a single step, of two receivers that start at once the first
-- one's stays. A view's text takes no parameters, so `hash_key.py` writes the key into it.
CREATE VIEW IF NOT EXISTS agentvigil_hash_key AS SELECT %(made)s AS HashKey

-- hash_key --
-- The key that receivers in front of one server hash with.
SELECT HashKey FROM agentvigil_hash_key

-- project_tables --
-- Tables and views with a column Project, by 1, and the named views without one, by 0. What has another engine (Null,
-- through which collectors write) holds no rows.
SELECT name, name IN (SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'Project')
FROM system.tables
WHERE database = currentDatabase()
    AND (
        name IN (SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'Project')
        OR engine = 'View' AND name IN {read_through:Array(String)})
    AND (engine LIKE '%MergeTree' OR engine = 'View')
