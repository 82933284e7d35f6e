-- Notices on their way.

-- present --
-- Which of these deliveries are there already.
SELECT DeliveryId AS delivery_id FROM alert_deliveries FINAL WHERE DeliveryId IN {ids:Array(String)}

-- unfinished_counts --
-- How many deliveries wait for each destination.
SELECT Project AS project, Destination AS destination, count() AS deliveries
FROM alert_deliveries FINAL
WHERE NOT IsFinished
GROUP BY project, destination

-- released --
-- What was held and is not to be any more, in the order in which it came.
SELECT {{columns}}
FROM alert_deliveries FINAL
WHERE Status = 'held' AND HeldUntil <= fromUnixTimestamp64Milli({now_ms:Int64})
ORDER BY Project, Rule, Destination, HeldUntil, CreatedAt, DeliveryId

-- due --
-- What is to be sent now, the longest due first.
SELECT {{columns}}
FROM alert_deliveries FINAL
WHERE Status IN ('waiting', 'sending') AND NextAttemptAt <= fromUnixTimestamp64Milli({now_ms:Int64})
ORDER BY NextAttemptAt, CreatedAt, DeliveryId
LIMIT {limit:UInt32}
