-- Findings as rules see them.

-- unresolved --
-- What is open or acknowledged in a project, the worst and oldest first.
SELECT
    FindingId AS finding_id,
    if(IncidentId = '', FindingId, IncidentId) AS incident_id,
    IncidentId != '' AS is_in_incident,
    toString(Kind) AS kind,
    toString(Detector) AS detector,
    toString(Environment) AS environment,
    toString(SubjectType) AS subject_type,
    Subject AS subject,
    toString(Agent) AS agent,
    toString(Feature) AS feature,
    toString(Severity) AS severity,
    toString(State) AS state,
    Explanation AS explanation,
    Runs AS runs,
    UsdPerDay AS usd_per_day,
    FailedRunsPerDay AS failed_runs_per_day,
    StableKey IN
    (
        SELECT StableKey
        FROM finding_mutes FINAL
        WHERE Project = {project:String} AND (Until IS NULL OR Until > fromUnixTimestamp64Milli({now_ms:Int64}))
    ) AS is_muted
FROM findings FINAL
WHERE Project = {project:String} AND State != 'resolved'
ORDER BY indexOf(['critical', 'major', 'minor'], severity), FoundAt, finding_id
LIMIT {limit:UInt32}

-- resolutions --
-- How incidents of a project ended, those of which something is known.
SELECT
    if(IncidentId = '', FindingId, IncidentId) AS incident_id,
    arraySort(groupUniqArray(toString(Resolution))) AS resolutions
FROM findings FINAL
WHERE Project = {project:String} AND State = 'resolved'
    AND (FindingId IN {incidents:Array(String)} OR IncidentId IN {incidents:Array(String)})
GROUP BY incident_id

-- open_by_kind --
-- How many findings are open.
SELECT toString(Kind) AS kind, toString(Severity) AS severity, count() AS findings
FROM findings FINAL
WHERE State = 'open'
GROUP BY kind, severity
