-- landed_requests --
-- How many rows of each of these requests are stored; received_from narrows the search to recent granules.
SELECT RequestHash, count() AS rows
FROM otel_traces
WHERE IngestedAt >= {received_from:DateTime64(3)} AND RequestHash IN (SELECT arrayJoin(arrayMap(h -> toFixedString(unhex(h), 16), {hashes:Array(String)})))
GROUP BY RequestHash

-- recent_requests --
-- Every request of the last window_s seconds of intake, counted from the newest row, so that a long stop does not
-- empty the window: what the process before us took, and of how many spans each request has rows.
SELECT RequestHash, any(RequestSpans) AS spans, count() AS rows, max(IngestedAt) AS received_at
FROM otel_traces
WHERE IngestedAt >= (SELECT max(IngestedAt) FROM otel_traces WHERE IngestedAt <= now64(3) + 60) - toIntervalSecond({window_s:UInt32})
    AND RequestHash != toFixedString('', 16)
GROUP BY RequestHash
ORDER BY received_at DESC
LIMIT {limit:UInt64}

-- delete_requests --
-- Takes the rows of requests that are stored in part, so that their senders can send them again.
DELETE FROM otel_traces
WHERE IngestedAt >= {received_from:DateTime64(3)} AND has(arrayMap(h -> toFixedString(unhex(h), 16), {hashes:Array(String)}), RequestHash)

-- index_traces --
-- Writes the traces of recent intake into their index again, which changes nothing for those it has. The index is filled
-- after the spans: a process that dies or an insert that fails in between leaves spans that are stored and in no index.
INSERT INTO otel_traces_trace_id_ts (TraceId, Start, End, KeepDays) SETTINGS max_partitions_per_insert_block = 0
SELECT TraceId, min(toDateTime(Timestamp)), max(toDateTime(Timestamp)), max(KeepDays)
FROM otel_traces
WHERE IngestedAt >= {received_from:DateTime64(3)} AND TraceId != ''
GROUP BY TraceId
