-- How far settling is, and who does it.

-- read_state --
-- The newest row of a name; of two written at once always the same one.
SELECT Time, Holder, Version FROM settling_state WHERE Name = {name:String} ORDER BY Version DESC, Holder DESC LIMIT 1

-- write_state --
-- A newer row of a name.
INSERT INTO settling_state (Name, Time, Holder, Version)
SELECT {name:String}, {time:DateTime64(3)}, {holder:String}, {version:UInt64}

-- waiting --
-- The traces with a run that was open when its process ended, and when something last came in for them.
SELECT Project, TraceId, min(Timestamp) AS First, max(EndTimestamp) AS Last, sum(Spans) AS Spans, max(SettledAt) AS LastIngestedAt
FROM agent_runs FINAL
WHERE Status = 'open' AND SettledAt >= {since:DateTime64(3)}
GROUP BY Project, TraceId
