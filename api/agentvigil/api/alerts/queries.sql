-- page --
-- Deliveries that were made in a time, the newest first.
SELECT
    DeliveryId, NoticeId, AlertId, Rule, Destination, toString(Transition) AS Transition, toString(Severity) AS Severity,
    toString(Status) AS Status, JSONExtractString(Notice, 'title') AS Title, Attempts, Code, Error, SummaryId,
    toUnixTimestamp64Milli(CreatedAt) AS created_ms,
    toTimeZone(CreatedAt, 'UTC') AS CreatedAt, toTimeZone(HeldUntil, 'UTC') AS HeldUntil,
    toTimeZone(NextAttemptAt, 'UTC') AS NextAttemptAt, toTimeZone(LastAttemptAt, 'UTC') AS LastAttemptAt
FROM alert_deliveries FINAL
WHERE Project = {project:String}
    AND created_ms >= {from_ms:Int64} AND created_ms < {to_ms:Int64}
    {{conditions}}
ORDER BY created_ms DESC, DeliveryId DESC
LIMIT {limit:UInt32}

-- after --
-- Only what comes after the last item of the page before.
AND (created_ms, DeliveryId) < ({created_ms:Int64}, {delivery_id:String})

-- where_rule --
Rule IN {rule:Array(String)}

-- where_destination --
Destination IN {destination:Array(String)}

-- where_status --
Status IN {status:Array(String)}

-- where_transition --
Transition IN {transition:Array(String)}

-- where_alert --
AlertId IN {alert:Array(String)}

-- open --
-- Alerts of a project that are not over, the worst first.
SELECT
    AlertId, Rule, Subject, toString(Severity) AS Severity, JSONExtractString(Situation, 'title') AS Title,
    toTimeZone(OpenedAt, 'UTC') AS OpenedAt, toTimeZone(AnnouncedAt, 'UTC') AS AnnouncedAt,
    JSONExtractBool(Situation, 'is_muted') AS is_muted
FROM alert_states FINAL
WHERE Project = {project:String} AND ClosedAt IS NULL
ORDER BY indexOf(['critical', 'major', 'minor'], Severity), OpenedAt, AlertId
LIMIT {limit:UInt32}

-- open_by_rule --
-- How many alerts of each rule are not over, and when one was last told of.
SELECT Rule, countIf(ClosedAt IS NULL) AS open_alerts, toTimeZone(max(AnnouncedAt), 'UTC') AS announced_at
FROM alert_states FINAL
WHERE Project = {project:String}
GROUP BY Rule
